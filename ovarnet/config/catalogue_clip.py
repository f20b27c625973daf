"""Settings of the stage "catalogue_clip"."""

from __future__ import annotations

from dataclasses import dataclass, field

from ovarnet.config.allowed import path_setting, setting
from ovarnet.config.catalogue import CatalogueData
from ovarnet.config.optimisation import Optimisation
from ovarnet.config.sources import limit_setting, seed_setting, share_setting
from ovarnet.errors import InputError


@dataclass
class CatalogueClipTraining:
    """Continued contrastive training of a CLIP on photos, titles and labels of products."""

    stage: str = "catalogue_clip"
    output: str = path_setting()
    seed: int = seed_setting()
    data: CatalogueData = field(default_factory=CatalogueData)
    limit: int | None = limit_setting()
    model: str = setting()
    """Whose CLIP is trained further: a shipped CLIP-Attr, a checkpoint folder, or
    clip-attr:ARCHITECTURE/TAG_OR_FILE. Of a photo CLIP such as that of photos-clip-attr the head is
    trained, on features that are computed once; of any other, both towers."""
    label_texts: float = share_setting(0.5)
    """How often the text of a product is a phrase of its labels in place of its title."""
    prototypes: float = share_setting(0.2)
    """Share of the loss that matches photos and texts with prototypes of the concepts that a
    product mentions; 0 switches it off."""
    neighbours: float = share_setting(0.2)
    """Share of the loss whose texts are replaced by their nearest neighbours in a queue; 0
    switches it off."""
    queue: int = setting(2048, at_least=1, at_most=2**20)
    """Texts in that queue."""
    image_cache_mb: int = setting(1024, at_least=0, at_most=2**24)
    optimisation: Optimisation = field(default_factory=Optimisation)

    def __post_init__(self) -> None:
        if self.prototypes + self.neighbours >= 1:
            raise InputError("prototypes and neighbours are shares of one loss; give less than 1")
        if self.optimisation.ema:
            raise InputError("optimisation.ema would average the queues of this stage; give 0")
