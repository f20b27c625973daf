"""`ovarnet.load`: a model by its name, ready to detect."""

from __future__ import annotations

from pathlib import Path

import torch

from ovarnet.build.clip_attr import checkpoint_clip_attr, stock_clip_attr
from ovarnet.build.folders import find_checkpoint
from ovarnet.build.hub import HUB, fetch_model
from ovarnet.build.hub_predictor import HubPredictor
from ovarnet.build.ovarnet import checkpoint_ovarnet
from ovarnet.build.proposer import open_proposer
from ovarnet.checkpoint import load_checkpoint
from ovarnet.device import pick_device
from ovarnet.errors import InputError
from ovarnet.modeling.clip_attr import ClipAttr
from ovarnet.modeling.ovarnet import OvarNet
from ovarnet.modeling.post_processing import NMS_IOU
from ovarnet.modeling.region_model import THRESHOLD, RegionModel
from ovarnet.modeling.score_calibration import ScoreCalibration
from ovarnet.shipped import DEFAULT_MODEL, DEFAULT_PROPOSER

STOCK = "clip-attr:"
"""Begins the name of a CLIP of open_clip, used as it is."""
EXPORTED = ".onnx"
"""Ends the name of a file that `ovarnet export` wrote."""


def load(
    name: str | Path = DEFAULT_MODEL,
    *,
    proposer: str | Path | None = None,
    device: str | torch.device | None = "auto",
    category_activation: str = "sigmoid",
) -> HubPredictor:
    """Open a model, ready for ``.detect(image, categories=[...], attributes=[...])``.

    Args:
        name: as in `load_model`, or a file that `ovarnet export` wrote ("photos.onnx"), which ONNX
            Runtime runs.
        proposer: as in `load_model`; for an exported CLIP-Attr too.
        device: as in `load_model`.
        category_activation: "sigmoid", each category word scored by itself, or "softmax", over the
            category words queried (method section 0).

    Returns:
        A predictor around the model, which can also be saved and shared.

    Raises:
        InputError: naming what is missing.
    """
    model: RegionModel
    if str(name).endswith(EXPORTED):
        model = load_onnx(name, proposer=proposer, device=device)
    else:
        model = load_model(name, proposer=proposer, device=device)
    return HubPredictor(model, category_activation=category_activation)


def load_model(
    name: str | Path = DEFAULT_MODEL,
    *,
    proposer: str | Path | None = None,
    device: str | torch.device | None = "auto",
) -> ClipAttr | OvarNet:
    """Open a model as a plain module in evaluation mode, for training, export and benchmarks.

    Args:
        name: one of

            * "photos-clip-attr" (shipped CLIP-Attr for photos, the default) or "photos" (OvarNet,
              distilled from it: 17 times as fast, worse on words without a label);
            * "scenes" (shipped OvarNet) or "scenes-clip-attr" (shipped CLIP-Attr, its teacher),
              which know the generated world only and have never seen a photo;
            * a checkpoint folder;
            * "hf:ORGANISATION/NAME" or "hf:ORGANISATION/NAME@REVISION", a checkpoint folder on the
              Hugging Face Hub, downloaded once;
            * "clip-attr:ARCH/WEIGHTS", a CLIP of open_clip as it is, where WEIGHTS is a tag
              ("clip-attr:ViT-B-16/openai") or a local file ("clip-attr:RN50/weights/rn50.pt");
            * "clip-attr:local-dir:FOLDER", a Hub repository on disk (config, weights and
              tokenizer, which SigLIP-like towers need).
        proposer: where boxes come from when none are given: a shipped name, for its proposer,
            "torchvision" (its COCO detector, trained on all 80 COCO classes),
            "detectron2:CONFIG,WEIGHTS" (`ovarnet.proposals.detectron2`), a proposer's checkpoint
            folder, or precomputed proposals, a JSON file or a folder that `ovarnet propose` wrote.
            None: the model's own, or, with "clip-attr:ARCH/WEIGHTS",
            `ovarnet.shipped.DEFAULT_PROPOSER`. An OvarNet takes none.
        device: a device, its name, or "auto" or None for the GPU when there is one, else the CPU.

    Raises:
        InputError: naming what is missing.
    """
    device = pick_device(device)
    name = str(name)
    if name.startswith(HUB):
        name = str(fetch_model(name.removeprefix(HUB)))
    model: ClipAttr | OvarNet
    if name.startswith(STOCK):
        model = stock_clip_attr(name.removeprefix(STOCK), proposer or DEFAULT_PROPOSER)
    else:
        checkpoint = load_checkpoint(find_checkpoint(name))
        if checkpoint.model == "ovarnet":
            if proposer is not None:
                raise InputError(
                    f"{name} is an OvarNet, which finds its boxes itself; leave the proposer out"
                )
            model = checkpoint_ovarnet(checkpoint)
        else:
            model = checkpoint_clip_attr(checkpoint, proposer)
        model.threshold = checkpoint.settings.get("threshold", THRESHOLD)
        model.nms_iou = checkpoint.settings.get("nms_iou", NMS_IOU)
        model.settings = checkpoint.settings
        model.score_calibration = ScoreCalibration(
            *checkpoint.settings.get("score_calibration", ScoreCalibration())
        )
    return model.to(device).eval()


def load_onnx(
    path: str | Path,
    *,
    proposer: str | Path | None = None,
    device: str | torch.device | None = "auto",
) -> RegionModel:
    """Open an exported model.

    Args:
        path: of the graph; its text tower lies beside it.
        proposer: as in `load_model`, for the crop encoder of a CLIP-Attr.
        device: as in `load_model`; ONNX Runtime uses a GPU where the installed one can.

    Raises:
        InputError: naming what is missing.
    """
    # here, because it is an optional extra
    from ovarnet.onnx.model import open_onnx

    boxes = None if proposer is None else open_proposer(proposer)
    return open_onnx(path, pick_device(device), boxes)
