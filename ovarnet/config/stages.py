"""The stages of the training chain: name in a config -> settings and training function."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ovarnet.config.catalogue_bert import (
    AlignmentTraining,
    LabelTraining,
    MatcherTraining,
    TitleTraining,
)
from ovarnet.config.catalogue_clip import CatalogueClipTraining
from ovarnet.config.clip import ClipTraining
from ovarnet.config.clip_attr import (
    CaptionTraining,
    ClipAttrTraining,
    ProbeTraining,
    ZeroShotClipAttr,
)
from ovarnet.config.concept_clip import ConceptClipTraining
from ovarnet.config.ovarnet import OvarnetTraining
from ovarnet.config.proposer import ProposerTraining
from ovarnet.config.region_head import RegionHeadTraining


@dataclass(frozen=True)
class Stage:
    """One link of the chain.

    Attributes:
        settings: Dataclass of its settings.
        function: "module:function" that trains it and returns the checkpoint folder. Called with
            (settings, accelerator, resume=), or with the settings alone where the stage has no
            iterations. A name, so that reading a config imports no model.
    """

    settings: type
    function: str

    def load_function(self) -> Callable[..., Any]:
        """Import and return the training function."""
        module, _, name = self.function.partition(":")
        return getattr(importlib.import_module(module), name)


STAGES: dict[str, Stage] = {
    "clip": Stage(ClipTraining, "ovarnet.training.clip.stage:train_clip"),
    "concept_clip": Stage(
        ConceptClipTraining, "ovarnet.training.concept_clip.stage:train_concept_clip"
    ),
    "proposer": Stage(ProposerTraining, "ovarnet.training.proposer.stage:train_proposer"),
    "zero_shot": Stage(
        ZeroShotClipAttr, "ovarnet.training.clip_attr.zero_shot:calibrate_clip_attr"
    ),
    "clip_attr": Stage(ClipAttrTraining, "ovarnet.training.clip_attr.step_one:train_clip_attr"),
    "clip_attr_captions": Stage(
        CaptionTraining, "ovarnet.training.clip_attr.step_two:train_with_captions"
    ),
    "ovarnet": Stage(OvarnetTraining, "ovarnet.training.distillation.stage:train_ovarnet"),
    "region_head": Stage(
        RegionHeadTraining, "ovarnet.training.region_head.stage:train_region_head"
    ),
    "probe": Stage(ProbeTraining, "ovarnet.training.clip_attr.probe:train_probe"),
    "catalogue_alignment": Stage(
        AlignmentTraining, "ovarnet.catalogue.training.aligner:train_aligner"
    ),
    "catalogue_matcher": Stage(MatcherTraining, "ovarnet.catalogue.training.matcher:train_matcher"),
    "catalogue_labels": Stage(LabelTraining, "ovarnet.catalogue.training.labels:train_labels"),
    "catalogue_captions": Stage(
        TitleTraining, "ovarnet.catalogue.training.captions:train_captions"
    ),
    "catalogue_clip": Stage(
        CatalogueClipTraining, "ovarnet.catalogue.training.clip.stage:train_catalogue_clip"
    ),
}
"""In the order of the chain; the stages of a catalogue come last."""
