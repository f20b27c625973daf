"""What OvarNet learns from: images with base boxes, and regions that the teacher is asked about
(method sections 5 and 6).

N base boxes of an image, K proposals drawn for it, A base attribute words, D the teacher's
embedding width, S side of its crops.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ovarnet.config import OvarnetTraining
from ovarnet.data.captions import load_captions
from ovarnet.data.datasets import ignored_categories, open_dataset
from ovarnet.errors import InputError
from ovarnet.io.images import read_image_size
from ovarnet.losses.federated import frequency_weights
from ovarnet.structures import NO_CATEGORY, UNKNOWN, Annotations
from ovarnet.training.data.base_boxes import ATTRIBUTES, DETECTION, base_vocabulary
from ovarnet.training.data.novel_name_filter import NovelNameFilter
from ovarnet.vocabulary import Vocabulary

CAPTIONS = "captions"


@dataclass
class TrainingImage:
    """An image and what its source allows it to teach.

    boxes: (N, 4), of base categories or without a category. categories: (N,) base columns or
    NO_CATEGORY. attributes: (N, A) base columns. is_crowd: (N,) bool: such a box teaches nothing,
    and what lies in it is no background. rpn_supervised: anchors are judged. all_annotated: every
    object of a base category has a box, so that regions without one are background to all
    categories. is_tall: higher than wide.
    """

    file: str
    boxes: Tensor
    categories: Tensor
    attributes: Tensor
    is_crowd: Tensor
    rpn_supervised: bool
    all_annotated: bool
    is_tall: bool


@dataclass
class DistillationData:
    """vocabulary: all words. base: the seen ones, whose columns the targets have. sources: images
    by source; a source may be empty.
    """

    vocabulary: Vocabulary
    base: Vocabulary
    sources: dict[str, list[TrainingImage]]

    @classmethod
    def open(cls, config: OvarnetTraining) -> DistillationData:
        """Read the data of a run. InputError: a box or a label of a novel word; a caption setting
        without the other.
        """
        if (config.captions is None) != (config.captions_per_batch == 0):
            raise InputError(
                f"captions is {config.captions or 'not given'} and captions_per_batch is "
                f"{config.captions_per_batch}; "
                "captions are used when both are given, the second as a number of images of every "
                "batch"
            )
        words, boxed = open_dataset(
            config.detection.dataset, config.detection.root, config.detection.split
        )
        vocabulary, described = words, []
        if config.attributes != config.detection:
            attribute_words, described = open_dataset(
                config.attributes.dataset,
                config.attributes.root,
                config.attributes.split,
                is_novel=NovelNameFilter(words, ignored_categories(config.detection.dataset)),
            )
            vocabulary = Vocabulary(words.categories, attribute_words.attributes)
            unlabelled = Vocabulary((), attribute_words.attributes)
            described = [_without_categories(image) for image in described[: config.limit]]
        base, none = base_vocabulary(vocabulary), len(base_vocabulary(vocabulary).attributes)
        sources = {
            DETECTION: [
                training_image(image, words, none, exhaustive=True)
                for image in boxed[: config.limit]
            ],
            ATTRIBUTES: [
                training_image(image, unlabelled, none, exhaustive=False) for image in described
            ],
            CAPTIONS: [],
        }
        if config.captions is not None:
            captioned = load_captions(config.captions, config.caption_images)[: config.limit]
            sources[CAPTIONS] = [
                _caption_image(image.file, none, read_image_size(image.file)) for image in captioned
            ]
        return cls(vocabulary, base, sources)

    def shares(self, config: OvarnetTraining) -> dict[str, tuple[int, int]]:
        """For the sampler: images of each source, and how many of a batch come from it."""
        captions = config.captions_per_batch if self.sources[CAPTIONS] else 0
        described = (
            round((config.optimisation.batch_size - captions) * config.attribute_share)
            if self.sources[ATTRIBUTES]
            else 0
        )
        counts = {
            DETECTION: config.optimisation.batch_size - captions - described,
            ATTRIBUTES: described,
            CAPTIONS: captions,
        }
        if counts[DETECTION] < 0 or (counts[DETECTION] and not self.sources[DETECTION]):
            raise InputError(
                "the detection data has no image to learn from, or captions_per_batch exceeds "
                "optimisation.batch_size"
            )
        return {name: (len(self.sources[name]), count) for name, count in counts.items()}

    def is_tall(self) -> dict[str, list[bool]]:
        """For the sampler: of every image of each source."""
        return {name: [image.is_tall for image in images] for name, images in self.sources.items()}

    def weights(self) -> tuple[Tensor, Tensor]:
        """Frequency weights of the base categories (C,) and attributes (A,)."""
        images = [image for source in self.sources.values() for image in source]
        labelled = [image.categories[image.categories != NO_CATEGORY] for image in images]
        counts = torch.bincount(
            torch.cat([torch.zeros(0, dtype=torch.int64), *labelled]),
            minlength=len(self.base.categories),
        )
        known = sum(
            ((image.attributes != UNKNOWN).sum(dim=0) for image in images),
            torch.zeros(len(self.base.attributes)),
        )
        return frequency_weights(counts), frequency_weights(known)


def training_image(
    image: Annotations, words: Vocabulary, attributes: int, *, exhaustive: bool
) -> TrainingImage:
    """Annotations with columns of `words` -> base columns. attributes: A; where `words` has none,
    all labels are unknown.

    InputError: a box of a novel category, or a label of a novel attribute.
    """
    seen, seen_attributes = words.category_seen, words.attribute_seen
    labelled = image.categories != NO_CATEGORY
    novel = image.categories[labelled][~seen[image.categories[labelled]]]
    if len(novel):
        raise InputError(
            f"image {image.image_id} has a box of the novel category "
            f"'{words.categories[int(novel[0])].name}'; "
            "training may only see base categories"
        )
    if (image.attributes[:, ~seen_attributes] != UNKNOWN).any():
        raise InputError(
            f"image {image.image_id} has a label of a novel attribute; training may only see base "
            "attributes"
        )
    columns = torch.full_like(image.categories, NO_CATEGORY)
    columns[labelled] = (seen.cumsum(0) - 1)[image.categories[labelled]]
    known = (
        image.attributes[:, seen_attributes]
        if len(words.attributes)
        else _unknown(len(image), attributes)
    )
    return TrainingImage(
        image.file,
        image.boxes,
        columns,
        known,
        image.is_ignored,
        True,
        exhaustive and _labels_all(image, seen),
        image.height > image.width,
    )


def _labels_all(image: Annotations, seen: Tensor) -> bool:
    """Whether every base category is labelled completely in an image."""
    return image.labelled_categories is None or bool(image.labelled_categories[seen].all())


def _without_categories(image: Annotations) -> Annotations:
    """The attribute data teaches attributes alone, whatever its objects are called."""
    image = image[torch.arange(len(image))]
    image.categories[:] = NO_CATEGORY
    return image


def _caption_image(file: str, attributes: int, size: tuple[int, int]) -> TrainingImage:
    none = torch.zeros(0, dtype=torch.int64)
    return TrainingImage(
        file,
        torch.zeros(0, 4),
        none,
        _unknown(0, attributes),
        none.bool(),
        False,
        False,
        size[0] > size[1],
    )


def _unknown(rows: int, attributes: int) -> Tensor:
    return torch.full((rows, attributes), UNKNOWN, dtype=torch.int8)
