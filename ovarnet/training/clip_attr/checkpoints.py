"""CLIP-Attr checkpoint folders: what training is initialised from, and what it writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ovarnet.build import (
    build_proposer,
    checkpoint_prompts,
    find_checkpoint,
    find_proposer,
    load_model,
    open_clip_tower,
    proposer_clip,
    proposer_kind,
)
from ovarnet.checkpoint import Checkpoint, load_checkpoint, load_weights, save_checkpoint
from ovarnet.config import ClipAttrTraining, ClipSettings
from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import Clip, load_clip
from ovarnet.modeling.clip_attr import ClipAttr
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.prompts import LearnedPrompts
from ovarnet.shipped import DEFAULT_PROPOSER
from ovarnet.training.clip_attr.trainable import TrainableClipAttr, check_room
from ovarnet.vocabulary import Vocabulary

STOCK = "clip-attr:"
"""Begins the name of a CLIP of open_clip that is used as it is."""


@dataclass
class InitialClipAttr:
    """What step I is initialised from.

    Attributes:
        clip: The towers.
        classifier: Learnable prompts and a bias.
        proposer: Checkpoint of the proposer that is saved with the model.
        has_learned_prompts: The prompts and the bias are those of an earlier training.
        model: Checkpoint of the initial model where it is another folder than the proposer's.
    """

    clip: Clip
    classifier: TextClassifier
    proposer: Checkpoint
    has_learned_prompts: bool
    model: Checkpoint | None = None

    @property
    def checkpoints(self) -> list[Checkpoint]:
        """All folders that weights come from."""
        return [self.proposer] if self.model is None else [self.proposer, self.model]


def init_clip_attr(config: ClipAttrTraining) -> InitialClipAttr:
    """Build what step I starts from: `config.clip` and `config.proposer`, or `config.init_from`.

    Raises:
        InputError: Both or neither are given, or `init_from` is no CLIP-Attr that prompts can be
            trained in.
    """
    if config.init_from is None:
        if config.clip is None or config.proposer is None:
            raise InputError(
                "stage clip_attr: give `init_from`, a CLIP-Attr to initialise from, or both "
                "`clip` and `proposer`"
            )
        return _with_prompts(config, open_clip_tower(config.clip), config.proposer)
    if config.clip is not None:
        raise InputError(
            "stage clip_attr: `init_from` brings its own CLIP; leave `clip` out, or leave "
            "`init_from` out"
        )
    is_stock = config.init_from.startswith(STOCK)
    model = load_model(
        config.init_from,
        proposer=(config.proposer or DEFAULT_PROPOSER) if is_stock else None,
        device="cpu",
    )
    if not isinstance(model, ClipAttr) or model.classifier.probe is not None:
        raise InputError(
            f"{config.init_from} is an OvarNet or has a linear probe; prompts are trained in a "
            'CLIP-Attr without one. The stage "probe" is initialised from any model'
        )
    initial = _with_prompts(
        config,
        model.clip,
        config.proposer or (DEFAULT_PROPOSER if is_stock else config.init_from),
        model.classifier,
    )
    if config.proposer is not None and not is_stock:
        initial.model = load_checkpoint(find_checkpoint(config.init_from))
    return initial


def _with_prompts(
    config: ClipAttrTraining, clip: Clip, proposer: str, initial: TextClassifier | None = None
) -> InitialClipAttr:
    """Learned prompts and their bias are kept; templates are replaced by new vectors."""
    torch.manual_seed(config.seed)
    has_learned_prompts = initial is not None and isinstance(initial.prompts, LearnedPrompts)
    if initial is not None and has_learned_prompts:
        prompts, bias = initial.prompts, initial.calibration[0, 1].item()
    else:
        before, between, after = config.prompt_vectors
        check_room(clip, before + between + after, "prompt_vectors")
        prompts, bias = (
            LearnedPrompts(
                clip.text_width, (before, between, after), parent_type=config.parent_type
            ),
            0.0,
        )
    classifier = TextClassifier(clip, prompts, bias=bias)
    return InitialClipAttr(
        clip, classifier, open_proposer_checkpoint(proposer), has_learned_prompts
    )


def open_clip_attr(name: str | Path) -> tuple[Clip, TextClassifier, Checkpoint]:
    """Open a CLIP-Attr with learned prompts, to be trained further.

    Args:
        name: A checkpoint folder, or a name that ships.

    Returns:
        CLIP, a classifier with a bias, and the checkpoint.

    Raises:
        InputError: It is something else.
    """
    is_stock = str(name).startswith(STOCK)
    checkpoint = None if is_stock else load_checkpoint(find_checkpoint(str(name)))
    if (
        checkpoint is None
        or checkpoint.model != "clip-attr"
        or "vectors" not in checkpoint.settings.get("prompts", {})
    ):
        raise InputError(
            f"{name} is not CLIP-Attr with learned prompts; train step I first: ovarnet train "
            "configs/.../clip_attr.yaml"
        )
    clip = load_clip(checkpoint.settings["clip"]["name"], None, random_weights=True)
    load_weights(clip.model, checkpoint.part("clip"), checkpoint.folder / "clip.safetensors")
    prompts = checkpoint_prompts(checkpoint, clip)
    bias = checkpoint.settings["calibration"]["category"][1]
    return clip, TextClassifier(clip, prompts, bias=bias), checkpoint


def save_clip_attr(
    folder: Path,
    trained: TrainableClipAttr,
    vocabulary: Vocabulary,
    proposer: Checkpoint,
    training: Mapping[str, Any],
) -> Path:
    """Write the folder that `ovarnet.load` opens.

    Args:
        folder: The checkpoint folder.
        trained: Both towers, learned prompts and a bias.
        vocabulary: All words of the run.
        proposer: Checkpoint that holds the proposer's weights.
        training: The settings of the run.

    Returns:
        `folder`.
    """
    clip, prompts = trained.clip, trained.classifier.prompts
    if not isinstance(prompts, LearnedPrompts):
        raise TypeError("save_clip_attr: the classifier has no learned prompts")
    calibration = [clip.logit_scale.exp().item(), trained.bias.item()]
    settings = {
        "clip": {"name": clip.name},
        "proposer": proposer_settings(proposer),
        "prompts": {"vectors": list(prompts.counts), "parent_type": prompts.parent_type},
        "calibration": {"category": calibration, "attribute": calibration},
        "training": dict(training),
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


def open_proposer_checkpoint(name: str | Path) -> Checkpoint:
    """Open the checkpoint of a proposer, or of a whole model that has one.

    Args:
        name: A folder, or a name that ships.

    Raises:
        InputError: It holds no proposer, or not the weights that it names, found out before an hour
            of training.
    """
    checkpoint = load_checkpoint(find_proposer(str(name)))
    clip = proposer_clip(checkpoint)
    proposer = build_proposer(proposer_kind(checkpoint), ClipSettings(clip) if clip else None)
    load_weights(proposer, checkpoint.part("proposer"), name)
    return checkpoint


def proposer_settings(proposer: Checkpoint) -> dict[str, str | None]:
    """The section `proposer` of a model's config.yaml, for weights that come from `proposer`."""
    return {"kind": proposer.settings["proposer"]["kind"], "clip": proposer_clip(proposer)}
