"""For a frozen trunk: what it gives for a few views of every image, computed once.

The trunk is more than half of the work of an iteration. Without it a CPU sees the photos several
times as often in the same time. What is lost is the endless variety of the sizes.

C channels, and h x w cells of a map.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from ovarnet.errors import InputError
from ovarnet.io.images import read_image, to_pixels
from ovarnet.io.weights_hash import weights_hash
from ovarnet.modeling.resize import PAD_MULTIPLE, DetectorResize
from ovarnet.modeling.resnet_pyramid import ResnetPyramid
from ovarnet.proposals.detector import DetectorProposer
from ovarnet.structures import Annotations
from ovarnet.training.data.batch import TensorBatch
from ovarnet.training.data.crops import hflip_boxes
from ovarnet.training.data.kept_tensors import keep_tensors, read_kept_tensors
from ovarnet.training.engine.sampling import OrientedSampler
from ovarnet.training.engine.seeds import derive_seed

SHARD = 200
"""Views of one file, so that an interrupted run goes on where it was."""
MAPS = "maps"
"""The one source of a batch."""
CACHE_SEED = 5
"""The stored views do not depend on the run's seed, so that runs can share the files."""


@dataclass
class TrunkMapBatch(TensorBatch):
    """Maps of some views and their boxes.

    Attributes:
        maps: (N, C, h, w) float32 of each stage, finest first; views are padded with zeros at the
            right and the bottom.
        boxes: (M, 4) float32 xyxy of each, pixels of the resized view; M may be 0.
        sizes: Height and width of each resized view without padding.
    """

    maps: list[Tensor]
    boxes: list[Tensor]
    sizes: list[tuple[int, int]]


@dataclass(frozen=True)
class View:
    """One way of showing an image to the detector.

    The first view of an image is what the detector sees when it proposes. The others have sizes
    drawn from those of training, and every other view is mirrored.

    Args:
        annotation: The image and its boxes; crowd and difficult ones are not learned from.
        index: Of the image.
        number: Of the view, from 0.
    """

    annotation: Annotations
    index: int
    number: int


class TrunkMapDataset:
    """The stored maps of all views, on disk and in memory: about half a megabyte a view in each.

    The name of a file is a hash of the trunk's weights, the images, their boxes and the views.

    Args:
        proposer: Its trunk is frozen.
        annotations: All of their boxes are of base categories.
        folder: Where the files are kept.
        views: Of each image.

    Raises:
        InputError: The trunk is trained, an image cannot be read, or a stored file is damaged.
    """

    def __init__(
        self,
        proposer: DetectorProposer,
        annotations: Sequence[Annotations],
        folder: Path,
        *,
        views: int,
    ):
        backbone, resize = proposer.detector.backbone, proposer.detector.transform
        if not isinstance(backbone, ResnetPyramid) or _is_trained(backbone.trunk):
            raise InputError(
                f"views={views} keeps maps of a frozen trunk, and that of this kind of proposer is "
                "trained; set kind=photos or views=0"
            )
        self.stages = list(backbone.strides)
        rule = (resize.short_side, resize.max_size, resize.train_short_sides)
        key = f"{weights_hash(backbone.trunk)} {rule}"
        every = [View(one, i, view) for view in range(views) for i, one in enumerate(annotations)]
        self.rows: list[dict[str, Tensor]] = []
        with tqdm(total=len(every), desc="trunk maps", unit="view", mininterval=2.0) as progress:
            for start in range(0, len(every), SHARD):
                shard = every[start : start + SHARD]
                path = folder / f"maps-{_hash(key, shard)}.safetensors"
                if path.is_file():
                    progress.update(len(shard))
                else:
                    rows = []
                    for view in shard:
                        rows.append(trunk_maps(backbone, resize, view))
                        progress.update()
                    _store(path, rows)
                self.rows += _read(path, len(shard))

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def is_tall(self) -> list[bool]:
        """Of each view, whether it is taller than wide."""
        return [bool(height > width) for height, width in (row["size"] for row in self.rows)]

    def sampler(self, batch_size: int, iterations: int, **more: int) -> OrientedSampler:
        """Batches of views that are all tall or all wide, so that little is padded."""
        sources = {MAPS: (len(self), batch_size)}
        return OrientedSampler(sources, {MAPS: self.is_tall}, iterations, **more)

    def __getitems__(self, keys: Sequence[tuple[int, str, int]]) -> TrunkMapBatch:
        """The batch of (iteration, source, index of the view) keys."""
        rows = [self.rows[index] for _, _, index in keys]
        return TrunkMapBatch(
            maps=[_padded([row[stage] for row in rows]) for stage in self.stages],
            boxes=[row["boxes"] for row in rows],
            sizes=[(int(height), int(width)) for height, width in (row["size"] for row in rows)],
        )


@torch.no_grad()
def trunk_maps(backbone: ResnetPyramid, resize: DetectorResize, view: View) -> dict[str, Tensor]:
    """Compute what is stored of one view.

    Args:
        backbone: Of the detector.
        resize: Its transform.
        view: Which image, and how it is shown.

    Returns:
        Each stage of the pyramid -> its map (C, h, w) float16 of the padded view; "boxes" (M, 4)
        float32 in pixels of the resized view, and "size", its height and width without padding.

    Raises:
        InputError: The image cannot be read.
    """
    pixels = to_pixels(read_image(view.annotation.file))
    boxes = view.annotation.boxes[~view.annotation.is_ignored]
    if view.number % 2:
        pixels, boxes = pixels.flip(-1), hflip_boxes(boxes, pixels.shape[2])
    target = {"boxes": boxes.clone()}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(CACHE_SEED, view.number, view.index))
        resize.train(view.number > 0)
        resized, _ = resize.resize(resize.normalize(pixels), target)
    batch = resize.batch_images([resized], PAD_MULTIPLE)
    maps = backbone.trunk_maps(batch.to(next(backbone.parameters()).device))
    return {
        **{stage: maps[stage][0].half().cpu() for stage in backbone.strides},
        "boxes": target["boxes"],
        "size": torch.tensor(resized.shape[1:]),
    }


def _is_trained(module: nn.Module) -> bool:
    return any(weight.requires_grad for weight in module.parameters())


def _padded(maps: Sequence[Tensor]) -> Tensor:
    """Maps (C, h, w) of several sizes -> (N, C, largest h, largest w) float32."""
    height, width = (max(one.shape[side] for one in maps) for side in (1, 2))
    padding = [(0, width - one.shape[2], 0, height - one.shape[1]) for one in maps]
    return torch.stack([F.pad(one.float(), pad) for one, pad in zip(maps, padding, strict=True)])


def _store(path: Path, rows: Sequence[dict[str, Tensor]]) -> None:
    tensors = {f"{name}.{number}": row[name] for number, row in enumerate(rows) for name in row}
    keep_tensors(path, tensors)


def _read(path: Path, count: int) -> list[dict[str, Tensor]]:
    rows: list[dict[str, Tensor]] = [{} for _ in range(count)]
    for key, tensor in read_kept_tensors(path).items():
        name, number = key.split(".")
        rows[int(number)][name] = tensor
    return rows


def _hash(key: str, views: Sequence[View]) -> str:
    digest = hashlib.sha256(key.encode())
    for view in views:
        image = view.annotation
        digest.update(f"{image.file} {view.index} {view.number}".encode())
        digest.update(image.boxes[~image.is_ignored].numpy().tobytes())
    return digest.hexdigest()[:16]
