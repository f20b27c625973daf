"""Images that OvarNet is trained on, by source, with base labels alone (method sections 5 and 6).

N annotated boxes of an image, C base categories, A base attributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ovarnet.config import OvarnetTraining, RegionHeadTraining
from ovarnet.data.captions import CaptionedImage, load_captions
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
    """An image, its base labels, and which losses it enters.

    Attributes:
        file: Path.
        boxes: (N, 4) float32 xyxy, of base categories or without a category; N may be 0.
        categories: (N,) int64 base columns or NO_CATEGORY.
        attributes: (N, A) int8 of POSITIVE / NEGATIVE / UNKNOWN, base columns.
        is_ignored: (N,) bool, crowd or difficult boxes: they have no label, and candidates inside
            are ignored, not background.
        rpn_supervised: The losses of anchors count this image.
        all_annotated: Every object of a base category has a box, so that regions without one are
            background to all categories.
        labelled: (C,) bool, the base categories of which this is so.
        is_tall: Higher than wide; the sampler does not mix tall and wide images.
    """

    file: str
    boxes: Tensor
    categories: Tensor
    attributes: Tensor
    is_ignored: Tensor
    rpn_supervised: bool
    all_annotated: bool
    labelled: Tensor
    is_tall: bool


@dataclass
class DistillationData:
    """The images of a run.

    Attributes:
        vocabulary: All words, base and novel; for the teacher and for the checkpoint.
        base: The base words, whose columns the labels have.
        sources: Images by source (detection, attributes, captions); a source may be empty.
    """

    vocabulary: Vocabulary
    base: Vocabulary
    sources: dict[str, list[TrainingImage]]

    @classmethod
    def open(
        cls, config: OvarnetTraining | RegionHeadTraining, *, split: str | None = None
    ) -> DistillationData:
        """Read the images of a run.

        Args:
            config: Of the run.
            split: Read in place of the splits of detection and attributes, its base words alone and
                without captions; None: what is trained on.

        Raises:
            InputError: A box or a label of a novel word; whatever the datasets' readers raise.
        """
        held_out = split is not None
        if split is not None:
            config = replace(
                config,
                detection=replace(config.detection, split=split),
                attributes=replace(config.attributes, split=split),
                captions=None,
            )
        source = config.detection
        words, annotated = open_dataset(
            source.dataset, source.root, source.split, base_words_only=held_out
        )
        attribute_words, described = _open_attributes(config, words, base_words_only=held_out)
        vocabulary = Vocabulary(words.categories, attribute_words.attributes)
        base = base_vocabulary(vocabulary)
        count = len(base.attributes)

        # detection data name every object of a base category, attribute data only some objects
        detection = [
            training_image(
                _with_columns(image, words, vocabulary), vocabulary, count, exhaustive=True
            )
            for image in annotated[: config.limit]
        ]
        without_categories = Vocabulary((), attribute_words.attributes)
        not_labelled = torch.zeros(len(base.categories), dtype=torch.bool)
        attributes = [
            replace(
                training_image(
                    _without_categories(image), without_categories, count, exhaustive=False
                ),
                labelled=not_labelled,
            )
            for image in described[: config.limit]
        ]
        captions = [
            _caption_image(image.file, not_labelled, count) for image in _caption_images(config)
        ]
        sources = {DETECTION: detection, ATTRIBUTES: attributes, CAPTIONS: captions}
        return cls(vocabulary, base, sources)

    def shares(self, config: OvarnetTraining) -> dict[str, tuple[int, int]]:
        """For the sampler: how many images a source has, and how many of a batch come from it.

        Raises:
            InputError: A batch needs more caption images than it has images, or detection images
                that are not there.
        """
        batch_size = config.optimisation.batch_size
        captions = config.captions_per_batch if self.sources[CAPTIONS] else 0
        described = 0
        if self.sources[ATTRIBUTES]:
            described = round((batch_size - captions) * config.attribute_share)
        detection = batch_size - captions - described
        if detection < 0 or (detection and not self.sources[DETECTION]):
            raise InputError(
                "the detection data has no image to learn from, or captions_per_batch exceeds "
                "optimisation.batch_size"
            )
        counts = {DETECTION: detection, ATTRIBUTES: described, CAPTIONS: captions}
        return {name: (len(self.sources[name]), count) for name, count in counts.items()}

    def is_tall(self) -> dict[str, list[bool]]:
        """For the sampler: of every image of each source, whether it is higher than wide."""
        return {name: [image.is_tall for image in images] for name, images in self.sources.items()}

    def weights(self) -> tuple[Tensor, Tensor]:
        """Frequency weights of base categories (C,) and attributes (A,), over all sources."""
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


def check_captions(config: OvarnetTraining) -> None:
    """Refuse one half of the caption settings.

    Raises:
        InputError: `captions` without `captions_per_batch` or the reverse.
    """
    if (config.captions is None) != (config.captions_per_batch == 0):
        raise InputError(
            f"captions is {config.captions or 'not given'} and captions_per_batch is "
            f"{config.captions_per_batch}; captions are used when both are given, the second "
            "as a number of images of every batch"
        )


def training_image(
    image: Annotations, words: Vocabulary, attributes: int, *, exhaustive: bool
) -> TrainingImage:
    """Map annotations from columns of a vocabulary to its base columns.

    Args:
        image: Annotations with columns of `words`.
        words: Base and novel words.
        attributes: A, base attributes of the run; where `words` has no attributes, all labels are
            unknown.
        exhaustive: Every object of a base category has a box.

    Raises:
        InputError: A box of a novel category, or a label of a novel attribute.
    """
    seen, seen_attributes = words.category_seen, words.attribute_seen
    labelled = image.categories != NO_CATEGORY
    novel = image.categories[labelled][~seen[image.categories[labelled]]]
    if len(novel):
        raise InputError(
            f"image {image.image_id} has a box of the novel category "
            f"'{words.categories[int(novel[0])].name}'; training may only see base categories"
        )
    if (image.attributes[:, ~seen_attributes] != UNKNOWN).any():
        raise InputError(
            f"image {image.image_id} has a label of a novel attribute; training may only see base "
            "attributes"
        )

    is_labelled = _labelled_columns(image, seen) if exhaustive else torch.zeros_like(seen[seen])
    # base words keep their order: the column of one is the number of base words before it
    columns = torch.full_like(image.categories, NO_CATEGORY)
    columns[labelled] = (seen.cumsum(0) - 1)[image.categories[labelled]]
    return TrainingImage(
        file=image.file,
        boxes=image.boxes,
        categories=columns,
        attributes=(
            image.attributes[:, seen_attributes]
            if len(words.attributes)
            else _unknown(len(image), attributes)
        ),
        is_ignored=image.is_ignored,
        rpn_supervised=True,
        all_annotated=exhaustive and bool(is_labelled.all()),
        labelled=is_labelled,
        is_tall=image.height > image.width,
    )


def _open_attributes(
    config: OvarnetTraining | RegionHeadTraining, words: Vocabulary, *, base_words_only: bool
) -> tuple[Vocabulary, Sequence[Annotations]]:
    """Words and images of the attribute data; no images where the detection data has the labels."""
    source = config.attributes
    if source == config.detection:
        return words, []
    # an object named by a novel category of the detection data must not be seen either
    is_novel = NovelNameFilter(words, ignored_categories(config.detection.dataset))
    return open_dataset(
        source.dataset,
        source.root,
        source.split,
        is_novel=is_novel,
        base_words_only=base_words_only,
    )


def _with_columns(image: Annotations, words: Vocabulary, wanted: Vocabulary) -> Annotations:
    """A copy whose attribute labels have the columns of other words, unknown where there is none.

    Detection data may have attributes of their own beside the attribute data.
    """
    columns = {word.name: column for column, word in enumerate(words.attributes)}
    image = image[torch.arange(len(image))]
    labels = _unknown(len(image), len(wanted.attributes))
    for column, word in enumerate(wanted.attributes):
        if word.name in columns:
            labels[:, column] = image.attributes[:, columns[word.name]]
    image.attributes = labels
    return image


def _labelled_columns(image: Annotations, seen: Tensor) -> Tensor:
    """(C,) bool: the base categories that are labelled completely in an image."""
    if image.labelled_categories is None:
        return torch.ones_like(seen[seen])
    return image.labelled_categories[seen]


def _without_categories(image: Annotations) -> Annotations:
    """A copy without categories: attribute data supervise attributes alone."""
    image = image[torch.arange(len(image))]
    image.categories[:] = NO_CATEGORY
    return image


def _caption_images(config: OvarnetTraining | RegionHeadTraining) -> Sequence[CaptionedImage]:
    if config.captions is None:
        return []
    return load_captions(config.captions, config.caption_images)[: config.limit]


def _caption_image(file: str, not_labelled: Tensor, attributes: int) -> TrainingImage:
    """No box and no label: its proposals carry distillation alone."""
    height, width = read_image_size(file)
    none = torch.zeros(0, dtype=torch.int64)
    return TrainingImage(
        file=file,
        boxes=torch.zeros(0, 4),
        categories=none,
        attributes=_unknown(0, attributes),
        is_ignored=none.bool(),
        rpn_supervised=False,
        all_annotated=False,
        labelled=not_labelled,
        is_tall=height > width,
    )


def _unknown(rows: int, attributes: int) -> Tensor:
    return torch.full((rows, attributes), UNKNOWN, dtype=torch.int8)
