"""Typed settings and the only reader of configs/*.yaml.

A config file states only what differs from the defaults below; ``KEY=VALUE`` on the command line
wins over the file. An unknown key fails and names the nearest valid one. The resolved settings are
saved beside the weights.
"""

from __future__ import annotations

import difflib
import math
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import yaml
from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from ovarnet.errors import InputError


@dataclass
class Optimisation:
    """One schedule for every stage: linear warm-up, constant rate, cosine decay over the last
    `decay` share of the iterations.
    """

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

    def __post_init__(self):
        if self.mixed_precision == "False":  # YAML takes a bare no for false
            self.mixed_precision = "no"


@dataclass
class ClipSettings:
    """Which CLIP: an architecture name of open_clip or of ovarnet, and its weights (an open_clip
    tag or a local file).
    """

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
    """Under `root`: a COCO captions file, a table of CC3M or CC12M, or WebDataset shards ("*.tar"),
    see `ovarnet.data.captions`."""
    images: str = "photos"
    """Under `root`: the folder of their images; not used with shards, which hold theirs."""
    image_cache_mb: int = 4096
    """Megabytes of pictures kept, brought to the tower's size; a corpus that needs more is read
    anew at every visit."""
    limit: int | None = None
    """Only the first so many images of every source (a dry run sets this); None: all."""
    clip: ClipSettings = field(default_factory=ClipSettings)
    bag_of_words_init: bool = False
    """Start the text tower as a weighted bag of words (`training.clip_start`); only for a CLIP
    trained from nothing on few words."""
    init_logit_scale: float = 14.3
    optimisation: Optimisation = field(default_factory=Optimisation)


@dataclass
class DataSource:
    """A dataset known by name (`ovarnet.data.datasets`)."""

    dataset: str = "scenes"
    root: str = MISSING
    split: str = "train"


@dataclass
class ProposerTraining:
    """Training the class-agnostic proposer on base boxes only (method section 2.1)."""

    stage: str = "proposer"
    output: str = MISSING
    seed: int = 0
    detection: DataSource = field(default_factory=DataSource)
    limit: int | None = None
    """Only the first so many images of every source (a dry run sets this); None: all."""
    kind: str = "scenes"
    """scenes (a pyramid on the image tower of `clip`) or resnet50 (full size)."""
    clip: ClipSettings | None = None
    imagenet_weights: bool = True
    """Of resnet50: start from torchvision's ImageNet weights, whose first stages then stay as they
    are; False: all random."""
    optimisation: Optimisation = field(default_factory=Optimisation)


@dataclass
class ZeroShotClipAttr:
    """CLIP-Attr from a CLIP and a proposer, with template prompts and two calibration numbers per
    kind of word fitted on base labels.
    """

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


@dataclass
class TrainedParts:
    """Learning rate of each part of CLIP-Attr as a share of `optimisation.lr`; 0 freezes the part.
    The token embeddings never learn.
    """

    prompts: float = 1.0
    text_tower: float = 0.1
    image_tower: float = 0.0
    scale: float = 1.0
    bias: float = 0.0


@dataclass
class FederatedLoss:
    """Settings of step I's loss (method section 3)."""

    category_weight: float = 1.0
    unknown_weight: float = 0.2
    """Weight of unknown attribute labels as weak negatives; 0 ignores them."""
    frequency_power: float = 0.25
    """Words are weighted by their frequency to the power of minus this; 0: all alike."""
    sampled_categories: int = 0
    """For large vocabularies: how many category columns a batch judges, the others being sampled;
    0: all."""


@dataclass
class ClipAttrTraining:
    """CLIP-Attr, step I: federated training on boxes with categories and on boxes with attributes,
    base words only (method section 3).
    """

    stage: str = "clip_attr"
    output: str = MISSING
    seed: int = 0
    detection: DataSource = field(default_factory=DataSource)
    attributes: DataSource = field(default_factory=DataSource)
    detection_share: float = 0.5
    """Share of every batch that comes from the detection data; 1 or 0: that kind of data only."""
    limit: int | None = None
    """Only the first so many images of every source (a dry run sets this); None: all."""
    start: str | None = None
    """CLIP-Attr to go on from: "scenes-clip-attr", a checkpoint folder or "clip-attr:ARCH/WEIGHTS";
    `clip` is then not given, and neither is `proposer` where the folder has one. Its learned
    prompts go on learning; with hand-written ones, new vectors begin."""
    clip: ClipSettings | None = None
    proposer: str | None = None
    """Checkpoint folder of the proposer that is saved with the model, or "scenes"."""
    prompt_vectors: tuple[int, int, int] = (10, 10, 10)
    """Learned vectors before the word, between word and parent type, and after it."""
    parent_type: bool = True
    prior_probability: float = 0.1
    """With a learned bias: mean probability of the base words that the bias starts from."""
    trained: TrainedParts = field(default_factory=TrainedParts)
    tower_regularisation: float = 10.0
    """Weight of 1 - cosine to the starting tower's embedding of the same crop, while the image
    tower learns; 0: it learns freely."""
    loss: FederatedLoss = field(default_factory=FederatedLoss)
    cached_views: int = 0
    """Only for a frozen image tower: embed this many random crops of every box once and draw from
    them; 0: a new crop at every visit."""
    image_cache_mb: int = 1024
    """Megabytes of decoded images that are kept; beyond that they are read again at every visit."""
    optimisation: Optimisation = field(default_factory=Optimisation)


@dataclass
class CaptionTerms:
    """Weight of each loss term of step II (method section 4.4, in its order); 0 switches a term
    off.
    """

    image_caption: float = 1.0
    image_phrase: float = 1.0
    image_phrases: float = 1.0
    image_attributes: float = 1.0
    image_categories: float = 1.0
    region_attributes: float = 1.0
    region_categories: float = 1.0
    mentioned_attributes: float = 0.0
    """Not in the paper: BCE of which novel attributes the caption tells of the regions of a
    category it names; base ones have boxes (`ovarnet.losses.federated.mentioned_loss`)."""
    keep_attributes: float = 1.0
    keep_categories: float = 1.0


@dataclass
class PseudoLabelRules:
    """Which proposals of a caption image are used, and which words they get (method section
    4.3).
    """

    min_area: float = 16.0
    """Square pixels."""
    min_objectness: float = 0.1
    regions: int = 5
    """Most proposals of an image beside the largest."""
    sure_category: float = 0.7
    """Softmax over the category words from which a proposal is used, and a category is positive by
    itself."""
    sure_attribute: float = 0.7
    """Probability from which an attribute is positive by itself; base words only."""
    told: float = 0.52
    """Probability from which a word of the caption is positive."""
    nouns: bool = True
    """An attribute that the caption says of a known category counts only for proposals that the
    teacher takes for that category."""


@dataclass
class CaptionTraining:
    """CLIP-Attr, step II: image-caption pairs of whole scenes, multi-instance NCE (method section
    4).
    """

    stage: str = "clip_attr_captions"
    output: str = MISSING
    seed: int = 0
    start: str = MISSING
    """Checkpoint folder of step I: what training starts from and is kept near to."""
    captions: str = MISSING
    """A COCO captions file, a table of CC3M or CC12M, or WebDataset shards ("cc3m/*.tar"): see
    `ovarnet.data.captions`."""
    images: str | None = None
    """Folder of its images; not used with shards, which hold theirs."""
    pseudo_labels: str = MISSING
    """What `ovarnet pseudo-label` wrote for these images with the step I model."""
    require_known_words: bool = False
    """Only captions that name a word of the vocabulary, as in COCO Cap-sub and CC3M-sub (method
    section 4.2)."""
    detection: DataSource = field(default_factory=DataSource)
    attributes: DataSource = field(default_factory=DataSource)
    detection_share: float = 0.5
    limit: int | None = None
    """Only the first so many images of every source (a dry run sets this); None: all."""
    base_batch: int = 64
    """Boxes per iteration of the base losses of step I, mixed in; 0: captions only."""
    base_weight: float = 1.0
    trained: TrainedParts = field(default_factory=lambda: TrainedParts(image_tower=0.1))
    tower_regularisation: float = 0.0
    """As in step I; the paper keeps near to step I by keep_attributes and keep_categories alone."""
    phrase_vectors: int = 16
    unknown_divisors: tuple[float, float] = (10.0, 5.0)
    """Logits of attributes not known to be wrong are divided by these: for the largest proposal,
    for the others."""
    unmentioned_weight: float = 0.2
    """Of the attributes that the caption does not tell, in the term mentioned_attributes."""
    terms: CaptionTerms = field(default_factory=CaptionTerms)
    rules: PseudoLabelRules = field(default_factory=PseudoLabelRules)
    loss: FederatedLoss = field(default_factory=FederatedLoss)
    image_cache_mb: int = 1024
    optimisation: Optimisation = field(default_factory=Optimisation)


@dataclass
class OvarnetDesign:
    """What OvarNet is made of (method section 5); saved with its weights."""

    channels: int = 256
    """Width of the feature pyramid."""
    finest_stride: int = 4
    """4, or 8 to start the pyramid one map later: small objects are then seen less well, and the
    pass is faster."""
    coarser_map: bool = True
    """A map of stride 64 for the largest anchors."""
    window: int = 0
    """ViT only: side of the attention windows in patches; 0: every block attends to the whole
    image."""
    short_side: tuple[int, int] = (800, 800)
    """An image whose short side lies within is left as it is, any other is brought to the nearer
    end."""
    long_side: int = 1024
    train_short_sides: list[int] = field(default_factory=lambda: list(range(640, 801, 32)))
    """In training the short side is drawn from these; empty: as in use."""
    anchor_sizes: list[int] = field(default_factory=lambda: [32, 64, 128, 256, 512])
    """Pixels, one for each map, finest first."""
    anchor_scales: list[float] = field(default_factory=lambda: [1.0])
    """A map carries anchors of its size times each of these; two of them, 1 and 1.41, make up for a
    map that is left out."""
    rpn_convolutions: int = 2
    rpn_pre_nms: tuple[int, int] = (1000, 2000)
    rpn_post_nms: tuple[int, int] = (500, 1000)
    proposals: int = 100
    """Regions pooled per image in use."""
    head: str = "attention"
    """attention, average, or clip (CLIP's own last stage and attention pool; ResNets only)."""
    clip_source: str = "c4"
    """Head clip: map that regions are pooled from; CLIP's stages after it run on every region."""
    roi_size: int = 14
    roi_canonical_size: int = 112
    """Side of a box that is pooled from stride 16."""
    square_regions: bool = False
    """Pool the square around a box, empty outside of it, as CLIP-Attr's crops; otherwise boxes are
    warped to squares, as in the paper."""
    width: int = 512
    layers: int = 4
    heads: int = 8
    hidden: int = 1024
    dropout: float = 0.1


@dataclass
class Distillation:
    """How OvarNet learns from CLIP-Attr (method section 6)."""

    kind: str = "probability"
    """probability (KL over all words, base and novel), feature (1 - cosine of the embeddings), or
    none."""
    attributes: float = 0.5
    categories: float = 1.0
    feature: float = 5.0
    proposals: int = 8
    """Beside the base boxes: proposals per image that carry distillation alone, drawn from the
    teacher's."""
    adapter: bool = False
    """A small network behind the teacher, taught by labels of base words, as in the authors' code;
    the paper has none."""
    teacher_proposals_per_image: int = 30
    """The teacher's best proposals per image that are drawn from."""
    cached: bool = False
    """Ask the teacher once about every box and proposal, before training; otherwise at every visit.
    The result is the same."""


@dataclass
class OvarnetTerms:
    """Weights of the loss terms that need labels (method section 5)."""

    anchor_objectness: float = 2.0
    anchor_boxes: float = 2.0
    boxes: float = 1.0
    categories: float = 1.0
    background: float = 1.0
    """All-negative category loss of regions without an object, on images whose objects are all
    annotated."""
    attributes: float = 1.0
    unknown_weight: float = 0.15
    """Of unknown attribute labels as weak negatives; 0 ignores them."""
    frequency_power: float = 0.25
    """Words are weighted by their frequency to the power of minus this; 0: all alike."""


@dataclass
class OvarnetTraining:
    """OvarNet: one pass, learned from base boxes and from CLIP-Attr (method sections 5 and 6)."""

    stage: str = "ovarnet"
    output: str = MISSING
    seed: int = 0
    teacher: str = MISSING
    """CLIP-Attr's checkpoint folder: text side, image tower to start from (unless `backbone` is
    given), and what to distil."""
    backbone: ClipSettings | None = None
    """Another CLIP whose image tower is the backbone, such as RN50 under a ViT-B-16 teacher; None:
    the teacher's."""
    backbone_rate: float = 0.0
    """Learning rate of the image tower as a share of `optimisation.lr`; 0 freezes it. BatchNorm
    always keeps CLIP's statistics."""
    detection: DataSource = field(default_factory=DataSource)
    attributes: DataSource = field(default_factory=DataSource)
    """When it is the same data as `detection`, a box carries the losses of both."""
    proposals: list[str] = field(default_factory=list)
    """Folders that `ovarnet propose` wrote for the training images; empty: the teacher's proposer
    is asked before the first iteration, by one process, which takes hours on full-size data."""
    attribute_share: float = 0.5
    """Share of a batch's images that come from the attribute data, where that is another one."""
    captions: str | None = None
    """Captions, as in step II: their images carry distillation on proposals, nothing else; None: no
    such images."""
    caption_images: str | None = None
    """Folder of their images; not used with shards."""
    captions_per_batch: int = 0
    limit: int | None = None
    """Only the first so many images of every source (a dry run sets this); None: all."""
    regions: int = 256
    """Regions per image in the losses, half of them positive."""
    anchors: int = 256
    design: OvarnetDesign = field(default_factory=OvarnetDesign)
    distillation: Distillation = field(default_factory=Distillation)
    terms: OvarnetTerms = field(default_factory=OvarnetTerms)
    image_cache_mb: int = 1024
    optimisation: Optimisation = field(default_factory=Optimisation)


@dataclass
class ProbeTraining:
    """A linear probe on the frozen region embeddings of any model, for a few pictures of one's own
    (docs/own_data.md).
    """

    stage: str = "probe"
    output: str = MISSING
    seed: int = 0
    start: str = MISSING
    """Any model: "scenes", a checkpoint folder (CLIP-Attr or OvarNet), or
    "clip-attr:ARCH/WEIGHTS"."""
    proposer: str = "scenes"
    """With clip-attr:ARCH/WEIGHTS alone: the source of boxes that is saved with it, a checkpoint
    folder or "scenes"."""
    data: DataSource = field(default_factory=lambda: DataSource(dataset="custom"))
    strengths: list[float] = field(
        default_factory=lambda: [0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003]
    )
    """Penalties that cross-validation chooses from; it may also choose the text scores alone."""
    folds: int = 5


STAGES: dict[str, type] = {
    "clip": ClipTraining,
    "proposer": ProposerTraining,
    "zero_shot": ZeroShotClipAttr,
    "clip_attr": ClipAttrTraining,
    "clip_attr_captions": CaptionTraining,
    "ovarnet": OvarnetTraining,
    "probe": ProbeTraining,
}

PRECISIONS = ("no", "fp16", "bf16")
_AT_LEAST_0 = "0 or more", lambda value: 0 <= value < math.inf
_AT_LEAST_1 = "1 or more", lambda value: value >= 1
_SHARE = "from 0 to 1", lambda value: 0 <= value <= 1
RANGES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "seed": ("from 0 to 4294967295", lambda value: 0 <= value < 2**32),
    "limit": _AT_LEAST_1,
    "detection_share": _SHARE,
    "attribute_share": _SHARE,
    "optimisation.iterations": _AT_LEAST_1,
    "optimisation.batch_size": _AT_LEAST_1,
    "optimisation.save_every": _AT_LEAST_1,
    "optimisation.lr": ("more than 0", lambda value: 0 < value < math.inf),
    "optimisation.weight_decay": _AT_LEAST_0,
    "optimisation.warmup": _AT_LEAST_0,
    "optimisation.workers": _AT_LEAST_0,
    "optimisation.betas": (
        "two numbers from 0 to less than 1",
        lambda values: all(0 <= value < 1 for value in values),
    ),
    "optimisation.decay": _SHARE,
    "optimisation.ema": ("from 0 to less than 1", lambda value: 0 <= value < 1),
    "optimisation.clip_norm": ("more than 0, or .inf for no clipping", lambda value: value > 0),
    "optimisation.mixed_precision": (
        f"one of {', '.join(PRECISIONS)}",
        lambda value: value in PRECISIONS,
    ),
}
"""What each setting may be, in words and as a test; None passes where the setting may be None."""


def load_config(path: str | Path, overrides: Sequence[str] = (), stage: str | None = None) -> Any:
    """Read a config file, apply ``KEY=VALUE`` overrides, check every key, type and range, and
    return the stage's dataclass.

    stage: the only one that is taken; None: any. Raises InputError for a missing or unreadable
    file, an unknown stage, an unknown key (with the nearest valid one), a wrong type, a number out
    of its range or a setting that has to be given and is not.
    """
    path = Path(path)
    if not os.path.isfile(path):
        raise InputError(
            f"config {path!s:.200} does not exist; the ones that come with ovarnet are in configs/"
        )
    try:
        given = OmegaConf.load(path)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, OmegaConfBaseException) as error:
        raise InputError(f"config {path} cannot be read: {error}") from None
    if not isinstance(given, DictConfig):
        raise InputError(
            f"config {path} holds a list; it must hold 'key: value' lines, such as 'stage: clip'"
        )
    for override in overrides:
        if not re.match(r"[\w.]+=", override):
            raise InputError(
                f"'{override}' is not of the form KEY=VALUE, such as optimisation.iterations=100"
            )
    try:
        given = OmegaConf.merge(given, OmegaConf.from_dotlist(list(overrides)))
    except (
        yaml.YAMLError,
        OmegaConfBaseException,
        TypeError,
    ) as error:  # TypeError: a list for a group of settings
        raise InputError(f"cannot apply {' '.join(overrides)} to {path}: {error}") from None
    if stage is not None and given.get("stage") in [name for name in STAGES if name != stage]:
        raise InputError(
            f"{path} is of stage '{given.stage}', this command needs stage {stage}; use: ovarnet "
            f"train {path}"
        )
    return resolve(given, str(path))


def resolve(given: DictConfig, source: str) -> Any:
    """Merge `given` over the defaults of its stage and check every number; `source` is named in
    errors.
    """
    try:
        stated = OmegaConf.to_container(given)
        stage = stated.get("stage")
        if not isinstance(stage, str) or stage not in STAGES:
            raise InputError(f"{source}: stage is '{stage}'; it must be one of {', '.join(STAGES)}")
        _check_keys(stated, STAGES[stage], source)
        config = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(STAGES[stage]), given))
    except MissingMandatoryValue as error:
        raise InputError(
            f"{source}: {getattr(error, 'full_key', None) or 'a setting'} must be given"
        ) from None
    except OmegaConfBaseException as error:
        key = f"{error.full_key}: " if getattr(error, "full_key", None) else ""
        raise InputError(f"{source}: {key}{str(error).splitlines()[0]}") from None
    _check_ranges(config, source)
    return config


def _check_keys(given: dict, kind: type, source: str, prefix: str = "") -> None:
    known = get_type_hints(kind)
    for key, value in given.items():
        name = f"{prefix}{key}"
        if key not in known:
            near = difflib.get_close_matches(str(key), list(known), n=1, cutoff=0.0)[0]
            raise InputError(f"{source}: unknown key '{name}'; did you mean '{prefix}{near}'?")
        parts = get_args(known[key])
        group = next((part for part in (known[key], *parts) if is_dataclass(part)), None)
        if group and isinstance(value, dict):
            _check_keys(value, group, source, f"{name}.")
        elif group and not (value is None and type(None) in parts):
            raise InputError(
                f"{source}: {name} is '{value}'; it is a group of settings, such as "
                f"{name}.{fields(group)[0].name}=..."
            )
        if get_origin(known[key]) is tuple and isinstance(value, list) and len(value) != len(parts):
            raise InputError(f"{source}: {name} is {value}; it must be {len(parts)} values")


def _check_ranges(config: Any, source: str) -> None:
    """Of the settings in RANGES, those that this stage has."""
    for key, (allowed, holds) in RANGES.items():
        value = config
        for name in key.split("."):
            value = getattr(value, name, None)
        if value is not None and not holds(value):
            raise InputError(f"{source}: {key} is {value}; it must be {allowed}")
