"""The boxes that step I learns from: base words only, every data set in its own label space.

R boxes of a source, A base attribute words, C base category words, D the embedding width, S side of
the image tower's input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ovarnet.config import DataSource, FederatedLoss
from ovarnet.data.datasets import ignored_categories, open_dataset
from ovarnet.errors import InputError
from ovarnet.losses.federated import frequency_weights, sample_categories
from ovarnet.structures import NO_CATEGORY, UNKNOWN, Annotations
from ovarnet.training.data.batch import TensorBatch
from ovarnet.training.data.crops import CropRule, seeded, stack
from ovarnet.training.data.novel_name_filter import NovelNameFilter
from ovarnet.vocabulary import Vocabulary

DETECTION, ATTRIBUTES = "detection", "attributes"


@dataclass
class TrainingBoxes:
    """Boxes of one source, one row each. files: R paths. boxes: (R, 4). targets: (R,) base category
    columns, or (R, A) base labels.
    """

    files: list[str]
    boxes: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.files)

    def first(self, count: int) -> TrainingBoxes:
        return TrainingBoxes(self.files[:count], self.boxes[:count], self.targets[:count])


def base_vocabulary(vocabulary: Vocabulary) -> Vocabulary:
    """The seen words alone, in their order: the only ones that step I has columns for."""
    return Vocabulary(
        *(
            tuple(word for word in words if word.seen)
            for words in (vocabulary.categories, vocabulary.attributes)
        )
    )


def detection_boxes(images: list[Annotations], vocabulary: Vocabulary) -> TrainingBoxes:
    """Boxes with a category; targets are columns of `base_vocabulary`. Crowd and difficult boxes are left out.
    InputError: a box of a novel category.
    """
    seen = vocabulary.category_seen
    column = seen.cumsum(0) - 1
    kept = [image[(image.categories != NO_CATEGORY) & ~image.is_ignored] for image in images]
    for image in kept:
        if not seen[image.categories].all():
            word = vocabulary.categories[int(image.categories[~seen[image.categories]][0])].name
            raise InputError(
                f"image {image.image_id} has a box of the novel category '{word}'; training may "
                "only see base categories"
            )
    return _regions(
        kept, [column[image.categories] for image in kept], torch.zeros(0, dtype=torch.int64)
    )


def attribute_boxes(images: list[Annotations], vocabulary: Vocabulary) -> TrainingBoxes:
    """Boxes with at least one known attribute; targets are the columns of `base_vocabulary`.
    InputError: a label of a novel attribute.
    """
    seen = vocabulary.attribute_seen
    for image in images:
        wrong = (image.attributes[:, ~seen] != UNKNOWN).any(dim=0).nonzero().flatten()
        if len(wrong):
            word = [word for word in vocabulary.attributes if not word.seen][int(wrong[0])].name
            raise InputError(
                f"image {image.image_id} has a label of the novel attribute '{word}'; training "
                "may only see base attributes"
            )
    kept = [image[(image.attributes != UNKNOWN).any(dim=1) & ~image.is_ignored] for image in images]
    return _regions(
        kept,
        [image.attributes[:, seen] for image in kept],
        torch.zeros(0, int(seen.sum()), dtype=torch.int8),
    )


def _regions(images: list[Annotations], targets: list[Tensor], no_target: Tensor) -> TrainingBoxes:
    return TrainingBoxes(
        [image.file for image in images for _ in range(len(image))],
        torch.cat([torch.zeros(0, 4), *(image.boxes for image in images)]),
        torch.cat([no_target, *targets]),
    )


@dataclass
class BaseData:
    """What step I trains on. vocabulary: all words, for the checkpoint. base: the seen ones, whose
    columns the targets have.
    """

    vocabulary: Vocabulary
    base: Vocabulary
    detection: TrainingBoxes
    attributes: TrainingBoxes

    @classmethod
    def open(
        cls, detection: DataSource, attributes: DataSource, *, limit: int | None = None
    ) -> BaseData:
        """Categories are the detection data's words, attributes the attribute data's. limit: images
        that are read of each.

        Boxes of the attribute data whose object means a novel or ignored category of the detection
        data are left out: those have no box in training, whatever the box is labelled with.
        """
        category_words, boxed = open_dataset(detection.dataset, detection.root, detection.split)
        is_novel = NovelNameFilter(category_words, ignored_categories(detection.dataset))
        attribute_words, described = (
            (category_words, boxed)
            if attributes == detection
            else open_dataset(
                attributes.dataset, attributes.root, attributes.split, is_novel=is_novel
            )
        )
        boxed, described = boxed[:limit], described[:limit]
        vocabulary = Vocabulary(category_words.categories, attribute_words.attributes)
        return cls(
            vocabulary,
            base_vocabulary(vocabulary),
            detection_boxes(boxed, category_words),
            attribute_boxes(described, attribute_words),
        )

    def shares(self, batch: int, detection_share: float) -> dict[str, tuple[int, int]]:
        """For `MixedSampler`: boxes of each source, and how many of a batch come from it."""
        if not 0 <= detection_share <= 1:
            raise InputError(f"detection_share is {detection_share}; it must lie between 0 and 1")
        boxes = round(batch * detection_share)
        shares = {
            DETECTION: (len(self.detection), boxes),
            ATTRIBUTES: (len(self.attributes), batch - boxes),
        }
        for name, (length, count) in shares.items():
            if count and not length:
                raise InputError(
                    f"the {name} data has no box to learn from; check its root and split, or set "
                    "detection_share"
                )
        return shares

    def category_counts(self) -> Tensor:
        """(C,): boxes of each base category."""
        return torch.bincount(self.detection.targets, minlength=len(self.base.categories))

    def attribute_counts(self) -> Tensor:
        """(A,): known labels, positive and negative, of each base attribute."""
        return (self.attributes.targets != UNKNOWN).sum(dim=0)

    def weights(self, loss: FederatedLoss) -> tuple[Tensor, Tensor]:
        """Frequency weights of the base categories (C,) and attributes (A,)."""
        return (
            frequency_weights(self.category_counts(), loss.frequency_power),
            frequency_weights(self.attribute_counts(), loss.frequency_power),
        )


@dataclass
class BaseBoxBatch(TensorBatch):
    """Boxes of step I: R1 of the detection data, then R2 of the attribute data; R = R1 + R2.

    Either `crops` or `embeddings` is given. R1 and R2 may be 0.

    Attributes:
        categories: (R1,) int64 base columns.
        attributes: (R2, A) int8 of POSITIVE / NEGATIVE / UNKNOWN, base columns.
        sampled_categories: (C,) bool, the columns in the category loss; None: all.
        crops: (R, 3, S, S) float32, normalised.
        embeddings: (R, D) float32 of cached crops.
    """

    categories: Tensor
    attributes: Tensor
    sampled_categories: Tensor | None = None
    crops: Tensor | None = None
    embeddings: Tensor | None = None


class BaseBoxDataset(Dataset):
    """Batches of step I.

    Args:
        data: The boxes.
        crops: Cuts them.
        seed: Of the run; what is drawn at a visit depends on it, the iteration and the box.
        sampled_categories: Category columns in the loss of a batch; 0: all.
        embedder: Gives cached embeddings of (iteration, source, index) keys, used instead of crops.
    """

    def __init__(
        self,
        data: BaseData,
        crops: CropRule,
        *,
        seed: int,
        sampled_categories: int = 0,
        embedder: Callable[[Sequence[tuple[int, str, int]]], Tensor] | None = None,
    ):
        self.data, self.crops, self.seed = data, crops, seed
        self.sampled_categories, self.embedder = sampled_categories, embedder
        self.counts = data.category_counts()

    def __len__(self) -> int:
        return len(self.data.detection) + len(self.data.attributes)

    def __getitems__(self, keys: Sequence[tuple[int, str, int]]) -> BaseBoxBatch:
        """Batch of (iteration, source, index) keys, detection first."""
        rows = {
            name: [index for _, source, index in keys if source == name]
            for name in (DETECTION, ATTRIBUTES)
        }
        batch = BaseBoxBatch(
            self.data.detection.targets[rows[DETECTION]],
            self.data.attributes.targets[rows[ATTRIBUTES]],
        )
        if self.sampled_categories:
            generator = seeded(self.seed, 1, keys[0][0])
            batch.sampled_categories = sample_categories(
                batch.categories, self.counts, self.sampled_categories, generator
            )
        if self.embedder is not None:
            batch.embeddings = self.embedder(keys)
        else:
            batch.crops = stack([self._crop(*key) for key in keys], self.crops)
        return batch

    def _crop(self, iteration: int, source: str, index: int) -> Tensor:
        regions = self.data.detection if source == DETECTION else self.data.attributes
        draw = seeded(self.seed, iteration, index, int(source == DETECTION))
        return self.crops.random(regions.files[index], regions.boxes[index : index + 1], draw)
