"""For a frozen image tower: every box is embedded once, in a few random crops, and training draws
from those.

An epoch then costs no image, no crop and no pass of the tower. What is lost is the endless variety
of the augmentation: `views` crops per box, each by the rule of step I (grown by up to 20 %,
sub-crop of at least 90 % of each side, mirrored half of the time).
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from ovarnet.errors import InputError
from ovarnet.io.files import whole_file
from ovarnet.modeling.clip.clip import Clip
from ovarnet.training.data.base_boxes import ATTRIBUTES, DETECTION, BaseData, TrainingBoxes
from ovarnet.training.data.crops import CropRule, seeded, stack

BATCH = 128
CACHE_SEED = 5
"""The cached views do not depend on the run's seed, so that runs can share them; which view is
drawn does."""


class EmbeddingCache:
    """Normalised embeddings (views, R, D) float16 of the boxes of both sources, kept in memory and
    in `folder`, one file per source.

    The file's name is a hash of the image tower's weights, the boxes and the number of views:
    another tower never meets them. InputError when a source would need more than `megabytes`.
    """

    def __init__(
        self,
        clip: Clip,
        data: BaseData,
        crops: CropRule,
        folder: Path,
        *,
        views: int,
        seed: int,
        megabytes: int = 4096,
    ):
        self.seed, self.views = seed, views
        tower = tower_hash(clip)
        self.tables: dict[str, Tensor] = {}
        for name, regions in ((DETECTION, data.detection), (ATTRIBUTES, data.attributes)):
            needed = views * len(regions) * clip.embed_dim * 2 / 2**20
            if needed > megabytes:
                raise InputError(
                    f"{views} cached views of {len(regions):,} {name} boxes need {needed:,.0f} "
                    f"MB, more than {megabytes}; "
                    "lower cached_views, or set it to 0 to cut crops at every visit"
                )
            self.tables[name] = _read_or_embed(clip, regions, crops, folder, views, tower)

    def __call__(self, keys: list[tuple[int, str, int]]) -> Tensor:
        """(iteration, source, index) keys -> one of the views of each, (R, D) float32."""
        views = torch.randint(
            self.views, (len(keys),), generator=seeded(self.seed, 2, keys[0][0])
        ).tolist()
        return torch.stack(
            [
                self.tables[source][view, index]
                for (_, source, index), view in zip(keys, views, strict=True)
            ]
        ).float()


def _read_or_embed(
    clip: Clip, regions: TrainingBoxes, crops: CropRule, folder: Path, views: int, tower: str
) -> Tensor:
    boxes = hashlib.sha256(repr(regions.files).encode() + regions.boxes.numpy().tobytes())
    path = (
        folder
        / f"embeddings-{hashlib.sha256(f'{tower} {boxes.hexdigest()} {views}'.encode()).hexdigest()[:16]}.safetensors"
    )
    if path.is_file():
        try:
            return load_file(path)["embeddings"]
        except (SafetensorError, OSError, KeyError) as error:
            raise InputError(f"{path} is damaged ({error}); delete it, it is made again") from None
    table = embed_views(clip, regions, crops, views)
    with whole_file(path) as unfinished:
        save_file({"embeddings": table}, unfinished)
    return table


@torch.no_grad()
def embed_views(clip: Clip, regions: TrainingBoxes, crops: CropRule, views: int) -> Tensor:
    """(views, R, D) float16, L2-normalised."""
    table = torch.empty(views, len(regions), clip.embed_dim, dtype=torch.float16)
    batches = [(view, start) for view in range(views) for start in range(0, len(regions), BATCH)]
    for view, start in tqdm(batches, desc="embedding boxes", unit="batch", mininterval=2.0):
        rows = range(start, min(start + BATCH, len(regions)))
        batch = stack(
            [
                crops.random(
                    regions.files[i], regions.boxes[i : i + 1], seeded(CACHE_SEED, view, i)
                )
                for i in rows
            ],
            crops,
        )
        table[view, rows.start : rows.stop] = (
            F.normalize(clip.encode_image(batch.to(clip.device)), dim=-1).half().cpu()
        )
    return table


def tower_hash(clip: Clip) -> str:
    """Of all weights of the image tower."""
    digest = hashlib.sha256(clip.name.encode())
    for tensor in clip.model.visual.state_dict().values():
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
