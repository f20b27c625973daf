"""`load_tagger`: label values of photos, from the columns that a model was fine-tuned on.

N products.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ovarnet.catalogue.matcher import open_model
from ovarnet.catalogue.modeling.build import build_network
from ovarnet.catalogue.modeling.heads import LabelHeads
from ovarnet.catalogue.modeling.wordpiece import TOKENIZER_FILE, WordPiece
from ovarnet.catalogue.photo_patches import PhotoPatches
from ovarnet.catalogue.training.labels import LabelModel
from ovarnet.catalogue.training.matcher_data import pad_texts
from ovarnet.checkpoint import load_weights
from ovarnet.config.catalogue_bert import MatcherDesign
from ovarnet.device import pick_device
from ovarnet.errors import InputError

if TYPE_CHECKING:
    from ovarnet.io.images import ImageLike

AT_ONCE = 64


class Tagger:
    """A model of stage `catalogue_labels`, ready to use.

    Args:
        model: Encoder and classifiers, in evaluation mode.
        tokenizer: Of titles.
        encode_images: Photos to patches.
        design: Of the checkpoint.
        values: Column -> its values.
    """

    def __init__(
        self,
        model: LabelModel,
        tokenizer: WordPiece,
        encode_images: PhotoPatches,
        design: MatcherDesign,
        values: Mapping[str, Sequence[str]],
    ):
        self.model, self.tokenizer, self.encode_images = model, tokenizer, encode_images
        self.design, self.values = design, dict(values)

    @torch.no_grad()
    def tag(
        self, images: Sequence[ImageLike], titles: Sequence[str] | None = None
    ) -> list[dict[str, tuple[str, float]]]:
        """Most probable value of every column.

        Args:
            images: N photos, as `ovarnet.io.images.read_image` takes them.
            titles: N titles, which are read too; None: the photo alone.

        Returns:
            For each photo column -> (value, probability).

        Raises:
            InputError: Lists of different lengths, or a photo that cannot be read.
        """
        if titles is not None and len(titles) != len(images):
            raise InputError(
                f"there are {len(titles)} titles and {len(images)} images; give one for every photo"
            )
        tags: list[dict[str, tuple[str, float]]] = []
        for start in range(0, len(images), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            patches, locations = self.encode_images(images[part])
            texts = [""] * len(patches) if titles is None else titles[part]
            tokens = [self.tokenizer.encode(text, None, self.design.tokens) for text in texts]
            text = pad_texts(
                [found.ids for found in tokens],
                [found.segments for found in tokens],
                self.tokenizer.pad,
            ).to(patches.device)
            encoded = self.model.encoder(text.ids, text.segments, text.padding, patches, locations)
            best = {
                column: logits.softmax(dim=1).max(dim=1)
                for column, logits in self.model.heads(encoded.pooled).items()
            }
            tags += [
                {
                    column: (self.values[column][int(found.indices[row])], float(found.values[row]))
                    for column, found in best.items()
                }
                for row in range(len(patches))
            ]
        return tags


def load_tagger(folder: str | Path, *, device: str | torch.device | None = "auto") -> Tagger:
    """Open a model of stage `catalogue_labels`.

    Args:
        folder: Its checkpoint folder.
        device: A device, its name, or "auto" or None for the GPU when there is one, else the CPU.

    Raises:
        InputError: It is no such checkpoint, or its frozen network is missing.
    """
    place = pick_device(device)
    design, checkpoint = open_model(folder, "labels")
    values = checkpoint.settings["labels"]
    heads = LabelHeads(design.hidden, {column: len(found) for column, found in values.items()})
    model = LabelModel(build_network(design).encoder, heads)
    for name, part in (("encoder", model.encoder), ("heads", model.heads)):
        load_weights(part, checkpoint.part(name), checkpoint.folder / f"{name}.safetensors")
    tokenizer = WordPiece.read(checkpoint.folder / TOKENIZER_FILE)
    patches = PhotoPatches(design, str(folder), place)
    model = model.to(place).eval().requires_grad_(False)
    return Tagger(model, tokenizer, patches, design, values)
