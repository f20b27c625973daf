"""CLIP as the rest of the package sees it: two towers, a tokenizer, and text given as embeddings.

N images or texts, D the joint embedding width, d the text tower's width. Weights and architectures
come from open_clip (https://github.com/mlfoundations/open_clip); the small `ovarnet-scenes`
architecture goes through the very same classes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import open_clip
import torch
from open_clip.tokenizer import SimpleTokenizer
from torch import Tensor, nn

from ovarnet.errors import InputError
from ovarnet.modeling.clip.weights import ClipSource, load_strictly, read_state_dict, resolve
from ovarnet.modeling.text import tower as text_tower

open_clip.add_model_config(Path(__file__).parent / "configs")

MAX_LOGIT_SCALE = math.log(100)
"""CLIP's own bound on its temperature."""


def load_clip(name: str, pretrained: str | Path | None, *, random_weights: bool = False) -> Clip:
    """The CLIP `name` with weights, on the CPU, in eval mode, in float32.

    name: an architecture of `open_clip.list_models()` or ours (`ovarnet-scenes`), or
        `local-dir:FOLDER` for a folder with open_clip_config.json, weights and tokenizer (what the
        Hub serves; `pretrained` is then None).
    pretrained: an open_clip tag of that architecture (`openai`, `laion2b_s34b_b79k`, ...;
        downloaded once, then read from the cache), or a local file: open_clip or OpenAI state dict
        (.pt, .bin), OpenAI's TorchScript archive, or .safetensors. A tag brings its own activation.
        For a local file YOU say it: OpenAI's weights (and some others, e.g. DFN and MetaCLIP) were
        trained with QuickGELU and want the `-quickgelu` name of the architecture.
    random_weights: the only way to get an untrained tower, and only with pretrained=None.

    Weights must fit exactly. Raises InputError for an unknown name or tag, a missing, truncated or
    foreign file, weights of another architecture, or a tag that is neither in the cache nor can be
    fetched.
    """
    source = resolve(name, pretrained, random_weights=random_weights)
    tokenizer, model = source.tokenizer(), source.build()
    if source.file is not None:
        load_strictly(model, read_state_dict(source.file), source)
    return Clip(model.eval(), tokenizer, source)


class Clip(nn.Module):
    """Image and text tower with one joint space. Build it with `load_clip`.

    name: architecture. embed_dim: D. image_size: side S of the square crops `encode_image` takes.
    mean, std: three numbers each, of `normalise`. context_length: most tokens of a text, [SOT] and
    [EOT] included. text_width: d. sot, eot: ids.
    """

    def __init__(self, model: nn.Module, tokenizer, source: ClipSource):
        super().__init__()
        self.model = model
        self.name = source.name
        self.embed_dim: int = source.config["embed_dim"]
        size = model.visual.image_size
        self.image_size: int = size if isinstance(size, int) else size[0]
        self.context_length: int = source.config["text_cfg"].get("context_length", 77)
        self.mean, self.std = source.mean, source.std
        self.tokenizer = tokenizer
        self.takes_embeddings = text_tower.takes_embeddings(model, tokenizer)
        self.sot: int | None = getattr(tokenizer, "sot_token_id", None)
        self.eot: int | None = getattr(tokenizer, "eot_token_id", None)

    @property
    def device(self) -> torch.device:
        return self.logit_scale.device

    @property
    def logit_scale(self) -> nn.Parameter:
        """theta: logits are exp(theta) * cosine."""
        return self.model.logit_scale

    @torch.no_grad()
    def bound_logit_scale(self) -> None:
        """What every training step that moves theta does after it."""
        self.logit_scale.clamp_(0, MAX_LOGIT_SCALE)

    # Images

    def normalise(self, pixels: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1], RGB -> CLIP-normalised."""
        return (pixels - pixels.new_tensor(self.mean).view(3, 1, 1)) / pixels.new_tensor(
            self.std
        ).view(3, 1, 1)

    def encode_image(self, pixels: Tensor) -> Tensor:
        """Normalised square crops (N, 3, S, S) -> pooled embeddings (N, D), not L2-normalised. N
        may be 0.
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

    def tokenize(self, strings: Sequence[str]) -> list[list[int]]:
        """BPE ids of each string, without [SOT] and [EOT], whatever the length."""
        self._require_embeddings()
        return [self.tokenizer.encode(string) for string in strings]

    def encode_embeddings(self, embeddings: Tensor, ends: Tensor) -> Tensor:
        """Prompts (N, L, d) read at `ends` (N,) -> (N, D), not L2-normalised. L <= context_length;
        N may be 0.
        """
        self._require_embeddings()
        return text_tower.encode_embeddings(self.model, embeddings, ends)

    def encode_sequences(
        self, sequences: Sequence[Sequence[int]], vectors: Tensor | None = None
    ) -> Tensor:
        """Whole prompts [SOT] ... [EOT] as ids -> (N, D), not L2-normalised; a negative id ~k
        stands for `vectors[k]` (K, d).
        """
        self._require_embeddings()
        return text_tower.encode_sequences(self.model, sequences, vectors)

    def encode_text(self, strings: Sequence[str], *, truncate: bool = False) -> Tensor:
        """Plain texts -> (N, D), not L2-normalised. Too long a text is an InputError, or is cut
        when `truncate` (captions).
        """
        if not len(strings):
            return self.logit_scale.new_zeros(0, self.embed_dim)
        if not self.takes_embeddings:
            return self._encode_text_as_open_clip(strings, truncate)
        tokens = self.tokenize(strings)
        if not truncate:
            self._check_lengths(strings, [len(ids) + 2 for ids in tokens])
        return self.encode_sequences(
            [[self.sot, *ids[: self.context_length - 2], self.eot] for ids in tokens]
        )

    # Parts that training freezes or trains separately

    @property
    def token_embedding(self) -> nn.Embedding:
        """The token embedding table, which stays frozen while prompts and the rest of the tower
        learn (method 2.3).
        """
        self._require_embeddings()
        return text_tower.text_module(self.model).token_embedding

    @property
    def text_width(self) -> int:
        return self.token_embedding.embedding_dim

    def image_parameters(self) -> Iterator[nn.Parameter]:
        return self.model.visual.parameters()

    def text_parameters(self) -> Iterator[nn.Parameter]:
        """Transformer, positional embedding, final LayerNorm and projection: the text side without
        the token embedding table.
        """
        table = self.token_embedding.weight if self.takes_embeddings else None
        return (
            tensor
            for tensor in self.text_tensors()
            if isinstance(tensor, nn.Parameter) and tensor is not table
        )

    def text_tensors(self) -> list[Tensor]:
        """Every tensor a text embedding depends on, the token embedding table included: parameters
        and persistent buffers.
        """
        state = dict(self.model.named_parameters(recurse=False))
        for name, child in self.model.named_children():
            if name != "visual":
                child.state_dict(destination=state, prefix=f"{name}.", keep_vars=True)
        return [
            tensor for name, tensor in state.items() if name not in ("logit_scale", "logit_bias")
        ]

    def _encode_text_as_open_clip(self, strings: Sequence[str], truncate: bool) -> Tensor:
        """For towers of another kind (SigLIP, BERT, ...). open_clip's tokenizers cut silently, so
        lengths are counted beforehand.
        """
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
        batches = [
            list(strings[i : i + text_tower.BATCH])
            for i in range(0, len(strings), text_tower.BATCH)
        ]
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

    def _require_embeddings(self) -> None:
        if not self.takes_embeddings:
            raise InputError(
                f"the text tower of {self.name} is not CLIP's causal one and takes no learnable "
                "vectors; use template "
                "prompts, or a CLIP such as ViT-B-16"
            )
