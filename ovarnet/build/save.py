"""A model in memory -> a checkpoint folder that `ovarnet.load` opens, complete in itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import open_clip
import torch
from torch import Tensor

from ovarnet.checkpoint import save_checkpoint
from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.clip.weights import LOCAL_FOLDER
from ovarnet.modeling.clip_attr import ClipAttr
from ovarnet.modeling.ovarnet import OvarNet
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.prompts import TemplatePrompts
from ovarnet.onnx.words import OnnxClip
from ovarnet.proposals.detector import DetectorProposer
from ovarnet.vocabulary import KINDS

KEPT = ("training", "backbone", "design")
"""Sections of config.yaml that the modules of a model do not say themselves."""


def save_model(model: ClipAttr | OvarNet, folder: str | Path) -> Path:
    """Write a checkpoint folder, replacing an older one of the same name in one step.

    Tensors are stored in float16 where that loses nothing, else as they are.

    Args:
        model: as `ovarnet.load_model` returns it; its weights may have changed since.
        folder: where to write.

    Returns:
        The folder.

    Raises:
        InputError: a model that no checkpoint can hold, such as one with torchvision's proposer.
    """
    if isinstance(model.clip, OnnxClip):
        raise InputError("a model of ovarnet export has no weights to save; share its .onnx files")
    kind = "ovarnet" if isinstance(model, OvarNet) else "clip-attr"
    parts = model_parts(model)
    return save_checkpoint(
        folder,
        model=kind,
        settings=model_settings(model),
        vocabulary=model.vocabulary,
        parts={
            name: {key: _smallest(t) for key, t in part.items()} for name, part in parts.items()
        },
    )


def model_settings(model: ClipAttr | OvarNet) -> dict[str, Any]:
    """What config.yaml says of a model, as plain values.

    Raises:
        InputError: as `save_model`.
    """
    settings: dict[str, Any] = {"clip": {"name": _architecture(model.clip)}}
    settings |= {key: model.settings[key] for key in KEPT if key in model.settings}
    settings |= _text_settings(model.classifier)
    settings["threshold"], settings["nms_iou"] = model.threshold, model.nms_iou
    if isinstance(model, OvarNet):
        if "design" not in model.settings:
            raise InputError(
                "this OvarNet was not opened by ovarnet.load, so its design is not known; save it "
                "with the stage that trained it"
            )
    else:
        settings["proposer"] = dict(_proposer(model).settings or {})
        settings["proposals"] = model.proposals
    return settings


def model_parts(model: ClipAttr | OvarNet) -> dict[str, dict[str, Tensor]]:
    """The state dict of each part of a model, by the names of checkpoint folders.

    Raises:
        InputError: as `save_model`.
    """
    if isinstance(model, OvarNet):
        parts = {
            "text": model.clip.model.state_dict(),
            "detector": model.detector_parts().state_dict(),
        }
    else:
        parts = {
            "clip": model.clip.model.state_dict(),
            "proposer": _proposer(model).state_dict(),
        }
    if not isinstance(model.classifier.prompts, TemplatePrompts):
        parts["prompts"] = model.classifier.prompts.state_dict()
    if model.classifier.probe is not None:
        parts["probe"] = model.classifier.probe.state_dict()
    return parts


def _architecture(clip: Clip) -> str:
    """The name that builds the towers without a tag, which may have brought its own activation."""
    if clip.name.startswith(LOCAL_FOLDER):
        raise InputError(
            f"a checkpoint names an architecture of open_clip, and {clip.name} is a folder; share "
            "that folder itself"
        )
    quick = f"{clip.name}-quickgelu"
    return quick if clip.quick_gelu and quick in open_clip.list_models() else clip.name


def _text_settings(classifier: TextClassifier) -> dict[str, Any]:
    prompts, probe = classifier.prompts, classifier.probe
    settings: dict[str, Any] = {
        "prompts": dict(prompts.templates)
        if isinstance(prompts, TemplatePrompts)
        else {"vectors": list(prompts.counts), "parent_type": prompts.parent_type}
    }
    calibration = {
        kind: row.tolist()
        for kind, row in zip(KINDS, classifier.calibration, strict=True)
        if not row.isnan().any()
    }
    if calibration:
        settings["calibration"] = calibration
    if probe is not None:
        settings["probe"] = {kind: list(names) for kind, names in probe.names.items()}
    return settings


def _proposer(model: ClipAttr) -> DetectorProposer:
    proposer = model.proposer
    if not isinstance(proposer, DetectorProposer) or not proposer.settings:
        raise InputError(
            "a checkpoint holds no proposer of this kind (torchvision's or stored boxes); load the "
            "model without it, and name it again at inference"
        )
    return proposer


def _smallest(tensor: Tensor) -> Tensor:
    """In float16 where every number survives that, as those do that were read from float16."""
    if tensor.dtype != torch.float32:
        return tensor
    half = tensor.half()
    return half if torch.equal(half.float(), tensor) else tensor
