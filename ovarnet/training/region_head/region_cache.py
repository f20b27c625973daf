"""What the frozen parts give for the regions of every image, computed once and kept on disk.

R regions of an image or of all images: the annotated boxes, then proposals. C channels and S cells
per side of a region's cells, F and M widths of the teacher's pooled and mid-level features.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor
from torchvision.models.detection.transform import resize_boxes
from torchvision.ops import box_iou
from tqdm import tqdm

from ovarnet.config import OvarnetDesign
from ovarnet.io.images import read_image, to_pixels
from ovarnet.io.weights_hash import weights_hash
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.crops import crop_boxes
from ovarnet.modeling.ovarnet import OvarNet
from ovarnet.training.data.kept_tensors import keep_tensors, read_kept_tensors
from ovarnet.training.distillation.data import TrainingImage
from ovarnet.training.engine.seeds import seeded

SHARD = 200
"""Images of one file, so that an interrupted run goes on where it was."""
CACHE_SEED = 5
"""The proposals do not depend on the run's seed, so that runs can share the files."""
PROPOSAL_IOU = 0.5
"""A proposal that overlaps an annotated box or a chosen proposal more is the same region."""
LIKELY_OBJECTS = 10
"""The detector's best proposals, which are chosen before others."""


@dataclass
class CachedRegions:
    """Regions of all images, one after the other.

    Attributes:
        counts: Of each image, its regions.
        boxes: (R, 4) float32 xyxy, pixels of the image.
        cells: (R, C, S, S) float16, cut from the maps of the whole image.
        pooled: (R, F) float16, the teacher's features of the crop.
        mid: (R, M) float16, likewise.
    """

    counts: list[int]
    boxes: Tensor
    cells: Tensor
    pooled: Tensor
    mid: Tensor


def cache_regions(
    student: OvarNet,
    teacher: Clip,
    images: Sequence[TrainingImage],
    proposals_per_image: int,
    folder: Path,
    design: OvarnetDesign,
) -> CachedRegions:
    """Read the stored regions, and compute those that are missing.

    Args:
        student: Its frozen parts find the proposals and cut the cells.
        teacher: A photo CLIP, whose image tower sees the crops.
        images: With base boxes alone.
        proposals_per_image: At most, beside the annotated boxes.
        folder: Where files are kept, under a hash of weights, boxes and settings.
        design: Of the student; sizes of images, anchors and regions are in no weight.

    Raises:
        InputError: An image cannot be read, or a stored file is damaged.
    """
    frozen = weights_hash(student.backbone, student.rpn, teacher.model.visual.trunk)
    if student.box_stage is not None:
        frozen += weights_hash(student.box_stage)
    key = (frozen, proposals_per_image, asdict(design))
    shards = [images[start : start + SHARD] for start in range(0, len(images), SHARD)]
    parts = []
    with tqdm(total=len(images), desc="regions", unit="image", mininterval=2.0) as progress:
        for first, shard in enumerate(shards):
            path = folder / f"regions-{_hash(key, shard)}.safetensors"
            if not path.is_file():
                rows = []
                for number, image in enumerate(shard):
                    generator = seeded(CACHE_SEED, first * SHARD + number)
                    rows.append(
                        region_features(student, teacher, image, proposals_per_image, generator)
                    )
                    progress.update()
                _store(path, rows)
            else:
                progress.update(len(shard))
            parts.append(read_kept_tensors(path))
    tensors = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    return CachedRegions(tensors.pop("counts").tolist(), **tensors)


@torch.no_grad()
def region_features(
    student: OvarNet, teacher: Clip, image: TrainingImage, number: int, generator: torch.Generator
) -> dict[str, Tensor]:
    """Boxes, cells and crop features of one image's regions, as in `CachedRegions`."""
    pixels = to_pixels(read_image(image.file))
    batch, sizes, original = student.preprocess([pixels])
    features = student.extract_features(batch.contiguous(memory_format=torch.channels_last))

    found, _ = student.select_proposals(features, sizes)
    proposals = resize_boxes(found[0], sizes[0], original[0])
    boxes = torch.cat([image.boxes, choose_proposals(proposals, image.boxes, number, generator)])

    cells = student.head.cut(features, [resize_boxes(boxes, original[0], sizes[0])], sizes)
    crops = crop_boxes(pixels, boxes, teacher.image_size, teacher.mean, teacher.std)
    crop_features = teacher.model.visual.crop_features(
        crops.contiguous(memory_format=torch.channels_last)
    )
    return {
        "boxes": boxes,
        "cells": cells.half(),
        "pooled": crop_features.pooled.half(),
        "mid": crop_features.mid.half(),
    }


def choose_proposals(
    proposals: Tensor, annotated: Tensor, number: int, generator: torch.Generator
) -> Tensor:
    """Choose proposals that are no annotated box: likely objects first, then any.

    Args:
        proposals: (P, 4), best first.
        annotated: (N, 4).
        number: At most as many.
        generator: Draws the order.

    Returns:
        (K, 4), K at most `number`; no two of them, and none and an annotated box, overlap by more
        than `PROPOSAL_IOU`.
    """
    likely = min(LIKELY_OBJECTS, len(proposals))
    order = [
        *torch.randperm(likely, generator=generator).tolist(),
        *(likely + torch.randperm(len(proposals) - likely, generator=generator)).tolist(),
    ]
    taken = annotated
    chosen: list[Tensor] = []
    for row in order:
        if len(chosen) == number:
            break
        box = proposals[row : row + 1]
        if not (box_iou(box, taken) > PROPOSAL_IOU).any():
            chosen.append(box)
            taken = torch.cat([taken, box])
    return torch.cat([proposals[:0], *chosen])


def _store(path: Path, rows: Sequence[dict[str, Tensor]]) -> None:
    tensors = {name: torch.cat([row[name] for row in rows]) for name in rows[0]}
    tensors["counts"] = torch.tensor([len(row["boxes"]) for row in rows])
    keep_tensors(path, tensors)


def _hash(key: tuple, images: Sequence[TrainingImage]) -> str:
    digest = hashlib.sha256(repr(key).encode())
    for image in images:
        digest.update(image.file.encode() + image.boxes.numpy().tobytes())
    return digest.hexdigest()[:16]
