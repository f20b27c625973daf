"""OvarNet: untrained from its design, or from a checkpoint folder."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from ovarnet.build.clip_attr import checkpoint_prompts, restore_scores
from ovarnet.checkpoint import Checkpoint, load_weights
from ovarnet.checkpoint_settings import ADVICE
from ovarnet.config import OvarnetDesign, build_settings
from ovarnet.errors import InputError
from ovarnet.modeling.attention_pool import AttentionPool
from ovarnet.modeling.box_stage import BoxStage
from ovarnet.modeling.clip.clip import Clip, load_clip
from ovarnet.modeling.clip.concept_clip import ConceptClip
from ovarnet.modeling.clip.feature_maps import RESNET_STRIDES, feature_channels
from ovarnet.modeling.concept_roi_head import SOURCE, ConceptRoiHead, ConceptStages
from ovarnet.modeling.ovarnet import OvarNet, text_tower_only
from ovarnet.modeling.resize import DetectorResize
from ovarnet.modeling.resnet_pyramid import ResnetPyramid
from ovarnet.modeling.roi_heads import AveragePool, ClipStages, RoiHead, roi_pool
from ovarnet.modeling.rpn import RegionProposalNetwork
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.prompts import LearnedPrompts, TemplatePrompts
from ovarnet.modeling.vit_pyramid import VitPyramid
from ovarnet.vocabulary import Vocabulary

FINEST_MAP = {4: "2", 8: "3"}
"""Stride -> level of the finest map."""


def checkpoint_ovarnet(checkpoint: Checkpoint) -> OvarNet:
    """Build OvarNet from a checkpoint folder that the stage "ovarnet" wrote.

    Raises:
        InputError: the folder is damaged or of another version.
    """
    clip_name = checkpoint.settings["clip"]["name"]
    backbone_name = checkpoint.settings["backbone"]["name"]
    design = _checkpoint_design(checkpoint)
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

    # shipped folders keep the text tower in the file of a whole CLIP
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
    restore_scores(model.classifier, checkpoint)
    return model


def _checkpoint_design(checkpoint: Checkpoint) -> OvarnetDesign:
    source = f"{checkpoint.folder / 'config.yaml'}: design"
    try:
        return build_settings(OvarnetDesign, checkpoint.settings["design"], source)
    except InputError as error:
        raise InputError(f"{error}; {ADVICE}") from None


def build_ovarnet(
    clip: Clip,
    make_prompts: Callable[[Clip], TemplatePrompts | LearnedPrompts],
    backbone: Clip,
    vocabulary: Vocabulary,
    design: OvarnetDesign,
) -> OvarNet:
    """Build an OvarNet whose FPN, RPN and head are untrained.

    Args:
        clip: its text tower scores the words; it is copied.
        make_prompts: called with that copy.
        backbone: the CLIP whose image tower becomes the trunk (a copy); may be `clip` itself.
        vocabulary: words of the training.
        design: the architecture.

    Raises:
        InputError: a design that cannot be built.
    """
    # this order decides which random numbers each part is initialised with
    pyramid = build_pyramid(backbone, design)
    rpn = build_rpn(pyramid, design)
    text = text_tower_only(clip)
    return OvarNet(
        text,
        TextClassifier(text, make_prompts(text)),
        vocabulary,
        backbone=pyramid,
        rpn=rpn,
        head=build_head(backbone, pyramid, clip.embed_dim, design),
        resize=DetectorResize(
            design.short_side,
            design.long_side,
            backbone.mean,
            backbone.std,
            design.train_short_sides,
        ),
        box_stage=build_box_stage(pyramid, design),
        proposals=design.proposals,
    )


def build_pyramid(backbone: Clip, design: OvarnetDesign) -> ResnetPyramid | VitPyramid:
    """Build the feature pyramid that fits the image tower of `backbone`."""
    level = FINEST_MAP.get(design.finest_stride)
    if level is None:
        raise InputError(f"design.finest_stride is {design.finest_stride}; it must be 4 or 8")
    if "last" in feature_channels(backbone.model.visual):
        return VitPyramid(
            backbone,
            design.channels,
            window=design.window,
            finest=f"p{level}",
            coarser=design.coarser_map,
        )
    return ResnetPyramid(backbone, design.channels, finest=f"c{level}", coarser=design.coarser_map)


def build_rpn(pyramid: ResnetPyramid | VitPyramid, design: OvarnetDesign) -> RegionProposalNetwork:
    """Build the region proposal network on the maps of `pyramid`."""
    strides = pyramid.all_strides
    if len(design.anchor_sizes) != len(strides):
        raise InputError(
            f"design.anchor_sizes names {len(design.anchor_sizes)} sizes for {len(strides)} maps "
            f"(strides {', '.join(map(str, strides.values()))}); give one for each"
        )
    anchors = [[size * scale for scale in design.anchor_scales] for size in design.anchor_sizes]
    return RegionProposalNetwork(
        design.channels,
        strides,
        anchors,
        pre_nms=design.rpn_pre_nms,
        post_nms=design.rpn_post_nms,
        convolutions=design.rpn_convolutions,
    )


def build_box_stage(pyramid: ResnetPyramid | VitPyramid, design: OvarnetDesign) -> BoxStage | None:
    """Build the box stage, if the design has one."""
    if not design.box_stage_width:
        return None
    return BoxStage(design.channels, pyramid.strides, width=design.box_stage_width)


def build_head(
    backbone: Clip, pyramid: ResnetPyramid | VitPyramid, embed_dim: int, design: OvarnetDesign
) -> RoiHead:
    """Build the region head that `design.head` names."""
    if design.head == "clip" and isinstance(backbone.model, ConceptClip):
        return build_concept_head(backbone, embed_dim, design)
    if design.head == "clip":
        stages = ClipStages(backbone, design.clip_source)
        _check_width(stages.embed_dim, embed_dim)
        strides, size = {design.clip_source: stages.stride}, stages.size
        return RoiHead(
            "trunk",
            roi_pool(strides, design.roi_canonical_size, size),
            stages,
            square=design.square_regions,
        )
    align = roi_pool(pyramid.strides, design.roi_canonical_size, design.roi_size)
    pool = _pool(embed_dim, design)
    return RoiHead("pyramid", align, pool, square=design.square_regions)


def build_concept_head(backbone: Clip, embed_dim: int, design: OvarnetDesign) -> ConceptRoiHead:
    """Build the head "clip" of a photo CLIP."""
    stages = ConceptStages(backbone, design.roi_size)
    _check_width(stages.embed_dim, embed_dim)
    strides = {SOURCE: RESNET_STRIDES[SOURCE]}
    align = roi_pool(strides, design.roi_canonical_size, design.roi_size)
    return ConceptRoiHead(align, stages, square=design.square_regions)


def _check_width(found: int, embed_dim: int) -> None:
    if found != embed_dim:
        raise InputError(
            f"the head 'clip' embeds in {found} numbers and the texts have {embed_dim}; use one "
            "CLIP for both"
        )


def _pool(embed_dim: int, design: OvarnetDesign) -> nn.Module:
    if design.head == "average":
        return AveragePool(design.channels, embed_dim, width=design.width)
    if design.head != "attention":
        raise InputError(f"design.head is '{design.head}'; choose attention, average or clip")
    return AttentionPool(
        design.channels,
        embed_dim,
        size=design.roi_size,
        width=design.width,
        layers=design.layers,
        heads=design.heads,
        hidden=design.hidden,
        dropout=design.dropout,
    )
