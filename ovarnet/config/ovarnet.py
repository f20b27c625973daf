"""Settings of the stage "ovarnet": architecture, distillation, loss weights."""

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
from ovarnet.errors import InputError

NORM_GROUPS = 8
"""Groups of the normalisation in the head "average"."""
MOST_PIXELS = 8192
"""Longest side of an image that the detector is run on."""


@dataclass
class OvarnetDesign:
    """The architecture of OvarNet (method section 5); saved with its weights."""

    channels: int = setting(256, at_least=1, at_most=8192)
    """Width of the feature pyramid."""
    finest_stride: int = setting(4, one_of=(4, 8))
    """8 starts the pyramid one map later: faster, at a cost for small objects."""
    coarser_map: bool = True
    """A map of stride 64 for the largest anchors."""
    window: int = setting(0, at_least=0, at_most=1024)
    """ViT only: side of the attention windows in patches; 0: global attention in every block."""
    short_side: tuple[int, int] = setting((800, 800), at_least=1, at_most=MOST_PIXELS, items=(2, 2))
    """Smallest and largest short side: an image within is left as it is, any other is resized to
    the nearer end."""
    long_side: int = setting(1024, at_least=1, at_most=MOST_PIXELS)
    train_short_sides: list[int] = setting(
        list(range(640, 801, 32)), at_least=1, at_most=MOST_PIXELS
    )
    """In training the short side is drawn from these; empty: as at inference."""
    anchor_sizes: list[int] = setting(
        [32, 64, 128, 256, 512], at_least=1, at_most=MOST_PIXELS, items=(1, 100)
    )
    """Pixels, one for each map, finest first."""
    anchor_scales: list[float] = setting([1.0], more_than=0, at_most=1000, items=(1, 100))
    """A map carries anchors of its size times each of these; two of them, 1 and 1.41, make up for a
    map that is left out."""
    rpn_convolutions: int = setting(2, at_least=1, at_most=100)
    rpn_pre_nms: tuple[int, int] = setting((1000, 2000), at_least=1, at_most=10**6, items=(2, 2))
    """Proposals of each map before non-maximum suppression, in training and at inference."""
    rpn_post_nms: tuple[int, int] = setting((500, 1000), at_least=1, at_most=10**6, items=(2, 2))
    box_stage_width: int = setting(0, at_least=0, at_most=8192)
    """Width of a class-agnostic stage that scores and refines the RPN's boxes once more before any
    is embedded; 0: there is none, as in the paper."""
    proposals: int = setting(100, at_least=1, at_most=100_000)
    """Regions pooled per image at inference."""
    head: str = setting("attention", one_of=("attention", "average", "clip"))
    """clip: CLIP's own last stages and attention pool; ResNets only."""
    clip_source: str = setting("c4", one_of=("c2", "c3", "c4"))
    """Head clip: map that regions are pooled from; CLIP's stages after it run on every region."""
    roi_size: int = setting(14, at_least=1, at_most=256)
    roi_canonical_size: int = setting(112, at_least=1, at_most=MOST_PIXELS)
    """Side of a box that is pooled from stride 16."""
    square_regions: bool = False
    """Pool the square around a box, empty outside of it, as CLIP-Attr's crops; otherwise boxes are
    warped to squares, as in the paper."""
    width: int = setting(512, at_least=1, at_most=8192)
    layers: int = setting(4, at_least=0, at_most=100)
    heads: int = setting(8, at_least=1, at_most=1024)
    hidden: int = setting(1024, at_least=1, at_most=65536)
    dropout: float = setting(0.1, at_least=0, less_than=1)

    def __post_init__(self) -> None:
        low, high = self.short_side
        if low > high:
            raise InputError(f"design.short_side is {low} to {high}; the smaller one comes first")
        if self.head == "attention" and self.roi_size % 2:
            raise InputError(
                f"design.roi_size is {self.roi_size}; patch merging needs an even number"
            )
        divisor = {"attention": self.heads, "average": NORM_GROUPS}.get(self.head, 1)
        if divisor and self.width % divisor:
            raise InputError(
                f"design.width is {self.width}; head {self.head} needs a multiple of {divisor}"
                + (", the value of design.heads" if self.head == "attention" else "")
            )


@dataclass
class Distillation:
    """How OvarNet learns from CLIP-Attr (method section 6)."""

    kind: str = setting("probability", one_of=("probability", "feature", "none"))
    """probability: KL over all words, base and novel; feature: 1 - cosine of the embeddings."""
    attribute_weight: float = weight_setting(0.5)
    category_weight: float = weight_setting(1.0)
    proposals_per_image: int = setting(8, at_least=0, at_most=10_000)
    """Proposals beside the base boxes that carry distillation alone, drawn from the teacher's."""
    adapter: bool = False
    """A small network behind the teacher, supervised by labels of base words, as in the authors'
    code; the paper has none."""
    teacher_proposals_per_image: int = setting(30, at_least=0, at_most=10_000)
    """The teacher's best proposals, which `proposals_per_image` are drawn from."""
    cache_embeddings: bool = False
    """Compute the teacher's embedding of every box and proposal once, before training; otherwise at
    every visit. The result is the same."""


@dataclass
class OvarnetLossWeights:
    """Weights of the loss terms that need labels (method section 5)."""

    rpn_objectness: float = weight_setting(2.0)
    rpn_boxes: float = weight_setting(2.0)
    boxes: float = weight_setting(1.0)
    categories: float = weight_setting(1.0)
    background: float = weight_setting(1.0)
    """All-negative category loss of regions without an object, on images whose objects are all
    annotated."""
    attributes: float = weight_setting(1.0)


@dataclass
class OvarnetTraining:
    """OvarNet, the one-stage model (method sections 5 and 6).

    Supervised by base boxes, distilled from CLIP-Attr.
    """

    stage: str = "ovarnet"
    output: str = path_setting()
    seed: int = seed_setting()
    teacher: str = path_setting()
    """CLIP-Attr, a checkpoint folder or a shipped name: text side, initial image tower (unless
    `backbone` is given), and the teacher of distillation."""
    backbone: ClipSettings | None = None
    """Another CLIP whose image tower is the backbone, such as RN50 under a ViT-B-16 teacher; None:
    the teacher's."""
    backbone_lr_multiplier: float = setting(0.0, at_least=0, at_most=1e6)
    """Learning rate of the image tower as a multiple of `optimisation.lr`; 0 freezes it. BatchNorm
    always keeps CLIP's statistics."""
    detection: DataSource = field(default_factory=DataSource)
    attributes: DataSource = field(default_factory=DataSource)
    """When it is the same data as `detection`, a box carries the losses of both."""
    proposals: list[str] = setting([], is_path=True)
    """Folders that `ovarnet propose` wrote for the training images; empty: the teacher's proposer
    is run before the first iteration, by one process, which takes hours on full-size data."""
    attribute_share: float = share_setting()
    """Share of a batch's images that come from the attribute data, where that is another one."""
    captions: str | None = path_setting(None)
    """Captions, as in step II: their images carry distillation on proposals, nothing else; None: no
    such images."""
    caption_images: str | None = path_setting(None)
    """Folder of their images; not used with shards."""
    captions_per_batch: int = setting(0, at_least=0, at_most=2**16)
    limit: int | None = limit_setting()
    roi_batch_size: int = setting(256, at_least=1, at_most=100_000)
    """Regions per image in the losses, half of them positive."""
    rpn_batch_size: int = setting(256, at_least=1, at_most=100_000)
    """Anchors per image in the losses, half of them positive."""
    design: OvarnetDesign = field(default_factory=OvarnetDesign)
    distillation: Distillation = field(default_factory=Distillation)
    loss_weights: OvarnetLossWeights = field(default_factory=OvarnetLossWeights)
    image_cache_mb: int = cache_setting()
    optimisation: Optimisation = field(default_factory=Optimisation)
