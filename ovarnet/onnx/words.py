"""The text side of an ONNX model: the package's prompts around an exported text tower."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import torch
from open_clip.tokenizer import SimpleTokenizer
from torch import Tensor, nn

from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.clip.concept_clip import resolve_concept_clip
from ovarnet.modeling.clip.weights import ClipSource, resolve
from ovarnet.modeling.text.bert_tower import hf_tokenize
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.prompts import LearnedPrompts, TemplatePrompts
from ovarnet.modeling.text.tower import TextTower
from ovarnet.onnx.session import Session
from ovarnet.onnx.settings import GraphSettings, TextSettings
from ovarnet.vocabulary import KINDS


class OnnxTextTower(TextTower):
    """An exported text tower, which takes token ids.

    Args:
        session: of the text graph.
        settings: of the text side.
        tokenizer: of the CLIP.
    """

    def __init__(self, session: Session, settings: TextSettings, tokenizer: Any):
        self.session, self.settings, self.tokenizer = session, settings, tokenizer
        self.start, self.end = tuple(settings.start), tuple(settings.end)
        self.context_length, self.pad_id = settings.context_length, settings.pad_id
        self.full_context = settings.full_context

    @property
    def width(self) -> int:
        """See `TextTower.width`."""
        return self.settings.width

    @property
    def device(self) -> torch.device:
        """See `TextTower.device`."""
        return torch.device("cpu")

    def tokenize(self, strings: Sequence[str]) -> list[list[int]]:
        """See `TextTower.tokenize`."""
        if isinstance(self.tokenizer, SimpleTokenizer):
            return [self.tokenizer.encode(string) for string in strings]
        return hf_tokenize(self.tokenizer, strings)

    def encode_ids(self, ids: Tensor, lengths: Tensor, vectors: Tensor | None) -> Tensor:  # noqa: ARG002
        """See `TextTower.encode_ids`; the learned vectors are in the graph."""
        if not len(ids):
            return torch.zeros(0, self.session.settings.embed_dim)
        tokens = torch.where(ids < 0, ~ids + self.settings.tokens, ids)
        return self.session(["embeddings"], {"tokens": tokens, "lengths": lengths})[0]

    def joint_concepts(self) -> Tensor | None:
        """See `TextClassifier.joint_concepts`."""
        if not self.settings.has_concepts:
            return None
        prompt = torch.tensor([[*self.start, *self.end]])
        lengths = torch.tensor([prompt.shape[1]])
        return self.session(["concepts"], {"tokens": prompt, "lengths": lengths})[0]

    def encode(self, embeddings: Tensor, lengths: Tensor) -> NoReturn:
        """Not possible: the token table is in the graph."""
        raise NotImplementedError("an exported text tower takes token ids")

    encode_whole = encode


class OnnxClip(Clip):
    """What prompts and crops need of a CLIP, from files.

    Args:
        settings: of the model.
        tower: None where the words are in the graph.
        crops: graph of CLIP-Attr's crop encoder; None for an OvarNet.
    """

    def __init__(
        self, settings: GraphSettings, tower: OnnxTextTower | None, crops: Session | None = None
    ):
        nn.Module.__init__(self)  # no towers are built
        self.model = nn.Module()
        self.model.register_module("visual", None)
        self.model.logit_scale = nn.Parameter(torch.tensor(settings.logit_scale))
        self.requires_grad_(False)
        self.name, self.embed_dim = settings.clip, settings.embed_dim
        self.text_tower, self.exported_text_key = tower, settings.text_key
        if tower is not None:
            self.context_length, self.tokenizer = tower.context_length, tower.tokenizer
        self._crops = crops
        if crops is not None:
            self.image_size = settings.image["size"]
            self.mean, self.std = tuple(settings.image["mean"]), tuple(settings.image["std"])

    def encode_image(self, pixels: Tensor) -> Tensor:
        """See `Clip.encode_image`."""
        if self._crops is None or not len(pixels):
            return pixels.new_zeros(0, self.embed_dim)
        return self._crops(["embeddings"], {"crops": pixels.cpu()})[0].to(pixels.device)

    def encode_text(self, strings: Sequence[str], *, truncate: bool = False) -> Tensor:
        """See `Clip.encode_text`; on the CLIP's device."""
        return super().encode_text(strings, truncate=truncate).to(self.device)

    def require_text_tower(self) -> TextTower:
        """The text tower; InputError where the words are in the graph."""
        if self.text_tower is None:
            raise InputError(
                "the words of this ONNX file are part of its graph; export the model without "
                "--words to name others"
            )
        return self.text_tower


class OnnxClassifier(TextClassifier):
    """The classifier of a model whose words are encoded by an exported text tower.

    Args:
        clip: encodes the words.
        prompts: of the model.
    """

    def __init__(self, clip: OnnxClip, prompts: TemplatePrompts | LearnedPrompts):
        super().__init__(clip, prompts)
        tower = clip.text_tower
        self._joint = tower.joint_concepts() if isinstance(tower, OnnxTextTower) else None

    def joint_concepts(self) -> Tensor | None:
        """See `TextClassifier.joint_concepts`."""
        return self._joint


def open_classifier(clip: OnnxClip, settings: GraphSettings) -> OnnxClassifier:
    """The classifier of a model whose words are encoded by `clip`."""
    classifier = OnnxClassifier(clip, _prompts(settings))
    for kind in KINDS:
        if kind in settings.calibration:
            classifier.calibrate(kind, *settings.calibration[kind])
    return classifier.eval()


def open_tower(session: Session) -> OnnxTextTower:
    """The text tower of a text graph, with the tokenizer of its CLIP.

    Raises:
        InputError: the tokenizer is not to be had, or it is no text graph.
    """
    settings = session.settings
    if settings.text is None:
        raise InputError(f"{session.path} holds no text tower; export the model again")
    source: ClipSource | None = resolve_concept_clip(settings.clip, None, random_weights=True)
    if source is None:
        source = resolve(settings.clip, None, random_weights=True)
    return OnnxTextTower(session, settings.text, source.tokenizer())


def _prompts(settings: GraphSettings) -> TemplatePrompts | LearnedPrompts:
    prompts = settings.prompts
    if "vectors" not in prompts:
        return TemplatePrompts(prompts["category"], prompts["attribute"])
    width = 0 if settings.text is None else settings.text.width
    # their values are in the graph; only their number is needed to write token ids
    return LearnedPrompts(width, tuple(prompts["vectors"]), parent_type=prompts["parent_type"])
