"""Settings of the stage "region_head"."""

from __future__ import annotations

from dataclasses import dataclass, field

from ovarnet.config.allowed import path_setting, setting
from ovarnet.config.optimisation import Optimisation
from ovarnet.config.ovarnet import OvarnetDesign
from ovarnet.config.sources import DataSource, limit_setting, seed_setting, weight_setting
from ovarnet.config.validation import Validation


@dataclass
class RegionLossWeights:
    """Weights of the loss terms; 0 leaves one out."""

    features: float = weight_setting(1.0)
    """The last stages' features of a region, against those of its crop."""
    classes: float = weight_setting(1.0)
    """The classifier's answer about a region, against that about its crop."""
    embeddings: float = weight_setting(1.0)
    """The embedding of a region, against the teacher's of its crop."""
    categories: float = weight_setting(1.0)
    background: float = weight_setting(1.0)
    """All-negative category loss of regions without an object, on images whose objects are all
    annotated."""
    attributes: float = weight_setting(1.0)


@dataclass
class RegionHeadTraining:
    """OvarNet from a proposer and a photo CLIP, both frozen up to the regions.

    Trunk, pyramid, RPN and box stage are taken over, so that the cells of every region, and the
    teacher's features of its crop, are computed once. The last stages of the tower and its head are
    trained on them. Stage `ovarnet` trains all of it on images instead.
    """

    stage: str = "region_head"
    output: str = path_setting()
    seed: int = seed_setting()
    teacher: str = path_setting()
    """CLIP-Attr on a photo CLIP, a checkpoint folder or a shipped name."""
    detector: str = path_setting()
    """A proposer of the same design, a checkpoint folder."""
    detection: DataSource = field(default_factory=DataSource)
    attributes: DataSource = field(default_factory=DataSource)
    """An image that is in `detection` too is used once, with the labels of both."""
    captions: str | None = path_setting(None)
    """A captions file, see `ovarnet.data.captions`: its images carry distillation on proposals,
    nothing else; None: no such images."""
    caption_images: str | None = path_setting(None)
    """Folder of their images; not used with shards."""
    proposals_per_image: int = setting(4, at_least=0, at_most=10_000)
    """Regions of each image beside the annotated boxes: proposals that are none of them."""
    regions: str | None = path_setting(None)
    """Folder of the stored regions, which runs can share; None: `output`."""
    limit: int | None = limit_setting()
    """Images of each source."""
    design: OvarnetDesign = field(default_factory=OvarnetDesign)
    loss_weights: RegionLossWeights = field(default_factory=RegionLossWeights)
    validation: Validation = field(default_factory=Validation)
    """Its loss is that of the regions of `detection` and `attributes`."""
    optimisation: Optimisation = field(default_factory=Optimisation)
    """A batch is of regions."""
