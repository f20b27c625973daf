"""Settings of the stage "clip"."""

from __future__ import annotations

from dataclasses import dataclass, field

from ovarnet.config.allowed import path_setting
from ovarnet.config.optimisation import Optimisation
from ovarnet.config.sources import ClipSettings, cache_setting, limit_setting, seed_setting
from ovarnet.config.validation import CaptionValidation


@dataclass
class ClipTraining:
    """Pre-training a CLIP on image-caption pairs with the symmetric InfoNCE loss."""

    stage: str = "clip"
    output: str = path_setting()
    seed: int = seed_setting()
    root: str = path_setting()
    captions: str = path_setting("annotations/captions_photos.json")
    """Under `root`: a COCO captions file, a table of CC3M or CC12M, or WebDataset shards ("*.tar"),
    see `ovarnet.data.captions`."""
    images: str = path_setting("photos")
    """Under `root`: the folder of their images; not used with shards, which hold theirs."""
    image_cache_mb: int = cache_setting(4096)
    """Images at the tower's input size; a corpus that needs more is read at every visit."""
    limit: int | None = limit_setting()
    clip: ClipSettings = field(default_factory=ClipSettings)
    bag_of_words_init: bool = False
    """Initialise the text tower as a weighted bag of words; only for a small CLIP trained from
    scratch on few words (`ovarnet.training.clip.bag_of_words_init`)."""
    validation: CaptionValidation = field(default_factory=CaptionValidation)
    optimisation: Optimisation = field(default_factory=Optimisation)
