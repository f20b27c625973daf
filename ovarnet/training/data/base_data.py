"""The data of step I: boxes with base categories, and boxes with base attributes.

A base attributes, C base categories.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ovarnet.config import DataSource, FederatedLoss
from ovarnet.data.datasets import ignored_categories, open_dataset
from ovarnet.errors import InputError
from ovarnet.losses.federated import frequency_weights
from ovarnet.structures import UNKNOWN
from ovarnet.training.data.base_boxes import (
    ATTRIBUTES,
    DETECTION,
    TrainingBoxes,
    attribute_boxes,
    base_vocabulary,
    detection_boxes,
)
from ovarnet.training.data.novel_name_filter import NovelNameFilter
from ovarnet.vocabulary import Vocabulary


@dataclass
class BaseData:
    """Both sources of step I.

    Attributes:
        vocabulary: All words, saved with the checkpoint.
        base: The seen words, whose columns the targets have.
        detection: Boxes with categories.
        attributes: Boxes with attributes.
    """

    vocabulary: Vocabulary
    base: Vocabulary
    detection: TrainingBoxes
    attributes: TrainingBoxes

    @classmethod
    def open(
        cls,
        detection: DataSource,
        attributes: DataSource,
        *,
        limit: int | None = None,
        split: str | None = None,
    ) -> BaseData:
        """Read both sources.

        Boxes of the attribute data whose object is named like a novel or ignored category of the
        detection data are left out: such an object has no box in training, whatever its labels.

        Args:
            detection: Gives the categories.
            attributes: Gives the attributes; the boxes of one dataset may serve as both.
            limit: Images that are used of each source; None: all.
            split: Read in place of the splits of both sources, its base words alone; None: theirs.

        Raises:
            InputError: A box or a label of a novel word, or a file that cannot be read.
        """
        held_out = split is not None
        if split is not None:
            detection, attributes = (
                replace(source, split=split) for source in (detection, attributes)
            )
        category_words, boxed = open_dataset(
            detection.dataset, detection.root, detection.split, base_words_only=held_out
        )
        is_novel = NovelNameFilter(category_words, ignored_categories(detection.dataset))
        attribute_words, described = (
            (category_words, boxed)
            if attributes == detection
            else open_dataset(
                attributes.dataset,
                attributes.root,
                attributes.split,
                is_novel=is_novel,
                base_words_only=held_out,
            )
        )
        vocabulary = Vocabulary(category_words.categories, attribute_words.attributes)
        return cls(
            vocabulary,
            base_vocabulary(vocabulary),
            detection_boxes(boxed[:limit], category_words),
            attribute_boxes(described[:limit], attribute_words),
        )

    def shares(self, batch_size: int, detection_share: float) -> dict[str, tuple[int, int]]:
        """How a batch is made up, for `MixedSampler`.

        Args:
            batch_size: Boxes of a batch.
            detection_share: Share of them that comes from the detection data, 0 to 1.

        Returns:
            Source -> (number of its boxes, how many of a batch come from it).

        Raises:
            InputError: A source that is used has no box.
        """
        boxes = round(batch_size * detection_share)
        shares = {
            DETECTION: (len(self.detection), boxes),
            ATTRIBUTES: (len(self.attributes), batch_size - boxes),
        }
        for name, (length, count) in shares.items():
            if count and not length:
                raise InputError(
                    f"the {name} data has no box to learn from; check its root and split, or set "
                    "detection_share"
                )
        return shares

    def category_counts(self) -> Tensor:
        """(C,) int64: boxes of each base category."""
        return torch.bincount(self.detection.targets, minlength=len(self.base.categories))

    def attribute_counts(self) -> Tensor:
        """(A,) int64: known labels, positive and negative, of each base attribute."""
        return (self.attributes.targets != UNKNOWN).sum(dim=0)

    def weights(self, loss: FederatedLoss) -> tuple[Tensor, Tensor]:
        """Frequency weights of the base categories, (C,), and attributes, (A,)."""
        return (
            frequency_weights(self.category_counts(), loss.frequency_power),
            frequency_weights(self.attribute_counts(), loss.frequency_power),
        )
