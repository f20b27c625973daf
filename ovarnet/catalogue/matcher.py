"""`ovarnet.load_matcher`: scores of titles and photos, a pair at a time.

N pairs, P patches, D width of a patch feature.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ovarnet.catalogue.modeling.build import build_network
from ovarnet.catalogue.modeling.matcher import MatcherNetwork
from ovarnet.catalogue.modeling.wordpiece import TOKENIZER_FILE, WordPiece
from ovarnet.catalogue.photo_patches import PhotoPatches
from ovarnet.catalogue.pretext.patch_tasks import MATCH
from ovarnet.catalogue.training.matcher_data import pad_texts
from ovarnet.checkpoint import Checkpoint, load_checkpoint, load_weights
from ovarnet.config import build_settings
from ovarnet.config.catalogue_bert import MatcherDesign
from ovarnet.device import pick_device
from ovarnet.errors import InputError

if TYPE_CHECKING:
    from ovarnet.io.images import ImageLike

PAIRS_AT_ONCE = 128


class Matcher:
    """FashionBERT or Kaleido-BERT, ready to use.

    Args:
        network: Encoder and heads, in evaluation mode.
        tokenizer: Of titles and queries.
        encode_images: Photos to patch features (N, P, D) and locations (N, P, 5).
        design: Of the checkpoint.

    Attributes:
        device: Where the network is.
    """

    def __init__(
        self,
        network: MatcherNetwork,
        tokenizer: WordPiece,
        encode_images: PhotoPatches,
        design: MatcherDesign,
    ):
        self.network, self.tokenizer, self.design = network, tokenizer, design
        self.encode_images = encode_images
        self.device = next(network.parameters()).device

    def score(
        self,
        titles: Sequence[str],
        images: Sequence[ImageLike],
        queries: Sequence[str] | None = None,
    ) -> Tensor:
        """Probability that each photo shows the product of its title.

        Args:
            titles: N.
            images: N photos, as `ovarnet.io.images.read_image` takes them.
            queries: N texts that customers typed, which should fit too; None: no queries.

        Returns:
            (N,) float32 in [0, 1], on the CPU.

        Raises:
            InputError: Lists of different lengths, or a photo that cannot be read.
        """
        if len(titles) != len(images) or (queries is not None and len(queries) != len(titles)):
            counts = f"{len(titles)} titles and {len(images)} images"
            counts += f" and {len(queries)} queries" if queries is not None else ""
            raise InputError(f"there are {counts}; give one of each for every pair")
        scores = []
        for start in range(0, len(titles), PAIRS_AT_ONCE):
            part = slice(start, start + PAIRS_AT_ONCE)
            patches, locations = self.encode_images(images[part])
            asked = None if queries is None else queries[part]
            scores.append(self.score_features(titles[part], patches, locations, asked))
        return torch.cat(scores) if scores else torch.zeros(0)

    def score_features(
        self,
        titles: Sequence[str],
        patches: Tensor,
        locations: Tensor,
        queries: Sequence[str] | None = None,
    ) -> Tensor:
        """As `score`, for photos that `encode_images` encoded.

        Args:
            titles: N.
            patches: (N, P, D).
            locations: (N, P, 5).
            queries: N, or None.

        Returns:
            (N,) float32 on the CPU.
        """
        scores = []
        for start in range(0, len(titles), PAIRS_AT_ONCE):
            part = slice(start, start + PAIRS_AT_ONCE)
            asked: Sequence[str | None] = [None] * len(titles[part])
            if queries is not None:
                asked = queries[part]
            tokens = [
                self.tokenizer.encode(title, query, self.design.tokens)
                for title, query in zip(titles[part], asked, strict=True)
            ]
            text = pad_texts(
                [found.ids for found in tokens],
                [found.segments for found in tokens],
                self.tokenizer.pad,
            ).to(self.device)
            matched = self.network.match(
                text.ids,
                text.segments,
                text.padding,
                patches[part].to(self.device),
                locations[part].to(self.device),
            )
            scores.append(matched.cpu())
        return torch.cat(scores) if scores else torch.zeros(0)


def load_matcher(folder: str | Path, *, device: str | torch.device | None = "auto") -> Matcher:
    """Open a trained matcher.

    Args:
        folder: The checkpoint folder of stage `catalogue_matcher`.
        device: A device, its name, or "auto" or None for the GPU when there is one, else the CPU.

    Raises:
        InputError: It is no such checkpoint, was trained without the task "match", or the frozen
            network that made its patches is missing or has other weights.
    """
    place = pick_device(device)
    network, design, checkpoint = load_network(folder)
    if MATCH not in design.tasks:
        raise InputError(
            f"{folder} was trained without the task {MATCH}, so it cannot score pairs; train it "
            f"with tasks=[{MATCH},...]"
        )
    tokenizer = WordPiece.read(checkpoint.folder / TOKENIZER_FILE)
    patches = PhotoPatches(design, str(folder), place)
    return Matcher(network.to(place).eval(), tokenizer, patches, design)


def load_network(folder: str | Path) -> tuple[MatcherNetwork, MatcherDesign, Checkpoint]:
    """Network, design and checkpoint of a trained matcher, on the CPU.

    Raises:
        InputError: It is no checkpoint of a matcher.
    """
    design, checkpoint = open_model(folder, "matcher")
    network = build_network(design)
    load_weights(network, checkpoint.part("network"), checkpoint.folder / "network.safetensors")
    return network.requires_grad_(False), design, checkpoint


def open_model(folder: str | Path, kind: str) -> tuple[MatcherDesign, Checkpoint]:
    """The checkpoint of a matcher, or of a model fine-tuned from one, and its design.

    Args:
        folder: Of the checkpoint.
        kind: "matcher", "labels" or "captions".

    Raises:
        InputError: It holds a model of another kind.
    """
    checkpoint = load_checkpoint(folder)
    if checkpoint.model != kind:
        raise InputError(
            f"{folder} holds a model of kind {checkpoint.model!r}; give the checkpoint of a run of "
            f"stage catalogue_{kind}"
        )
    given = checkpoint.settings["matcher"]
    return build_settings(MatcherDesign, given, f"{folder}: matcher"), checkpoint
