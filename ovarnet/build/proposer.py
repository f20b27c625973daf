"""Proposers: untrained, from a checkpoint folder, from torchvision, or precomputed proposals."""

from __future__ import annotations

import os
from pathlib import Path

from ovarnet.build.clip import open_clip_tower
from ovarnet.build.folders import find_proposer
from ovarnet.checkpoint import Checkpoint, load_checkpoint, load_weights
from ovarnet.config import ClipSettings
from ovarnet.errors import InputError
from ovarnet.modeling.proposer import Proposer
from ovarnet.proposals.detector import (
    DetectorProposer,
    photos_proposer,
    resnet50_proposer,
    scenes_proposer,
)
from ovarnet.proposals.detectron2 import PREFIX, open_detectron2_proposer
from ovarnet.proposals.from_file import FileProposals, shards_in
from ovarnet.proposals.torchvision import TorchvisionProposer
from ovarnet.shipped import shipped_models

ON_A_CLIP = {"scenes": scenes_proposer, "photos": photos_proposer}
"""Kinds of proposers on the image tower of a CLIP."""


def open_proposer(source: str | Path) -> Proposer:
    """Open a proposer, in evaluation mode.

    Args:
        source: "torchvision", "detectron2:CONFIG,WEIGHTS", a shipped name, a checkpoint folder, or
            precomputed proposals: a JSON file, or a folder that `ovarnet propose` wrote.

    Raises:
        InputError: it is none of these, or it is damaged.
    """
    source = str(source)
    if source == "torchvision":
        return TorchvisionProposer()
    if source.startswith(PREFIX):
        return open_detectron2_proposer(source)
    if os.path.isfile(source) or shards_in(source):
        return FileProposals(source)
    try:
        folder = find_proposer(source)
    except InputError:
        raise InputError(
            f"proposer '{source:.80}' does not exist; give {', '.join(shipped_models())}, "
            "torchvision, detectron2:CONFIG,WEIGHTS, a checkpoint folder, or proposals: a JSON "
            "file or a folder that ovarnet propose wrote"
        ) from None
    return checkpoint_proposer(load_checkpoint(folder))


def checkpoint_proposer(checkpoint: Checkpoint) -> DetectorProposer:
    """Build the proposer of a checkpoint folder, in evaluation mode.

    Raises:
        InputError: the folder holds none, or it is damaged.
    """
    clip = proposer_clip(checkpoint)
    proposer = build_proposer(proposer_kind(checkpoint), ClipSettings(clip) if clip else None)
    load_weights(proposer, checkpoint.part("proposer"), checkpoint.folder / "proposer.safetensors")
    proposer.settings = {"kind": proposer_kind(checkpoint), "clip": clip}
    return proposer.eval()


def proposer_kind(checkpoint: Checkpoint) -> str:
    """How the proposer of a folder is built, for `build_proposer`.

    Raises:
        InputError: the folder holds no proposer.
    """
    if "proposer" not in checkpoint.settings:
        raise InputError(
            f"{checkpoint.folder} holds no proposer (its model is '{checkpoint.model}'); give a "
            "proposer or a CLIP-Attr"
        )
    return checkpoint.settings["proposer"]["kind"]


def proposer_clip(checkpoint: Checkpoint) -> str | None:
    """The CLIP that a folder's proposer is built on; not always that of its model."""
    settings = checkpoint.settings
    return settings.get("proposer", {}).get("clip") or settings.get("clip", {}).get("name")


def build_proposer(
    kind: str, clip: ClipSettings | None, *, imagenet_weights: bool = False
) -> DetectorProposer:
    """Build an untrained proposer.

    Args:
        kind: "scenes" or "photos", a feature pyramid on the image tower of `clip`, or "resnet50"
            (method section 2.1).
        clip: which image tower; None for "resnet50", which needs none.
        imagenet_weights: initialise "resnet50" from ImageNet weights.

    Raises:
        InputError: an unknown kind, or no CLIP for "scenes" or "photos".
    """
    if kind == "resnet50":
        return resnet50_proposer(imagenet_weights)
    if kind not in ON_A_CLIP:
        raise InputError(
            f"proposer kind '{kind}' is not known; choose {', '.join(ON_A_CLIP)} or resnet50"
        )
    if clip is None:
        raise InputError(
            f"a proposer of kind '{kind}' needs a CLIP; give clip.name and clip.pretrained, or "
            "kind=resnet50"
        )
    return ON_A_CLIP[kind](open_clip_tower(clip))
