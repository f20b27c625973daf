"""CLIP-Attr checkpoint folders in training."""

from __future__ import annotations

from pathlib import Path

import torch

from ovarnet.build import (
    build_proposer,
    checkpoint_prompts,
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
from ovarnet.vocabulary import Vocabulary


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
    if config.init_from is None:
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
        is_stock = config.init_from.startswith("clip-attr:")
        model = load_model(
            config.init_from,
            proposer=(config.proposer or "scenes") if is_stock else None,
            device="cpu",
        )
        if not isinstance(model, ClipAttr) or model.classifier.probe is not None:
            raise InputError(
                f"{config.init_from} is an OvarNet or has a linear probe; prompts learn in a "
                "CLIP-Attr without one. "
                'The stage "probe" starts from any model'
            )
        proposer = config.proposer or ("scenes" if is_stock else config.init_from)
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
