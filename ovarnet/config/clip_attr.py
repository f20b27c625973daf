"""Settings of the stages of CLIP-Attr: zero-shot calibration, step I, step II, linear probe."""

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
    share_setting,
    weight_setting,
)
from ovarnet.config.validation import StepTwoValidation, Validation
from ovarnet.shipped import DEFAULT_PROPOSER

MOST_VECTORS = 256
"""Learned vectors are tokens of a CLIP text tower, of which the longest take 248."""


@dataclass
class ZeroShotClipAttr:
    """CLIP-Attr from a CLIP and a proposer, without prompt learning.

    Prompts are hand-written templates; a scale and a bias per kind of word are fitted on base
    labels.
    """

    stage: str = "zero_shot"
    output: str = path_setting()
    detection: DataSource = field(default_factory=DataSource)
    """Base categories and their boxes."""
    attributes: DataSource = field(default_factory=DataSource)
    """Base attributes and their labels."""
    clip: ClipSettings = field(default_factory=ClipSettings)
    proposer: str = path_setting()
    """Checkpoint folder of the proposer that is saved with the model, or a shipped name."""
    category_templates: list[str] = setting(["a photo of a {}"], items=(1, 1000))
    attribute_templates: list[str] = setting(["a photo of a {} object"], items=(1, 1000))
    calibration_boxes: int = setting(4000, at_least=1, at_most=2**31)
    """Boxes of each source that the calibration is fitted on."""


@dataclass
class LrMultipliers:
    """Learning rate of each module of CLIP-Attr as a multiple of `optimisation.lr`.

    0 freezes a module. Token embeddings are always frozen.
    """

    prompts: float = setting(1.0, at_least=0, at_most=1e6)
    text_tower: float = setting(0.1, at_least=0, at_most=1e6)
    image_tower: float = setting(0.0, at_least=0, at_most=1e6)
    scale: float = setting(1.0, at_least=0, at_most=1e6)
    bias: float = setting(0.0, at_least=0, at_most=1e6)


@dataclass
class FederatedLoss:
    """The loss of step I (method section 3)."""

    unknown_weight: float = weight_setting(0.2)
    """Weight of unknown attribute labels as weak negatives; 0 ignores them."""
    frequency_power: float = setting(0.25, at_least=0, at_most=10)
    """Words are weighted by their frequency to the power of minus this; 0: all alike."""
    sampled_categories: int = setting(0, at_least=0, at_most=2**31)
    """For large vocabularies: category columns in the loss of a batch, negatives among them being
    sampled; 0: all."""


@dataclass
class ClipAttrTraining:
    """CLIP-Attr, step I: federated training on boxes (method section 3).

    Boxes with categories and boxes with attributes, base words only.
    """

    stage: str = "clip_attr"
    output: str = path_setting()
    seed: int = seed_setting()
    detection: DataSource = field(default_factory=DataSource)
    attributes: DataSource = field(default_factory=DataSource)
    detection_share: float = share_setting()
    """Share of every batch that comes from the detection data; 1 or 0: that kind of data only."""
    limit: int | None = limit_setting()
    init_from: str | None = path_setting(None)
    """CLIP-Attr that the weights come from: a shipped name, a checkpoint folder or
    "clip-attr:ARCH/WEIGHTS"; `clip` is then not given, and neither is `proposer` where the folder
    has one. Learned prompts are kept and trained on; templates are replaced by new vectors."""
    clip: ClipSettings | None = None
    proposer: str | None = path_setting(None)
    """Checkpoint folder of the proposer that is saved with the model, or a shipped name."""
    prompt_vectors: tuple[int, int, int] = setting(
        (10, 10, 10), at_least=0, at_most=MOST_VECTORS, items=(3, 3)
    )
    """Learned vectors before the word, between word and parent type, and after it."""
    parent_type: bool = True
    lr_multipliers: LrMultipliers = field(default_factory=LrMultipliers)
    tower_regularisation: float = weight_setting(10.0)
    """While the image tower is trained: weight of 1 - cosine to the initial tower's embedding of
    the same crop; 0: none."""
    loss: FederatedLoss = field(default_factory=FederatedLoss)
    cached_views: int = setting(0, at_least=0, at_most=1000)
    """Only for a frozen image tower: embed this many random crops of every box once and draw from
    them; 0: a new crop at every visit."""
    image_cache_mb: int = cache_setting()
    """Decoded images; beyond that they are read again at every visit."""
    validation: Validation = field(default_factory=Validation)
    optimisation: Optimisation = field(default_factory=Optimisation)


@dataclass
class CaptionLossWeights:
    """Weight of each loss term of step II (method section 4.4, in its order); 0: none."""

    image_caption: float = weight_setting(1.0)
    image_phrase: float = weight_setting(1.0)
    image_phrases: float = weight_setting(1.0)
    image_attributes: float = weight_setting(1.0)
    image_categories: float = weight_setting(1.0)
    region_attributes: float = weight_setting(1.0)
    region_categories: float = weight_setting(1.0)
    mentioned_attributes: float = weight_setting(0.0)
    """Not in the paper: BCE of the novel attributes that the caption mentions for regions of a
    category it names; base ones have boxes (`ovarnet.losses.federated.mentioned_loss`)."""
    distil_attributes: float = weight_setting(1.0)
    distil_categories: float = weight_setting(1.0)


@dataclass
class PseudoLabelSelection:
    """Proposals of a caption image that are used, and their labels (method section 4.3)."""

    min_area: float = setting(16.0, at_least=0, at_most=1e12)
    """Square pixels."""
    max_proposals: int = setting(5, at_least=0, at_most=10_000)
    """Proposals of an image beside the largest."""
    category_probability: float = share_setting(0.7)
    """Softmax over the category words from which a proposal is used, and from which a base category
    is positive without being mentioned."""
    attribute_probability: float = share_setting(0.7)
    """Probability from which a base attribute is positive without being mentioned."""
    mentioned_probability: float = share_setting(0.52)
    """Probability from which a word of the caption is positive."""


@dataclass
class CaptionTraining:
    """CLIP-Attr, step II: image-caption pairs with multi-instance NCE (method section 4)."""

    stage: str = "clip_attr_captions"
    output: str = path_setting()
    seed: int = seed_setting()
    init_from: str = path_setting()
    """CLIP-Attr of step I, a checkpoint folder or a shipped name: initial weights, and the teacher
    of `loss_weights.distil_*`."""
    captions: str = path_setting()
    """A COCO captions file, a table of CC3M or CC12M, or WebDataset shards ("cc3m/*.tar"): see
    `ovarnet.data.captions`."""
    images: str | None = path_setting(None)
    """Folder of its images; not used with shards, which hold theirs."""
    pseudo_labels: str = path_setting()
    """What `ovarnet pseudo-label` wrote for these images with the step I model."""
    require_known_words: bool = False
    """Only captions that name a word of the vocabulary, as in COCO Cap-sub and CC3M-sub (method
    section 4.2)."""
    detection: DataSource = field(default_factory=DataSource)
    attributes: DataSource = field(default_factory=DataSource)
    detection_share: float = share_setting()
    limit: int | None = limit_setting()
    base_batch_size: int = setting(64, at_least=0, at_most=2**16)
    """Boxes per iteration for the base losses of step I; 0: captions only."""
    base_loss_weight: float = weight_setting(1.0)
    lr_multipliers: LrMultipliers = field(default_factory=lambda: LrMultipliers(image_tower=0.1))
    tower_regularisation: float = weight_setting(0.0)
    """As in step I; the paper stays close to step I by distillation alone."""
    phrase_vectors: int = setting(16, at_least=0, at_most=MOST_VECTORS)
    unmentioned_weight: float = weight_setting(0.2)
    """Of the attributes that the caption does not mention, in the term mentioned_attributes."""
    loss_weights: CaptionLossWeights = field(default_factory=CaptionLossWeights)
    selection: PseudoLabelSelection = field(default_factory=PseudoLabelSelection)
    loss: FederatedLoss = field(default_factory=FederatedLoss)
    image_cache_mb: int = cache_setting()
    validation: StepTwoValidation = field(default_factory=StepTwoValidation)
    optimisation: Optimisation = field(default_factory=Optimisation)


@dataclass
class ProbeTraining:
    """A linear probe on frozen region embeddings, for a few images of your own.

    See docs/own_data.md.
    """

    stage: str = "probe"
    output: str = path_setting()
    seed: int = seed_setting()
    init_from: str = path_setting()
    """Any model: a shipped name, a checkpoint folder (CLIP-Attr or OvarNet), or
    "clip-attr:ARCH/WEIGHTS"."""
    proposer: str = path_setting(DEFAULT_PROPOSER)
    """With clip-attr:ARCH/WEIGHTS alone: the source of boxes that is saved with it, a checkpoint
    folder or a shipped name."""
    data: DataSource = field(default_factory=lambda: DataSource(dataset="custom"))
    penalties: list[float] = setting(
        [0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003], more_than=0, at_most=1e6, items=(1, 1000)
    )
    """L2 penalties that cross-validation chooses from; it may also choose the text scores alone."""
