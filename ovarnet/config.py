"""Typed settings and the only reader of configs/*.yaml.

A config file states only what differs from the defaults below; ``KEY=VALUE`` on the command line wins over the file. An unknown key fails
and names the nearest valid one. The resolved settings are saved beside the weights.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

import yaml
from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import ConfigKeyError, MissingMandatoryValue, OmegaConfBaseException

from ovarnet.errors import InputError


@dataclass
class Optimisation:
    """One schedule for every stage: linear warm-up, constant rate, cosine decay over the last `decay` share of the iterations."""

    iterations: int = 1000
    batch_size: int = 64
    lr: float = 1e-4
    weight_decay: float = 5e-4
    betas: tuple[float, float] = (0.9, 0.999)
    warmup: int = 100
    decay: float = 0.4
    clip_norm: float = 35.0
    ema: float = 0.0
    """Decay of the running average of the weights that is saved; 0 saves the weights themselves."""
    save_every: int = 500
    workers: int = 0
    mixed_precision: str = "no"


@dataclass
class ClipSettings:
    """Which CLIP: an architecture name of open_clip or of ovarnet, and its weights (open_clip tag, local file, or a run's folder)."""

    name: str = MISSING
    pretrained: str | None = None


@dataclass
class ClipTraining:
    """Pre-training a CLIP on image-caption pairs with the symmetric InfoNCE loss."""

    stage: str = "clip"
    output: str = MISSING
    seed: int = 0
    root: str = MISSING
    captions: str = "annotations/captions_photos.json"
    images: str = "photos"
    clip: ClipSettings = field(default_factory=ClipSettings)
    small_start: bool = False
    """Start the text tower as a weighted bag of words (scenes.md, part 2); only for a CLIP trained from nothing on few words."""
    scale_start: float = 14.3
    optimisation: Optimisation = field(default_factory=Optimisation)


@dataclass
class ProposerTraining:
    """Training the class-agnostic proposer on base boxes only (method section 2.1)."""

    stage: str = "proposer"
    output: str = MISSING
    seed: int = 0
    root: str = MISSING
    annotations: str = "annotations/instances_train.json"
    images: str = "images/train"
    kind: str = "scenes"
    clip: ClipSettings = field(default_factory=ClipSettings)
    optimisation: Optimisation = field(default_factory=Optimisation)


@dataclass
class ZeroShotClipAttr:
    """CLIP-Attr from a CLIP and a proposer, with template prompts and two calibration numbers per kind of word fitted on base labels."""

    stage: str = "zero_shot"
    output: str = MISSING
    seed: int = 0
    root: str = MISSING
    clip: ClipSettings = field(default_factory=ClipSettings)
    proposer: str = MISSING
    category_templates: list[str] = field(default_factory=lambda: ["a photo of a {}"])
    attribute_templates: list[str] = field(default_factory=lambda: ["a photo of a {} object"])
    boxes: int = 4000
    """How many base training boxes the calibration is fitted on."""


STAGES: dict[str, type] = {"clip": ClipTraining, "proposer": ProposerTraining, "zero_shot": ZeroShotClipAttr}


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> Any:
    """Read a config file, apply ``KEY=VALUE`` overrides, check every key and type, and return the stage's dataclass.

    Raises InputError for a missing or unreadable file, an unknown stage, an unknown key (with the nearest valid one), a wrong type or a
    setting that has to be given and is not.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"config {path} does not exist; the ones that come with ovarnet are in configs/")
    try:
        given = OmegaConf.load(path)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, OmegaConfBaseException) as error:
        raise InputError(f"config {path} cannot be read: {error}") from None
    if not isinstance(given, DictConfig):
        raise InputError(f"config {path} must be a list of 'key: value' lines")
    for override in overrides:
        if not re.match(r"[\w.]+=", override):
            raise InputError(f"'{override}' is not of the form KEY=VALUE, such as optimisation.iterations=100")
    try:
        given = OmegaConf.merge(given, OmegaConf.from_dotlist(list(overrides)))
    except (yaml.YAMLError, OmegaConfBaseException) as error:
        raise InputError(f"cannot apply {' '.join(overrides)} to {path}: {error}") from None
    return resolve(given, str(path))


def resolve(given: DictConfig, source: str) -> Any:
    """Merge `given` over the defaults of its stage; `source` is named in errors."""
    stage = given.get("stage")
    if stage not in STAGES:
        raise InputError(f"{source}: stage is '{stage}'; it must be one of {', '.join(STAGES)}")
    kind = STAGES[stage]
    _check_keys(given, kind, source)
    try:
        return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(kind), given))
    except MissingMandatoryValue as error:
        raise InputError(f"{source}: {getattr(error, 'full_key', None) or 'a setting'} must be given") from None
    except (ConfigKeyError, OmegaConfBaseException) as error:
        key = getattr(error, "full_key", "") or ""
        raise InputError(f"{source}: {key}: {str(error).splitlines()[0]}") from None


def save_config(config: Any, path: Path) -> None:
    """Write the resolved settings, every key stated, as YAML."""
    path.write_text(OmegaConf.to_yaml(OmegaConf.structured(config)))


def _check_keys(given: DictConfig, kind: type, source: str, prefix: str = "") -> None:
    known = {f.name: f for f in fields(kind)}
    for key, value in given.items():
        if key not in known:
            near = difflib.get_close_matches(str(key), list(known), n=1, cutoff=0.0)[0]
            raise InputError(f"{source}: unknown key '{prefix}{key}'; did you mean '{prefix}{near}'?")
        default = known[key].default_factory() if callable(known[key].default_factory) else known[key].default
        if is_dataclass(default) and isinstance(value, DictConfig):
            _check_keys(value, type(default), source, f"{prefix}{key}.")
