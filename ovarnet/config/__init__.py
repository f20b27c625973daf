"""Typed settings of every stage and the only reader of configs/*.yaml.

A config file states only what differs from the defaults of its stage's dataclass; ``KEY=VALUE`` on
the command line wins over the file. What a setting may be stands beside its field; an unknown key
fails and names the nearest valid one. The resolved settings are saved beside the weights.
"""

from ovarnet.config.catalogue import CatalogueData
from ovarnet.config.catalogue_clip import CatalogueClipTraining
from ovarnet.config.clip import ClipTraining
from ovarnet.config.clip_attr import (
    CaptionLossWeights,
    CaptionTraining,
    ClipAttrTraining,
    FederatedLoss,
    LrMultipliers,
    ProbeTraining,
    PseudoLabelSelection,
    ZeroShotClipAttr,
)
from ovarnet.config.concept_clip import ConceptClipTraining, ConceptLossWeights
from ovarnet.config.optimisation import Optimisation
from ovarnet.config.ovarnet import (
    Distillation,
    OvarnetDesign,
    OvarnetLossWeights,
    OvarnetTraining,
)
from ovarnet.config.proposer import ProposerTraining
from ovarnet.config.reader import load_config, resolve
from ovarnet.config.region_head import RegionHeadTraining, RegionLossWeights
from ovarnet.config.sources import ClipSettings, DataSource
from ovarnet.config.stages import STAGES
from ovarnet.config.structured import build_settings
from ovarnet.config.validation import (
    CaptionValidation,
    StepTwoValidation,
    Validation,
    ValidationSchedule,
)

__all__ = [
    "STAGES",
    "CaptionLossWeights",
    "CaptionTraining",
    "CaptionValidation",
    "CatalogueClipTraining",
    "CatalogueData",
    "ClipAttrTraining",
    "ClipSettings",
    "ClipTraining",
    "ConceptClipTraining",
    "ConceptLossWeights",
    "DataSource",
    "Distillation",
    "FederatedLoss",
    "LrMultipliers",
    "Optimisation",
    "OvarnetDesign",
    "OvarnetLossWeights",
    "OvarnetTraining",
    "ProbeTraining",
    "ProposerTraining",
    "PseudoLabelSelection",
    "RegionHeadTraining",
    "RegionLossWeights",
    "StepTwoValidation",
    "Validation",
    "ValidationSchedule",
    "ZeroShotClipAttr",
    "build_settings",
    "load_config",
    "resolve",
]
