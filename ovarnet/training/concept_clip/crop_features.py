"""What the frozen trunk gives for every crop, computed once.

R boxes of a source, F and M widths of the pooled and of the mid-level features.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from ovarnet.io.weights_hash import weights_hash
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.clip.concept_tower import MID_STAGES, CropFeatures
from ovarnet.training.data.crops import BoxCropper
from ovarnet.training.data.kept_tensors import keep_tensors, read_kept_tensors
from ovarnet.training.engine.seeds import seeded

BATCH = 32
CACHE_SEED = 5
"""The cached views do not depend on the run's seed, so that runs can share them."""


class FeatureTable:
    """Features of a few random crops of each box, in memory and on disk.

    The name of a file is a hash of the trunk's weights, the boxes and the number of views.

    Args:
        clip: Its image tower is a `ConceptTower`, whose trunk is frozen.
        files: R paths of images.
        boxes: (R, 4) float32 xyxy, pixels of the image.
        crops: Cuts them.
        folder: Where the file is kept.
        views: Random crops of each box.
        name: Shown beside the progress bar.

    Raises:
        InputError: An image cannot be read, or a stored file is damaged.
    """

    def __init__(
        self,
        clip: Clip,
        files: Sequence[str],
        boxes: Tensor,
        crops: BoxCropper,
        folder: Path,
        *,
        views: int,
        name: str,
    ):
        self.views = views
        trunk = weights_hash(clip.model.visual.trunk)
        what = f"{list(files)} {views} {trunk}".encode() + boxes.numpy().tobytes()
        path = folder / f"crops-{hashlib.sha256(what).hexdigest()[:16]}.safetensors"
        self.parts = (
            read_kept_tensors(path)
            if path.is_file()
            else _store(path, crop_features(clip, files, boxes, crops, views, name))
        )

    def __len__(self) -> int:
        return self.parts["pooled"].shape[1]

    def rows(self, indices: Tensor, views: Tensor) -> CropFeatures:
        """Features of one view of each of N boxes, float32.

        Args:
            indices: (N,) int64 rows.
            views: (N,) int64.
        """
        pooled, mid = self.parts["pooled"], self.parts["mid"]
        return CropFeatures(pooled[views, indices].float(), mid[views, indices].float())


@torch.no_grad()
def crop_features(
    clip: Clip, files: Sequence[str], boxes: Tensor, crops: BoxCropper, views: int, name: str
) -> dict[str, Tensor]:
    """Compute features of random crops: "pooled" (views, R, F) and "mid" (views, R, M), float16."""
    tower = clip.model.visual
    mid = 3 * sum(tower.trunk.channels[stage] for stage in MID_STAGES)
    table = {
        part: torch.empty(views, len(files), width, dtype=torch.float16)
        for part, width in (("pooled", tower.trunk.features), ("mid", mid))
    }
    batches = [(view, start) for view in range(views) for start in range(0, len(files), BATCH)]
    for view, start in tqdm(batches, desc=name, unit="batch", mininterval=2.0):
        rows = range(start, min(start + BATCH, len(files)))
        batch = crops.concatenate(
            [
                crops.random(files[row], boxes[row : row + 1], seeded(CACHE_SEED, view, row))
                for row in rows
            ]
        ).to(clip.device, memory_format=torch.channels_last)
        for part, features in tower.crop_features(batch)._asdict().items():
            table[part][view, rows.start : rows.stop] = features.half().cpu()
    return table


def _store(path: Path, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    keep_tensors(path, tensors)
    return tensors
