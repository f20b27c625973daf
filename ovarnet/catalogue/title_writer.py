"""`load_title_writer`: draft titles of photos.

N photos.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ovarnet.catalogue.matcher import open_model
from ovarnet.catalogue.modeling.build import build_network
from ovarnet.catalogue.modeling.matcher import MatcherNetwork
from ovarnet.catalogue.modeling.title_writer import write_titles
from ovarnet.catalogue.modeling.wordpiece import TOKENIZER_FILE, WordPiece
from ovarnet.catalogue.photo_patches import PhotoPatches
from ovarnet.checkpoint import load_weights
from ovarnet.device import pick_device

if TYPE_CHECKING:
    from ovarnet.io.images import ImageLike

AT_ONCE = 64


class TitleWriter:
    """A model of stage `catalogue_captions`, ready to use.

    Args:
        network: Encoder and head of words, in evaluation mode.
        tokenizer: Of the titles.
        encode_images: Photos to patches.
        length: Most tokens of a title.
    """

    def __init__(
        self,
        network: MatcherNetwork,
        tokenizer: WordPiece,
        encode_images: PhotoPatches,
        length: int,
    ):
        self.network, self.tokenizer, self.encode_images = network, tokenizer, encode_images
        self.length = length

    def describe(self, images: Sequence[ImageLike]) -> list[str]:
        """Write a title for every photo.

        Args:
            images: N photos, as `ovarnet.io.images.read_image` takes them.

        Returns:
            N titles, in lower case.

        Raises:
            InputError: A photo cannot be read.
        """
        titles: list[str] = []
        for start in range(0, len(images), AT_ONCE):
            patches, places = self.encode_images(images[start : start + AT_ONCE])
            titles += write_titles(self.network, self.tokenizer, patches, places, self.length)
        return titles


def load_title_writer(
    folder: str | Path, *, device: str | torch.device | None = "auto"
) -> TitleWriter:
    """Open a model of stage `catalogue_captions`.

    Args:
        folder: Its checkpoint folder.
        device: A device, its name, or "auto" or None for the GPU when there is one, else the CPU.

    Raises:
        InputError: It is no such checkpoint, or its frozen network is missing.
    """
    place = pick_device(device)
    design, checkpoint = open_model(folder, "captions")
    network = build_network(design)
    load_weights(network, checkpoint.part("network"), checkpoint.folder / "network.safetensors")
    tokenizer = WordPiece.read(checkpoint.folder / TOKENIZER_FILE)
    patches = PhotoPatches(design, str(folder), place)
    network = network.to(place).eval().requires_grad_(False)
    return TitleWriter(network, tokenizer, patches, design.tokens)
