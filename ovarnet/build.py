"""The only place that turns names, settings and checkpoint folders into models."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import torch
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from torch import nn

from ovarnet.checkpoint import Checkpoint, load_checkpoint, load_weights
from ovarnet.checkpoint_settings import ADVICE
from ovarnet.config import ClipSettings, OvarnetDesign
from ovarnet.device import pick_device
from ovarnet.errors import InputError
from ovarnet.modeling.attention_pool import AttentionPool
from ovarnet.modeling.clip.clip import Clip, load_clip
from ovarnet.modeling.clip.feature_maps import feature_channels
from ovarnet.modeling.clip.weights import LOCAL_FOLDER
from ovarnet.modeling.clip_attr import ClipAttr
from ovarnet.modeling.ovarnet import OvarNet, text_tower_only
from ovarnet.modeling.predictor import Predictor
from ovarnet.modeling.proposer import Proposer
from ovarnet.modeling.resize import DetectorResize
from ovarnet.modeling.resnet_pyramid import ResnetPyramid
from ovarnet.modeling.roi_heads import AveragePool, ClipStages, RoiHead
from ovarnet.modeling.rpn import RegionProposalNetwork
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.linear_probe import LinearProbe
from ovarnet.modeling.text.prompts import (
    ATTRIBUTE_TEMPLATES,
    CATEGORY_TEMPLATES,
    LearnedPrompts,
    TemplatePrompts,
)
from ovarnet.modeling.vit_pyramid import VitPyramid
from ovarnet.proposals.detector import resnet50_proposer, roi_pool, scenes_proposer
from ovarnet.proposals.from_file import FileProposals, shards_in
from ovarnet.proposals.torchvision import TorchvisionProposer
from ovarnet.vocabulary import Vocabulary

SHIPPED = Path(__file__).parent / "weights"
"""Checkpoint folders that come with the package; their names can be given to `load`."""


def load(
    name: str | Path = "scenes",
    *,
    proposer: str | Path | None = None,
    device: str | torch.device | None = "auto",
    category_activation: str = "sigmoid",
) -> Predictor:
    """Open a model, ready for ``.detect(image, categories=[...], attributes=[...])``.

    Args:
        name: as in `load_model`.
        proposer: as in `load_model`.
        device: as in `load_model`.
        category_activation: "sigmoid", each category word scored by itself, or "softmax", over the
            category words queried (method section 0).

    Returns:
        A predictor around the model.

    Raises:
        InputError: naming what is missing.
    """
    model = load_model(name, proposer=proposer, device=device)
    return Predictor(model, category_activation=category_activation)


def load_model(
    name: str | Path = "scenes",
    *,
    proposer: str | Path | None = None,
    device: str | torch.device | None = "auto",
) -> ClipAttr | OvarNet:
    """Open a model as a plain module in evaluation mode, for training, export and benchmarks.

    Args:
        name: one of

            * "scenes" (shipped OvarNet) or "scenes-clip-attr" (shipped CLIP-Attr, its teacher),
              which know the generated world only and have never seen a photo;
            * a checkpoint folder;
            * "clip-attr:ARCH/WEIGHTS", a CLIP of open_clip as it is, where WEIGHTS is a tag
              ("clip-attr:ViT-B-16/openai") or a local file ("clip-attr:RN50/weights/rn50.pt");
            * "clip-attr:local-dir:FOLDER", a Hub repository on disk (config, weights and
              tokenizer, which SigLIP-like towers need).
        proposer: where boxes come from when none are given: "scenes" (shipped), "torchvision" (its
            COCO detector, trained on all 80 COCO classes), a proposer's checkpoint folder, or
            precomputed proposals, a JSON file or a folder that `ovarnet propose` wrote. None: the
            model's own, or "scenes". An OvarNet takes none.
        device: a device, its name, or "auto" or None for the GPU when there is one, else the CPU.

    Raises:
        InputError: naming what is missing.
    """
    device = pick_device(device)
    name = str(name)
    model: ClipAttr | OvarNet
    if name.startswith("clip-attr:"):
        model = stock_clip_attr(name.removeprefix("clip-attr:"), proposer or "scenes")
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
    return model.to(device).eval()


def find_checkpoint(name: str) -> Path:
    """The shipped folder of that name, or one by its path: ./scenes is never the shipped one."""
    shipped = sorted(folder.parent.name for folder in SHIPPED.glob("*/config.yaml"))
    if name in shipped:
        return SHIPPED / name
    if os.path.isdir(name):
        return Path(name)
    raise InputError(
        f"model '{name:.80}' is neither a checkpoint folder nor one that ships "
        f"({', '.join(shipped)}) "
        "nor of the form clip-attr:ARCH/WEIGHTS"
    )


def checkpoint_clip_attr(checkpoint: Checkpoint, proposer: str | Path | None = None) -> ClipAttr:
    """CLIP-Attr from a checkpoint folder written by a training stage."""
    if checkpoint.model != "clip-attr":
        raise InputError(
            f"{checkpoint.folder} holds a '{checkpoint.model}', not a whole model; "
            "put CLIP-Attr together with: ovarnet train configs/scenes/clip_attr_zero_shot.yaml"
        )
    settings = checkpoint.settings
    clip = load_clip(settings["clip"]["name"], None, random_weights=True)
    load_weights(clip.model, checkpoint.part("clip"), checkpoint.folder / "clip.safetensors")
    classifier = TextClassifier(clip, checkpoint_prompts(checkpoint, clip))
    for kind, (scale, bias) in settings.get("calibration", {}).items():
        classifier.calibrate(kind, scale, bias)
    classifier.probe = checkpoint_probe(checkpoint, clip)
    if proposer is None:
        regions = build_proposer(
            settings["proposer"]["kind"], ClipSettings(proposer_clip(checkpoint))
        )
        load_weights(
            regions, checkpoint.part("proposer"), checkpoint.folder / "proposer.safetensors"
        )
    else:
        regions = open_proposer(proposer)
    return ClipAttr(clip, classifier, regions, checkpoint.vocabulary)


def checkpoint_prompts(checkpoint: Checkpoint, clip: Clip) -> TemplatePrompts | LearnedPrompts:
    """The prompts of a CLIP-Attr folder: hand-written templates, or the vectors that step I
    learned.
    """
    settings = checkpoint.settings["prompts"]
    if "vectors" not in settings:
        return TemplatePrompts(settings["category"], settings["attribute"])
    prompts = LearnedPrompts(
        clip.text_width, tuple(settings["vectors"]), parent_type=settings["parent_type"]
    )
    load_weights(prompts, checkpoint.part("prompts"), checkpoint.folder / "prompts.safetensors")
    return prompts


def checkpoint_probe(checkpoint: Checkpoint, clip: Clip) -> LinearProbe | None:
    """The linear probe of a folder that the stage "probe" wrote; other folders have none."""
    names = checkpoint.settings.get("probe")
    if names is None:
        return None
    probe = LinearProbe(names, clip.embed_dim)
    load_weights(probe, checkpoint.part("probe"), checkpoint.folder / "probe.safetensors")
    return probe


def checkpoint_ovarnet(checkpoint: Checkpoint) -> OvarNet:
    """OvarNet from a checkpoint folder written by the stage "ovarnet"."""
    settings = checkpoint.settings
    clip_name, backbone_name = settings["clip"]["name"], settings["backbone"]["name"]
    try:
        design = OmegaConf.to_object(
            OmegaConf.merge(OmegaConf.structured(OvarnetDesign), settings["design"])
        )
    except OmegaConfBaseException as error:
        raise InputError(
            f"{checkpoint.folder / 'config.yaml'}: design: {str(error).splitlines()[0]}; {ADVICE}"
        ) from None
    clip = load_clip(clip_name, None, random_weights=True)
    backbone = (
        clip if backbone_name == clip_name else load_clip(backbone_name, None, random_weights=True)
    )
    model = build_ovarnet(
        clip,
        lambda text: checkpoint_prompts(checkpoint, text),
        backbone,
        checkpoint.vocabulary,
        design,
    )
    text = {
        name: tensor
        for name, tensor in checkpoint.part("text").items()
        if not name.startswith("visual.")
    }
    load_weights(model.clip.model, text, checkpoint.folder / "text.safetensors")
    load_weights(
        model.detector_parts(),
        checkpoint.part("detector"),
        checkpoint.folder / "detector.safetensors",
    )
    for kind, (scale, bias) in settings["calibration"].items():
        model.classifier.calibrate(kind, scale, bias)
    model.classifier.probe = checkpoint_probe(checkpoint, clip)
    return model


def build_ovarnet(
    clip: Clip,
    make_prompts: Callable[[Clip], nn.Module],
    backbone: Clip,
    vocabulary: Vocabulary,
    design: OvarnetDesign,
) -> OvarNet:
    """An OvarNet whose FPN, RPN and head are untrained.

    clip: whose text tower scores the words; it is copied. make_prompts: called with that copy.
    backbone: the CLIP whose image tower becomes the trunk (a copy); it may be `clip` itself.
    """
    finest = {4: "2", 8: "3"}.get(design.finest_stride)
    if finest is None:
        raise InputError(f"design.finest_stride is {design.finest_stride}; it must be 4 or 8")
    if "last" in feature_channels(backbone.model.visual):
        pyramid = VitPyramid(
            backbone,
            design.channels,
            window=design.window,
            finest=f"p{finest}",
            coarser=design.coarser_map,
        )
    else:
        pyramid = ResnetPyramid(
            backbone, design.channels, finest=f"c{finest}", coarser=design.coarser_map
        )
    if len(design.anchor_sizes) != len(pyramid.all_strides):
        raise InputError(
            f"design.anchor_sizes names {len(design.anchor_sizes)} sizes for "
            f"{len(pyramid.all_strides)} maps "
            f"(strides {', '.join(map(str, pyramid.all_strides.values()))}); give one for each"
        )
    anchors = [[size * scale for scale in design.anchor_scales] for size in design.anchor_sizes]
    rpn = RegionProposalNetwork(
        design.channels,
        pyramid.all_strides,
        anchors,
        pre_nms=tuple(design.rpn_pre_nms),
        post_nms=tuple(design.rpn_post_nms),
        convolutions=design.rpn_convolutions,
    )
    resize = DetectorResize(
        tuple(design.short_side),
        design.long_side,
        backbone.mean,
        backbone.std,
        design.train_short_sides,
    )
    text = text_tower_only(clip)
    return OvarNet(
        text,
        TextClassifier(text, make_prompts(text)),
        vocabulary,
        backbone=pyramid,
        rpn=rpn,
        head=build_head(backbone, pyramid, clip.embed_dim, design),
        resize=resize,
        proposals=design.proposals,
    )


def build_head(
    backbone: Clip, pyramid: nn.Module, embed_dim: int, design: OvarnetDesign
) -> RoiHead:
    """The region head that `design.head` names."""
    if design.head == "clip":
        cells = ClipStages(backbone, design.clip_source)
        if cells.embed_dim != embed_dim:
            raise InputError(
                f"the head 'clip' embeds in {cells.embed_dim} numbers and the texts have "
                f"{embed_dim}; use one CLIP for both"
            )
        return RoiHead(
            "trunk",
            roi_pool({design.clip_source: cells.stride}, design.roi_canonical_size, cells.size),
            cells,
            square=design.square_regions,
        )
    align = roi_pool(pyramid.strides, design.roi_canonical_size, design.roi_size)
    if design.head == "attention":
        if design.roi_size % 2:
            raise InputError(
                f"design.roi_size is {design.roi_size}; patch merging needs an even number"
            )
        return RoiHead(
            "pyramid",
            align,
            AttentionPool(
                design.channels,
                embed_dim,
                size=design.roi_size,
                width=design.width,
                layers=design.layers,
                heads=design.heads,
                hidden=design.hidden,
                dropout=design.dropout,
            ),
            square=design.square_regions,
        )
    if design.head == "average":
        return RoiHead(
            "pyramid",
            align,
            AveragePool(design.channels, embed_dim, width=design.width),
            square=design.square_regions,
        )
    raise InputError(f"design.head is '{design.head}'; choose attention, average or clip")


def stock_clip_attr(spec: str, proposer: str | Path) -> ClipAttr:
    """Zero-shot CLIP-Attr from any CLIP of open_clip: `spec` is ARCH/TAG, ARCH/PATH or
    local-dir:FOLDER.
    """
    architecture, _, weights = (
        (spec, "", None) if spec.startswith(LOCAL_FOLDER) else spec.partition("/")
    )
    if weights == "":
        raise InputError(
            f"clip-attr:{spec} names no weights; write clip-attr:ARCH/TAG or clip-attr:ARCH/PATH, "
            "such as clip-attr:ViT-B-16/openai"
        )
    clip = load_clip(architecture, weights)
    classifier = TextClassifier(clip, TemplatePrompts(CATEGORY_TEMPLATES, ATTRIBUTE_TEMPLATES))
    return ClipAttr(clip, classifier, open_proposer(proposer), Vocabulary())


def open_proposer(source: str | Path) -> Proposer:
    """Where boxes come from: "torchvision", "scenes" (shipped), a checkpoint folder, or precomputed
    proposals: a JSON file, or a folder that `ovarnet propose` wrote.
    """
    source = str(source)
    if source == "torchvision":
        return TorchvisionProposer()
    if os.path.isfile(source) or shards_in(source):
        return FileProposals(source)
    try:
        folder = find_proposer(source)
    except InputError:
        raise InputError(
            f"proposer '{source:.80}' does not exist; give scenes, torchvision, a checkpoint "
            "folder, or proposals: a JSON "
            "file or a folder that ovarnet propose wrote"
        ) from None
    checkpoint = load_checkpoint(folder)
    clip = proposer_clip(checkpoint)
    proposer = build_proposer(proposer_kind(checkpoint), ClipSettings(clip) if clip else None)
    load_weights(proposer, checkpoint.part("proposer"), checkpoint.folder / "proposer.safetensors")
    return proposer.eval()


def find_proposer(name: str) -> Path:
    """A folder that holds a proposer; "scenes" is the one that ships, with CLIP-Attr (OvarNet has
    no offline proposer).
    """
    return find_checkpoint("scenes-clip-attr" if name == "scenes" else name)


def proposer_kind(checkpoint: Checkpoint) -> str:
    """How the proposer of a folder is built, for `build_proposer`."""
    if "proposer" not in checkpoint.settings:
        raise InputError(
            f"{checkpoint.folder} holds no proposer (its model is '{checkpoint.model}'); give a "
            "proposer or a CLIP-Attr"
        )
    return checkpoint.settings["proposer"]["kind"]


def proposer_clip(checkpoint: Checkpoint) -> str | None:
    """The CLIP whose image tower the proposer of a folder is built on; not always that of the
    model.
    """
    settings = checkpoint.settings
    return settings.get("proposer", {}).get("clip") or settings.get("clip", {}).get("name")


def build_proposer(
    kind: str, clip: ClipSettings | None, *, imagenet_weights: bool = False
) -> nn.Module:
    """An untrained proposer: "scenes" (feature pyramid on the image tower of `clip`) or "resnet50"
    (method section 2.1), which needs no `clip` and may start from ImageNet weights.
    """
    if kind == "resnet50":
        return resnet50_proposer(imagenet_weights)
    if kind == "scenes":
        if clip is None:
            raise InputError(
                "a proposer of kind 'scenes' needs a CLIP; give clip.name and clip.pretrained, or "
                "kind=resnet50"
            )
        return scenes_proposer(open_clip_tower(clip))
    raise InputError(f"proposer kind '{kind}' is not known; choose scenes or resnet50")


def open_clip_tower(clip: ClipSettings) -> Clip:
    """The CLIP of `clip`; with random weights where none are named, to be trained or filled from a
    checkpoint.
    """
    return load_clip(clip.name, clip.pretrained, random_weights=clip.pretrained is None)
