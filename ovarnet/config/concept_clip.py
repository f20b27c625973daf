"""Settings of the stage "concept_clip"."""

from __future__ import annotations

from dataclasses import dataclass, field

from ovarnet.config.allowed import path_setting, setting
from ovarnet.config.optimisation import Optimisation
from ovarnet.config.sources import (
    ClipSettings,
    DataSource,
    cache_setting,
    limit_setting,
    seed_setting,
    weight_setting,
)
from ovarnet.config.validation import Validation


@dataclass
class ConceptLossWeights:
    """Weights of the loss terms; 0 leaves one out."""

    categories: float = weight_setting(1.0)
    attributes: float = weight_setting(1.0)
    captions: float = weight_setting(1.0)
    background: float = weight_setting(1.0)


@dataclass
class ConceptClipTraining:
    """A CLIP of an ImageNet classifier and a sentence encoder, whose head alone is trained.

    Boxes of base words, captions of whole photos, and the classifier's own answers supervise it.
    Both encoders are frozen, so that the features of every crop are computed once.
    """

    stage: str = "concept_clip"
    output: str = path_setting()
    seed: int = seed_setting()
    clip: ClipSettings = field(default_factory=ClipSettings)
    """An architecture of `ovarnet.modeling.clip.concept_clip`."""
    detection: DataSource = field(default_factory=DataSource)
    """Its base categories become concepts, beside ImageNet's classes."""
    attributes: DataSource = field(default_factory=DataSource)
    captions: str = path_setting()
    """A captions file, see `ovarnet.data.captions`."""
    images: str = path_setting()
    """Folder of the images with captions."""
    category_templates: list[str] = setting(["a photo of a {}."], items=(1, 1000))
    attribute_templates: list[str] = setting(["a photo of something {}."], items=(1, 1000))
    views: int = setting(2, at_least=1, at_most=100)
    """Random crops of each box whose features are cached."""
    features: str | None = path_setting(None)
    """Folder of the cached features, which runs of several seeds can share; None: `output`."""
    classifier_share: float = setting(0.1, at_least=0, less_than=1)
    """Share of the target that the classifier's own answer keeps where a box has a category."""
    loss_weights: ConceptLossWeights = field(default_factory=ConceptLossWeights)
    limit: int | None = limit_setting()
    image_cache_mb: int = cache_setting()
    validation: Validation = field(default_factory=Validation)
    """Its loss is that of boxes of `detection` and `attributes`; captions and background have no
    held-out part."""
    optimisation: Optimisation = field(default_factory=Optimisation)
