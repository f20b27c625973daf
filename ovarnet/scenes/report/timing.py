"""How long trained models take for an image of the generated world."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from ovarnet.io.images import read_image
from ovarnet.modeling.predictor import Predictor
from ovarnet.modeling.text.word_embeddings import EncodedVocabulary


def milliseconds_per_image(
    models: Mapping[str, Predictor], files: Sequence[str]
) -> dict[str, float]:
    """Median time of `detect` on one image at a time with all words of the model's vocabulary.

    The models take turns, so that a busy machine slows them alike. The first image warms them up
    and does not count where there are more; reading a file and encoding the words never count.

    Args:
        models: Name -> model.
        files: Image files, at least one.

    Returns:
        Name -> milliseconds.
    """
    seconds: dict[str, list[float]] = {name: [] for name in models}
    words = {name: model.encode_vocabulary() for name, model in models.items()}
    for file in files:
        image = read_image(file)
        for name, model in models.items():
            seconds[name].append(_timed(model, image, words[name]))
    return {name: 1000 * statistics.median(times[1:] or times) for name, times in seconds.items()}


def _timed(model: Predictor, image: np.ndarray, words: EncodedVocabulary) -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    started = time.perf_counter()
    # its results are on the CPU, so the GPU is done when it returns
    model.detect(image, vocabulary=words)
    return time.perf_counter() - started
