"""Runs a model over the images of a dataset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from tqdm import tqdm

from ovarnet.io.images import read_image, to_pixels
from ovarnet.structures import Annotations, Detections, Proposals
from ovarnet.vocabulary import Vocabulary

BATCH_IMAGES = 8


def detect_all(
    model,
    vocabulary: Vocabulary,
    annotations: Sequence[Annotations],
    *,
    box_given: bool,
    progress: bool = True,
) -> Iterator[tuple[Annotations, Detections]]:
    """(image, Detections) of every image, asked with all words of `vocabulary`, a few images at a
    time.
    """
    words = model.encode_vocabulary(list(vocabulary.categories), list(vocabulary.attributes))
    with tqdm(
        total=len(annotations),
        unit="image",
        desc="box-given" if box_given else "box-free",
        disable=not progress,
    ) as bar:
        for start in range(0, len(annotations), BATCH_IMAGES):
            batch = annotations[start : start + BATCH_IMAGES]
            boxes = [image.boxes for image in batch] if box_given else None
            found = model.detect([image.file for image in batch], vocabulary=words, boxes=boxes)
            yield from zip(batch, found, strict=True)
            bar.update(len(batch))


def proposer_of(model):
    """Where a predictor's boxes come from: its model's proposer, or the model itself (OvarNet)."""
    return getattr(model.model, "proposer", model.model)


@torch.no_grad()
def propose_all(
    model, annotations: Sequence[Annotations], *, progress: bool = True
) -> Iterator[Proposals]:
    """Proposals of `proposer_of(model)` for every image."""
    for image in tqdm(annotations, unit="image", desc="proposals", disable=not progress):
        pixels = to_pixels(read_image(image.file), model.device)
        yield proposer_of(model).propose([pixels], [image.file])[0]
