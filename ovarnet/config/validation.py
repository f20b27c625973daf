"""Settings of the choice among the weights of a run: the last, or those of the lowest loss."""

from __future__ import annotations

from dataclasses import dataclass

from ovarnet.config.allowed import path_setting, setting


@dataclass
class ValidationSchedule:
    """How often the loss on held-out data is measured, and when it ends training."""

    every: int = setting(100, at_least=1, at_most=10_000_000)
    """Iterations from one measurement to the next; the last iteration is measured too."""
    batches: int = setting(8, at_least=1, at_most=2**20)
    """Batches of `optimisation.batch_size` that are measured, the same each time."""
    patience: int = setting(0, at_least=0, at_most=10_000_000)
    """Training stops after so many measurements in a row without a lower loss; 0: never."""


@dataclass
class Validation(ValidationSchedule):
    """Chooses by the loss on a split of the training datasets."""

    split: str | None = path_setting(None)
    """Of the training datasets, such as val; its base words alone are used, so that a novel word
    stays unseen. None: the last weights are kept."""


@dataclass
class CaptionValidation(ValidationSchedule):
    """Chooses by the loss on captions of other images."""

    captions: str | None = path_setting(None)
    """As the setting `captions` of the stage, for other images of the same folder `images`; at
    least one batch of them. None: the last weights are kept."""


@dataclass
class StepTwoValidation(CaptionValidation):
    """Chooses by image_caption, image_phrase and image_phrases on captions of other images.

    The other terms of the loss are not measured: novel words have labels in them. `pseudo_labels`
    has to hold the images, for their largest proposals.
    """

    split: str | None = path_setting(None)
    """With `captions`: the base losses on this split of `detection` and `attributes` are added,
    its base words alone; None: captions only."""
