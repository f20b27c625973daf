"""Runs a predictor over the images of a dataset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from tqdm import tqdm

from ovarnet.io.images import read_image, to_pixels
from ovarnet.modeling.post_processing import PROTOCOL
from ovarnet.modeling.predictor import Predictor
from ovarnet.structures import Annotations, Detections, Proposals
from ovarnet.vocabulary import Vocabulary

BATCH_IMAGES = 8


def detect_all(
    predictor: Predictor,
    vocabulary: Vocabulary,
    annotations: Sequence[Annotations],
    *,
    box_given: bool,
    progress: bool = True,
) -> Iterator[tuple[Annotations, Detections]]:
    """Detect in every image, a few images at a time.

    Boxes found go through the NMS and the limit of the protocols, not through the suppression that
    `detect` adds for pictures.

    Args:
        predictor: see `ovarnet.load`.
        vocabulary: all its words are queried.
        annotations: of the images.
        box_given: score the annotated boxes instead of finding boxes.
        progress: show a progress bar.

    Yields:
        (annotations, detections) of each image, in order.
    """
    words = predictor.encode_vocabulary(list(vocabulary.categories), list(vocabulary.attributes))
    with tqdm(
        total=len(annotations),
        unit="image",
        desc="box-given" if box_given else "box-free",
        disable=not progress,
    ) as bar:
        for start in range(0, len(annotations), BATCH_IMAGES):
            batch = annotations[start : start + BATCH_IMAGES]
            boxes = [image.boxes for image in batch] if box_given else None
            found = predictor.detect(
                [image.file for image in batch], vocabulary=words, boxes=boxes, **PROTOCOL
            )
            assert isinstance(found, list)  # one for each of a list of images
            yield from zip(batch, found, strict=True)
            bar.update(len(batch))


def proposer_of(predictor: Predictor) -> Any:
    """Where a predictor's boxes come from: its model's proposer, or the model itself (OvarNet)."""
    return getattr(predictor.model, "proposer", predictor.model)


@torch.no_grad()
def propose_all(
    predictor: Predictor, annotations: Sequence[Annotations], *, progress: bool = True
) -> Iterator[Proposals]:
    """Propose boxes in every image.

    Args:
        predictor: one whose `proposer_of` has `propose`.
        annotations: of the images.
        progress: show a progress bar.

    Yields:
        The proposals of each image, in order.
    """
    for image in tqdm(annotations, unit="image", desc="proposals", disable=not progress):
        pixels = to_pixels(read_image(image.file), predictor.device)
        yield proposer_of(predictor).propose([pixels], [image.file])[0]
