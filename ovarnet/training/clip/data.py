"""Batches of the stage "clip": images, each with one of its captions.

N images of a batch, S side of the image tower's input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import Dataset
from tqdm import tqdm

from ovarnet.data.captions import CaptionedImage
from ovarnet.errors import InputError
from ovarnet.io.images import read_image, to_pixels
from ovarnet.io.skipped import Skipped
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.crops import crop_boxes
from ovarnet.training.data.batch import TensorBatch

BYTES_PER_NUMBER = 2
"""Images are kept as float16."""


@dataclass
class CaptionPairBatch(TensorBatch):
    """Image-caption pairs.

    Attributes:
        images: (N, 3, S, S) float32, normalised.
        tokens: N lists of token ids, without start and end.
    """

    images: Tensor
    tokens: list[list[int]]


class CaptionPairDataset(Dataset):
    """Images at the tower's input size; one caption of each is drawn at every visit.

    Images are letterboxed (method section 2.2): the aspect is kept, and zeros after normalisation
    fill the square. Where all of them fit into memory they are read once, and those that cannot be
    read are left out and logged. A larger corpus is read at every visit; an image that cannot be
    read then ends the run.

    Args:
        images: With at least one caption each.
        clip: Gives input size, normalisation and tokenizer.
        seed: Of the run; captions and flips are drawn from it.
        megabytes: Most memory of the images.
        flip: Whether half of the images of a batch are flipped horizontally.

    Raises:
        InputError: None of the images can be read.
    """

    def __init__(
        self,
        images: Sequence[CaptionedImage],
        clip: Clip,
        *,
        seed: int,
        megabytes: int = 4096,
        flip: bool = True,
    ):
        self.flip = flip
        self.seed, self.size, self.mean, self.std = seed, clip.image_size, clip.mean, clip.std
        self.records = list(images)
        self.pixels: Tensor | None = None
        if len(images) * 3 * self.size**2 * BYTES_PER_NUMBER <= megabytes * 2**20:
            self.pixels, self.records = self._read_all(images)
        self.tokens = [clip.tokenize(record.captions) for record in self.records]

    def __len__(self) -> int:
        return len(self.records)

    def __getitems__(self, keys: Sequence[tuple[int, int]]) -> CaptionPairBatch:
        """The batch of (iteration, index) keys, the same each time."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + keys[0][0])
        rows = [index for _, index in keys]
        if self.pixels is None:
            images = torch.stack([self._read(self.records[row]) for row in rows])
        else:
            images = self.pixels[rows].float()
        flipped = torch.rand(len(keys), generator=generator) < 0.5
        if self.flip:
            images[flipped] = images[flipped].flip(-1)

        draws = torch.rand(len(keys), generator=generator).tolist()
        tokens = [
            self.tokens[row][int(draw * len(self.tokens[row]))]
            for row, draw in zip(rows, draws, strict=True)
        ]
        return CaptionPairBatch(images, tokens)

    def _read_all(self, images: Sequence[CaptionedImage]) -> tuple[Tensor, list[CaptionedImage]]:
        """All images that can be read, (N, 3, S, S) float16, and their records."""
        pixels = torch.empty(len(images), 3, self.size, self.size, dtype=torch.float16)
        kept: list[CaptionedImage] = []
        broken = Skipped()
        for record in tqdm(images, desc="reading images", unit="image", mininterval=2.0):
            try:
                pixels[len(kept)] = self._read(record)
                kept.append(record)
            except InputError as error:
                broken.add("image unreadable", str(error))
        broken.log("images with captions")
        if not kept:
            raise InputError(f"none of the {len(images)} images can be read: {broken}")
        return pixels[: len(kept)], kept

    def _read(self, record: CaptionedImage) -> Tensor:
        """(3, S, S) float32, normalised."""
        pixels = to_pixels(read_image(record.file))
        whole = torch.tensor([[0.0, 0.0, pixels.shape[2], pixels.shape[1]]])
        return crop_boxes(pixels, whole, self.size, self.mean, self.std, enlarge=0.0)[0]
