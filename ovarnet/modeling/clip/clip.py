"""CLIP as the rest of the package sees it: two towers, a tokenizer, and text given as embeddings.

N images or texts, D the joint embedding width, d the text tower's width. Weights and architectures
come from open_clip (https://github.com/mlfoundations/open_clip); the small `ovarnet-scenes`
architecture goes through the very same classes.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import open_clip
import torch
from open_clip.tokenizer import SimpleTokenizer
from open_clip.transformer import QuickGELU
from torch import Tensor, nn

from ovarnet.errors import InputError
from ovarnet.modeling.clip.concept_clip import resolve_concept_clip
from ovarnet.modeling.clip.weights import ClipSource, load_strictly, read_state_dict, resolve
from ovarnet.modeling.text.families import text_tower
from ovarnet.modeling.text.tower import BATCH, TextTower

open_clip.add_model_config(Path(__file__).parent / "configs")

MAX_LOGIT_SCALE = math.log(100)
"""CLIP's own bound on its temperature."""


def load_clip(name: str, pretrained: str | Path | None, *, random_weights: bool = False) -> Clip:
    """Load a CLIP, on the CPU, in evaluation mode, in float32.

    Args:
        name: an architecture of `open_clip.list_models()` or ours (`ovarnet-scenes`), or
            `local-dir:FOLDER` for a folder with open_clip_config.json, weights and tokenizer (what
            the Hub serves; `pretrained` is then None).
        pretrained: an open_clip tag of that architecture (`openai`, `laion2b_s34b_b79k`, ...;
            downloaded once, then read from the cache), or a local file: open_clip or OpenAI state
            dict (.pt, .bin), OpenAI's TorchScript archive, or .safetensors. A tag brings its own
            activation; a local file does not. OpenAI's weights (and some others, e.g. DFN and
            MetaCLIP) were trained with QuickGELU and need the `-quickgelu` name of the
            architecture.
        random_weights: the only way to get an untrained tower, and only with pretrained=None.

    Raises:
        InputError: an unknown name or tag, a missing, truncated or foreign file, weights that do
            not fit exactly or are not finite, or a tag that is neither in the cache nor reachable.
    """
    source: ClipSource | None = resolve_concept_clip(
        name, pretrained, random_weights=random_weights
    )
    if source is None:
        source = resolve(name, pretrained, random_weights=random_weights)
    tokenizer, model = source.tokenizer(), source.build()
    if source.file is not None:
        load_strictly(model, read_state_dict(source.file), source)
    return Clip(model.eval(), tokenizer, source)


class Clip(nn.Module):
    """Image and text tower with one joint space. Build it with `load_clip`.

    N images or texts, D the joint embedding width, d the text tower's width, S the side of the
    square crops that the image tower takes.

    Attributes:
        name: architecture.
        embed_dim: D.
        image_size: S, pixels.
        mean, std: three numbers each, used by `normalise`.
        context_length: most tokens of a text, special tokens included.
        text_tower: the text side on token embeddings, or None for a family that takes no
            learnable vectors (`ovarnet.modeling.text.families`).
    """

    model: Any  # an open_clip model, whose parts have no types
    exported_text_key: str | None = None
    """The key of stored words, where the text tower itself is not here but in an ONNX file."""

    def __init__(self, model: nn.Module, tokenizer, source: ClipSource):
        super().__init__()
        self.model = model
        self.name = source.name
        self.embed_dim: int = source.config["embed_dim"]
        size = self.model.visual.image_size
        self.image_size: int = size if isinstance(size, int) else size[0]
        self.context_length: int = source.config["text_cfg"].get("context_length", 77)
        self.mean, self.std = source.mean, source.std
        self.tokenizer = tokenizer
        self.text_tower = text_tower(model, tokenizer, self.context_length)

    def __deepcopy__(self, memo: dict[int, Any]) -> Clip:
        """A copy with its own weights and the same tokenizer.

        Stages copy their model for its running average, and a copy of the tokenizer's tables takes
        longer than one of the weights.
        """
        memo[id(self.tokenizer)] = self.tokenizer
        copied = self.__class__.__new__(self.__class__)
        memo[id(self)] = copied
        copied.__setstate__(copy.deepcopy(self.__dict__, memo))
        return copied

    @property
    def device(self) -> torch.device:
        """Where the towers are."""
        return self.logit_scale.device

    @property
    def logit_scale(self) -> nn.Parameter:
        """theta: logits are exp(theta) * cosine."""
        return self.model.logit_scale

    @property
    def quick_gelu(self) -> bool:
        """Whether the towers have OpenAI's activation, which no weight tells."""
        return any(isinstance(module, QuickGELU) for module in self.model.modules())

    @torch.no_grad()
    def bound_logit_scale(self) -> None:
        """Clamp theta to CLIP's bound; called after every training step that moves it."""
        self.logit_scale.clamp_(0, MAX_LOGIT_SCALE)

    def forward(self, pixels: Tensor) -> Tensor:
        """Same as `encode_image`."""
        return self.encode_image(pixels)

    # Images

    def normalise(self, pixels: Tensor) -> Tensor:
        """(N, 3, H, W) RGB in [0, 1] -> normalised by the CLIP's mean and std."""
        return (pixels - pixels.new_tensor(self.mean).view(3, 1, 1)) / pixels.new_tensor(
            self.std
        ).view(3, 1, 1)

    def encode_image(self, pixels: Tensor) -> Tensor:
        """Embeddings of square crops.

        Args:
            pixels: normalised crops (N, 3, S, S), on the CLIP's device. N may be 0.

        Returns:
            (N, D), not L2-normalised.

        Raises:
            InputError: crops of another size.
        """
        if tuple(pixels.shape[-2:]) != (self.image_size, self.image_size):
            raise InputError(
                f"{self.name} encodes crops of {self.image_size} x {self.image_size} pixels; got "
                f"{tuple(pixels.shape[-2:])}"
            )
        if not len(pixels):
            return pixels.new_zeros(0, self.embed_dim)
        return self.model.encode_image(pixels)

    # Text

    def require_text_tower(self) -> TextTower:
        """The text tower; InputError where its family takes no learnable vectors."""
        if self.text_tower is None:
            raise InputError(
                f"the text tower of {self.name} takes no learnable vectors; use template prompts, "
                "or a CLIP such as ViT-B-16"
            )
        return self.text_tower

    def tokenize(self, strings: Sequence[str]) -> list[list[int]]:
        """Token ids of each string, without special tokens, whatever the length."""
        return self.require_text_tower().tokenize(strings)

    def encode_sequences(
        self, sequences: Sequence[Sequence[int]], vectors: Tensor | None = None
    ) -> Tensor:
        """Features (N, D) of whole prompts given as token ids; see `TextTower.encode_sequences`."""
        return self.require_text_tower().encode_sequences(sequences, vectors)

    def encode_text(self, strings: Sequence[str], *, truncate: bool = False) -> Tensor:
        """Embeddings of plain texts.

        Args:
            strings: N texts; N may be 0.
            truncate: cut texts that are too long (captions) instead of refusing them.

        Returns:
            (N, D), not L2-normalised.

        Raises:
            InputError: a text of more than `context_length` tokens, unless `truncate`.
        """
        if not len(strings):
            return self.logit_scale.new_zeros(0, self.embed_dim)
        if self.text_tower is None:
            return self._encode_text_by_open_clip(strings, truncate)
        tower = self.text_tower
        tokens = tower.tokenize(strings)
        if not truncate:
            special = len(tower.start) + len(tower.end)
            self._check_lengths(strings, [len(ids) + special for ids in tokens])
        return tower.encode_sequences([tower.whole(ids) for ids in tokens])

    # Parts that training freezes or trains separately

    @property
    def token_embedding(self) -> nn.Embedding:
        """The token embedding table, frozen while prompts and tower learn (method 2.3)."""
        return self.require_text_tower().token_embedding

    @property
    def text_width(self) -> int:
        """Width d of the token embeddings."""
        return self.require_text_tower().width

    def image_parameters(self) -> Iterator[nn.Parameter]:
        """Parameters of the image tower."""
        return self.model.visual.parameters()

    def text_parameters(self) -> Iterator[nn.Parameter]:
        """Parameters of the text side, without the token embedding table."""
        table = None if self.text_tower is None else self.text_tower.token_embedding.weight
        return (
            tensor
            for tensor in self.text_tensors()
            if isinstance(tensor, nn.Parameter) and tensor is not table
        )

    def text_tensors(self) -> list[Tensor]:
        """All tensors a text embedding depends on: parameters and persistent buffers."""
        state: dict[str, Tensor] = dict(self.model.named_parameters(recurse=False))
        for name, child in self.model.named_children():
            if name != "visual":
                child.state_dict(destination=state, prefix=f"{name}.", keep_vars=True)
        return [
            tensor for name, tensor in state.items() if name not in ("logit_scale", "logit_bias")
        ]

    def _encode_text_by_open_clip(self, strings: Sequence[str], truncate: bool) -> Tensor:
        """For towers of another family; their tokenizers cut silently, so lengths are checked."""
        if not truncate:
            bpe = isinstance(self.tokenizer, SimpleTokenizer)
            self._check_lengths(
                strings,
                [
                    len(self.tokenizer.encode(string)) + 2
                    if bpe
                    else len(self.tokenizer.tokenizer(string).input_ids)
                    for string in strings
                ],
            )
        batches = [list(strings[i : i + BATCH]) for i in range(0, len(strings), BATCH)]
        return torch.cat(
            [self.model.encode_text(self.tokenizer(batch).to(self.device)) for batch in batches]
        )

    def _check_lengths(self, strings: Sequence[str], lengths: list[int]) -> None:
        for string, needed in zip(strings, lengths, strict=True):
            if needed > self.context_length:
                shown = string if len(string) <= 60 else string[:57] + "..."
                raise InputError(
                    f"the text {shown!r} needs {needed} tokens and {self.name} reads "
                    f"{self.context_length}; shorten it"
                )
