"""Settings of the stage "proposer"."""

from __future__ import annotations

from dataclasses import dataclass, field

from ovarnet.config.allowed import path_setting, setting
from ovarnet.config.optimisation import Optimisation
from ovarnet.config.sources import ClipSettings, DataSource, limit_setting, seed_setting
from ovarnet.config.validation import Validation


@dataclass
class ProposerTraining:
    """Training the class-agnostic proposer on base boxes only (method section 2.1)."""

    stage: str = "proposer"
    output: str = path_setting()
    seed: int = seed_setting()
    detection: DataSource = field(default_factory=DataSource)
    limit: int | None = limit_setting()
    kind: str = setting("scenes", one_of=("scenes", "photos", "resnet50"))
    """scenes, photos: a feature pyramid on the image tower of `clip`; resnet50: full size."""
    clip: ClipSettings | None = None
    imagenet_weights: bool = True
    """Of resnet50: initialised from torchvision's ImageNet weights, the first stages frozen; false:
    random weights."""
    views: int = setting(0, at_least=0, at_most=100)
    """Of each image, for which the maps of a frozen trunk are computed once and kept: the first as
    the detector sees it, the others of random sizes and every other one mirrored; 0: the images are
    read, resized and mirrored anew at every visit."""
    maps: str | None = path_setting(None)
    """Folder of the kept maps, which runs can share; None: `output`."""
    validation: Validation = field(default_factory=Validation)
    optimisation: Optimisation = field(default_factory=Optimisation)
