"""Settings of the stages that train FashionBERT, Kaleido-BERT and what they need."""

from __future__ import annotations

from dataclasses import dataclass, field

from ovarnet.config.allowed import path_setting, setting
from ovarnet.config.catalogue import CatalogueData
from ovarnet.config.optimisation import Optimisation
from ovarnet.config.sources import limit_setting, seed_setting


@dataclass
class Crops:
    """How patches become features."""

    network: str = path_setting("scenes-clip-attr")
    """A shipped model or checkpoint folder with a CLIP in it, "resnet50" (torchvision's ImageNet
    weights) or "resnet50:FILE". It is frozen."""
    side: int = setting(64, at_least=16, at_most=1024)
    """Pixels of the square that every patch is resized to."""
    cache: str = path_setting("runs/catalogue/features")
    """Folder of the features of all photos, which are computed once."""


@dataclass
class Encoder:
    """The transformer over title and patches."""

    start: str | None = path_setting(None)
    """A folder of a BERT (config.json, model.safetensors, tokenizer.json) or "minilm" (with the
    extra `photos`). Null: random weights, and a vocabulary trained on the titles; "clip": the same
    with embeddings of words and patches in the space of the CLIP of `crops.network`."""
    layers: int = setting(3, at_least=1, at_most=48)
    """Of a BERT folder the first so many."""
    hidden: int = setting(128, at_least=8, at_most=4096)
    """Width; a BERT folder brings its own."""
    heads: int = setting(4, at_least=1, at_most=64)
    """Of the attention; a BERT folder brings its own."""
    tokens: int = setting(16, at_least=4, at_most=512)
    """Most tokens of a title, with query and special tokens."""
    dropout: float = setting(0.1, at_least=0, less_than=1)


@dataclass
class MatcherDesign:
    """All that builds a trained matcher again; saved in its checkpoint."""

    patches: str = setting("kaleido", one_of=("kaleido", "grid"))
    grid: int = setting(8, at_least=1, at_most=32)
    foreground: bool = True
    tasks: list[str] = setting(items=(1, 7))
    network: str = path_setting()
    side: int = setting(at_least=16, at_most=1024)
    digest: str = setting()
    """Of the weights of the frozen network."""
    features: int = setting(at_least=1, at_most=2**16)
    vocabulary: int = setting(at_least=5, at_most=2**24)
    hidden: int = setting(at_least=8, at_most=4096)
    layers: int = setting(at_least=1, at_most=48)
    heads: int = setting(at_least=1, at_most=64)
    feed_forward: int = setting(at_least=1, at_most=2**16)
    positions: int = setting(at_least=4, at_most=2**16)
    tokens: int = setting(at_least=4, at_most=512)
    dropout: float = setting(0.1, at_least=0, less_than=1)


@dataclass
class MatcherTraining:
    """FashionBERT or Kaleido-BERT: does this photo belong to this title?"""

    stage: str = "catalogue_matcher"
    output: str = path_setting()
    seed: int = seed_setting()
    data: CatalogueData = field(default_factory=CatalogueData)
    """`data.foreground` is Kaleido-BERT's lock on the product."""
    limit: int | None = limit_setting()
    patches: str = setting("kaleido", one_of=("kaleido", "grid"))
    """Five levels from 1 x 1 to 5 x 5, or one grid."""
    grid: int = setting(8, at_least=1, at_most=32)
    """Patches per side with patches=grid."""
    tasks: list[str] = setting(
        ["words", "match", "rotation", "jigsaw", "camouflage", "grey", "blank"],
        one_of=("words", "match", "rotation", "jigsaw", "camouflage", "grey", "blank"),
        items=(1, 7),
    )
    """A grid has words, match and blank."""
    weights: str = setting("sum", one_of=("sum", "equal", "adaptive"))
    """Of the losses: 1 each, 1 / K each, or FashionBERT's adaptive ones."""
    match_weight: float = setting(1.0, at_least=0, at_most=1000)
    """Further factor of the loss of match; 1: as in both papers."""
    negatives: str = setting("any", one_of=("any", "subcategory", "both"))
    """Whose photo a mismatched title gets; both: each of the two half of the time."""
    candidates: int = setting(2, at_least=2, at_most=256)
    """2: pairs, half of them matched, as in both papers. More: groups of so many, one of them
    matched, of one title with several photos or of one photo with several titles; the right one is
    also told from the others by a cross entropy over the group."""
    query_column: str | None = setting(None)
    """Label column that holds what a customer asked for, which is read before the title; null: the
    model reads no queries."""
    alignment: str | None = path_setting(None)
    """Checkpoint of stage `catalogue_alignment`; null: words and patches are masked at random."""
    teacher_forcing: bool = False
    """Follow the aligner's attention while it reads the title, not while it writes its own."""
    crops: Crops = field(default_factory=Crops)
    encoder: Encoder = field(default_factory=Encoder)
    optimisation: Optimisation = field(default_factory=Optimisation)


@dataclass
class AlignmentTraining:
    """The captioner whose attention aligns words and patches (Show, Attend and Tell)."""

    stage: str = "catalogue_alignment"
    output: str = path_setting()
    seed: int = seed_setting()
    data: CatalogueData = field(default_factory=CatalogueData)
    limit: int | None = limit_setting()
    words: int = setting(20, at_least=1, at_most=256)
    """Most words of a title."""
    crops: Crops = field(default_factory=Crops)
    optimisation: Optimisation = field(default_factory=Optimisation)


@dataclass
class LabelTraining:
    """Fine-tuning of a matcher's encoder to tell label columns from photo, title or both."""

    stage: str = "catalogue_labels"
    output: str = path_setting()
    seed: int = seed_setting()
    data: CatalogueData = field(default_factory=CatalogueData)
    """`data.foreground` is that of the matcher, whatever is given."""
    limit: int | None = limit_setting()
    init_from: str = path_setting()
    """Checkpoint of stage `catalogue_matcher`."""
    columns: list[str] = setting(["category", "subcategory"], items=(1, 100))
    cache: str = path_setting("runs/catalogue/features")
    """Folder of the features of all photos."""
    optimisation: Optimisation = field(default_factory=Optimisation)


@dataclass
class TitleTraining:
    """Fine-tuning of a matcher's encoder to write a title from a photo."""

    stage: str = "catalogue_captions"
    output: str = path_setting()
    seed: int = seed_setting()
    data: CatalogueData = field(default_factory=CatalogueData)
    """`data.foreground` is that of the matcher, whatever is given."""
    limit: int | None = limit_setting()
    init_from: str = path_setting()
    """Checkpoint of stage `catalogue_matcher` with the task words."""
    cache: str = path_setting("runs/catalogue/features")
    """Folder of the features of all photos."""
    optimisation: Optimisation = field(default_factory=Optimisation)
