"""For a frozen image tower: every box is embedded once, in a few random crops.

Training then draws from those, so that an epoch costs no image, no crop and no pass of the tower.
What is lost is the endless variety of the augmentation. Each crop follows step I: grown by up to
20 %, a sub-crop of at least 90 % of each side, mirrored half of the time.

R boxes of a source, D the embedding width.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
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
from ovarnet.training.data.base_boxes import ATTRIBUTES, DETECTION, TrainingBoxes
from ovarnet.training.data.base_data import BaseData
from ovarnet.training.data.crops import BoxCropper
from ovarnet.training.engine.seeds import seeded

BATCH = 128
CACHE_SEED = 5
"""The cached views do not depend on the run's seed, so that runs can share them; the view that is
drawn at a visit does."""
MEGABYTES = 4096
"""Most memory of the embeddings of one source."""


class EmbeddingCache:
    """L2-normalised embeddings (views, R, D) float16 of both sources, in memory and on disk.

    The name of a file is a hash of the tower's weights, the boxes and the number of views, so that
    embeddings of another tower are never read.

    Args:
        clip: Its image tower is frozen.
        data: The boxes.
        crops: Cuts them.
        folder: Where one file per source is kept.
        views: Random crops of each box.
        seed: Of the run; draws the view at a visit.
        megabytes: Most memory of one source.

    Raises:
        InputError: A source needs more memory, or a file is damaged.
    """

    def __init__(
        self,
        clip: Clip,
        data: BaseData,
        crops: BoxCropper,
        folder: Path,
        *,
        views: int,
        seed: int,
        megabytes: int = MEGABYTES,
    ):
        self.seed, self.views = seed, views
        tower = tower_hash(clip)
        self.tables: dict[str, Tensor] = {}
        for name, boxes in ((DETECTION, data.detection), (ATTRIBUTES, data.attributes)):
            needed = views * len(boxes) * clip.embed_dim * 2 / 2**20
            if needed > megabytes:
                raise InputError(
                    f"{views} cached views of {len(boxes):,} {name} boxes need {needed:,.0f} "
                    f"MB, more than {megabytes}; "
                    "lower cached_views, or set it to 0 to cut crops at every visit"
                )
            self.tables[name] = _read_or_embed(clip, boxes, crops, folder, views, tower)

    def __call__(self, keys: Sequence[tuple[int, str, int]]) -> Tensor:
        """One of the views of each box.

        Args:
            keys: (iteration, source, index) of R boxes of one iteration.

        Returns:
            (R, D) float32.
        """
        generator = seeded(self.seed, 2, keys[0][0])
        views = torch.randint(self.views, (len(keys),), generator=generator).tolist()
        rows = [
            self.tables[source][view, index]
            for (_, source, index), view in zip(keys, views, strict=True)
        ]
        return torch.stack(rows).float()


def _read_or_embed(
    clip: Clip, boxes: TrainingBoxes, crops: BoxCropper, folder: Path, views: int, tower: str
) -> Tensor:
    digest = hashlib.sha256(repr(boxes.files).encode() + boxes.boxes.numpy().tobytes()).hexdigest()
    name = hashlib.sha256(f"{tower} {digest} {views}".encode()).hexdigest()[:16]
    path = folder / f"embeddings-{name}.safetensors"
    if path.is_file():
        try:
            return load_file(path)["embeddings"]
        except (SafetensorError, OSError, KeyError) as error:
            raise InputError(f"{path} is damaged ({error}); delete it, it is made again") from None
    table = embed_views(clip, boxes, crops, views)
    with whole_file(path) as unfinished:
        save_file({"embeddings": table}, unfinished)
    return table


@torch.no_grad()
def embed_views(clip: Clip, boxes: TrainingBoxes, crops: BoxCropper, views: int) -> Tensor:
    """Embed random crops of every box.

    Returns:
        (views, R, D) float16, L2-normalised.
    """
    table = torch.empty(views, len(boxes), clip.embed_dim, dtype=torch.float16)
    batches = [(view, start) for view in range(views) for start in range(0, len(boxes), BATCH)]
    for view, start in tqdm(batches, desc="embedding boxes", unit="batch", mininterval=2.0):
        rows = range(start, min(start + BATCH, len(boxes)))
        batch = crops.concatenate(
            [
                crops.random(boxes.files[i], boxes.boxes[i : i + 1], seeded(CACHE_SEED, view, i))
                for i in rows
            ]
        )
        embeddings = F.normalize(clip.encode_image(batch.to(clip.device)), dim=-1)
        table[view, rows.start : rows.stop] = embeddings.half().cpu()
    return table


def tower_hash(clip: Clip) -> str:
    """A hash of the name and all weights of the image tower."""
    digest = hashlib.sha256(clip.name.encode())
    for tensor in clip.model.visual.state_dict().values():
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
