"""Which parts of CLIP-Attr learn, how fast, and how a trained one is saved.

Parts are named by module (`ovarnet.config.settings.TrainedParts`), never by what a parameter's name
contains.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from ovarnet.build import (
    build_proposer,
    checkpoint_prompts,
    find_proposer,
    load,
    open_clip_tower,
    proposer_clip,
    proposer_kind,
)
from ovarnet.checkpoint import Checkpoint, load_checkpoint, load_weights, save_checkpoint
from ovarnet.config.settings import ClipAttrTraining, ClipSettings, Optimisation, TrainedParts
from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import Clip, load_clip
from ovarnet.modeling.clip_attr import ClipAttr
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.prompts import LearnedPrompts
from ovarnet.training.engine.schedule import parameter_groups
from ovarnet.vocabulary import Vocabulary


class TrainableClipAttr(nn.Module):
    """CLIP and text classifier in training. Everything without a learning rate is frozen; BatchNorm
    always keeps CLIP's statistics.

    clip and classifier: as in `ClipAttr`, the classifier with a bias. own: a module of the stage
    alone; it learns at the full rate.
    """

    def __init__(
        self,
        clip: Clip,
        classifier: TextClassifier,
        parts: TrainedParts,
        own: nn.Module | None = None,
    ):
        super().__init__()
        clip.to(
            memory_format=torch.channels_last
        )  # convolutions of the image tower take half the time on a CPU
        self.clip, self.classifier, self.parts, self.own = clip, classifier, parts, own
        self.requires_grad_(False)
        for parameters, rate in self._parts():
            for parameter in parameters:
                parameter.requires_grad_(rate > 0)
        if not any(parameter.requires_grad for parameter in self.parameters()):
            raise InputError("trained: every part has rate 0; nothing would learn")

    def groups(self, settings: Optimisation) -> list[dict]:
        """The optimiser's groups: each part at its share of the learning rate."""
        return [
            group
            for parameters, rate in self._parts()
            if rate > 0
            for group in parameter_groups(
                nn.ParameterList(parameters), settings.lr * rate, settings.weight_decay
            )
        ]

    def train(self, mode: bool = True) -> TrainableClipAttr:
        """Towers stay in eval mode, frozen or not: the small ones have BatchNorm, and neither has
        dropout.
        """
        super().train(mode)
        self.clip.eval()
        return self

    def bound_temperature(self) -> None:
        self.clip.bound_logit_scale()

    def _parts(self) -> list[tuple[list[nn.Parameter], float]]:
        parts = self.parts
        return [
            (list(self.classifier.prompts.parameters()), parts.prompts),
            (list(self.clip.text_parameters()), parts.text_tower),
            (list(self.clip.image_parameters()), parts.image_tower),
            ([self.clip.logit_scale], parts.scale),
            ([self.classifier.bias], parts.bias),
            (list(self.own.parameters()) if self.own else [], 1.0),
        ]


def open_clip_attr(folder: str | Path) -> tuple[Clip, TextClassifier, Checkpoint]:
    """The trained parts of a CLIP-Attr folder with learned prompts, to go on training. Raises
    InputError when it has none.
    """
    checkpoint = load_checkpoint(folder)
    if checkpoint.model != "clip-attr" or "vectors" not in checkpoint.settings.get("prompts", {}):
        raise InputError(
            f"{folder} is not CLIP-Attr with learned prompts; train step I first: ovarnet train "
            "configs/.../clip_attr.yaml"
        )
    clip = load_clip(checkpoint.settings["clip"]["name"], None, random_weights=True)
    load_weights(clip.model, checkpoint.part("clip"), checkpoint.folder / "clip.safetensors")
    prompts = checkpoint_prompts(checkpoint, clip)
    return (
        clip,
        TextClassifier(clip, prompts, bias=checkpoint.settings["calibration"]["category"][1]),
        checkpoint,
    )


def save_clip_attr(
    folder: Path,
    clip: Clip,
    classifier: TextClassifier,
    vocabulary: Vocabulary,
    proposer: Checkpoint,
    training: dict,
) -> Path:
    """Write the folder that `ovarnet.load` opens; `proposer` is the folder that holds the
    proposer's weights.
    """
    prompts: LearnedPrompts = classifier.prompts
    both = [clip.logit_scale.exp().item(), classifier.bias.item()]
    settings = {
        "clip": {"name": clip.name},
        "proposer": proposer_settings(proposer),
        "prompts": {"vectors": list(prompts.counts), "parent_type": prompts.parent_type},
        "calibration": {"category": both, "attribute": both},
        "training": training,
    }
    return save_checkpoint(
        folder,
        model="clip-attr",
        settings=settings,
        vocabulary=vocabulary,
        parts={
            "clip": clip.model.state_dict(),
            "prompts": prompts.state_dict(),
            "proposer": proposer.part("proposer"),
        },
    )


def open_proposer_checkpoint(folder: str | Path) -> Checkpoint:
    """A proposer's (or a whole model's) folder or shipped name, checked to hold what it says before
    an hour of training.
    """
    checkpoint = load_checkpoint(find_proposer(str(folder)))
    load_weights(
        build_proposer(proposer_kind(checkpoint), ClipSettings(proposer_clip(checkpoint))),
        checkpoint.part("proposer"),
        folder,
    )
    return checkpoint


def proposer_settings(proposer: Checkpoint) -> dict[str, str | None]:
    """How a whole model's folder describes the proposer that it takes over from the folder
    `proposer`.
    """
    return {"kind": proposer.settings["proposer"]["kind"], "clip": proposer_clip(proposer)}


def start_clip_attr(config: ClipAttrTraining) -> tuple[Clip, TextClassifier, Checkpoint, bool]:
    """What step I begins with: CLIP, classifier with a bias, the proposer's folder, and whether
    prompts and bias are learned ones.
    """
    if config.start is None:
        if config.clip is None or config.proposer is None:
            raise InputError(
                "stage clip_attr: give `start`, a CLIP-Attr to go on from, or both `clip` and "
                "`proposer`"
            )
        clip, proposer, learned, bias = open_clip_tower(config.clip), config.proposer, None, 0.0
    else:
        if config.clip is not None:
            raise InputError(
                "stage clip_attr: `start` brings its own CLIP; leave `clip` out, or leave "
                "`start` out"
            )
        is_stock = config.start.startswith("clip-attr:")
        model = load(
            config.start, proposer=(config.proposer or "scenes") if is_stock else None, device="cpu"
        )
        if not isinstance(model, ClipAttr) or model.classifier.probe is not None:
            raise InputError(
                f"{config.start} is an OvarNet or has a linear probe; prompts learn in a "
                "CLIP-Attr without one. "
                'The stage "probe" starts from any model'
            )
        proposer = config.proposer or ("scenes" if is_stock else config.start)
        clip, learned = (
            model.clip,
            model.classifier.prompts
            if isinstance(model.classifier.prompts, LearnedPrompts)
            else None,
        )
        bias = 0.0 if learned is None else model.classifier.calibration[0, 1].item()
    torch.manual_seed(config.seed)
    prompts = learned or LearnedPrompts(
        clip.text_width, tuple(config.prompt_vectors), parent_type=config.parent_type
    )
    return (
        clip,
        TextClassifier(clip, prompts, bias=bias),
        open_proposer_checkpoint(proposer),
        learned is not None,
    )
