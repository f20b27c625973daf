"""A split of one's own data, whatever the form of its files: boxes with categories and attributes.

The readers of COCO-style JSON (`ovarnet.data.custom`), VOC XML (`ovarnet.data.voc`) and YOLO text
files (`ovarnet.data.yolo`) fill a `LabelledSplit`; its words are in vocabulary.json, which
``ovarnet prepare`` writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch

from ovarnet.data.coco import labelled_columns
from ovarnet.data.image_folder import ImageRecord
from ovarnet.errors import InputError
from ovarnet.io.skipped import Skipped
from ovarnet.io.word_files import read_vocabulary
from ovarnet.structures import NO_CATEGORY, UNKNOWN, Annotations
from ovarnet.vocabulary import Vocabulary, Word

VOCABULARY = "vocabulary.json"
"""File under the root with the words of all splits."""


@dataclass(frozen=True)
class LabelledBox:
    """One usable annotation.

    Attributes:
        image_id: of its image.
        box: x1, y1, x2, y2 in pixels.
        category: name of its category, or None.
        labels: word -> POSITIVE or NEGATIVE.
        is_crowd: COCO's iscrowd.
        is_difficult: VOC's difficult.
        instance_id: id of the annotation.
    """

    image_id: str
    box: list[float]
    category: str | None
    labels: dict[str, int]
    is_crowd: bool
    is_difficult: bool
    instance_id: str


@dataclass
class LabelledSplit:
    """What is usable of one split.

    Attributes:
        images: image id -> image, in file order.
        categories: name -> parent type, in file order.
        annotations: the usable ones, in file order.
        annotated: ids of the images that have an annotation, usable or not.
        unlisted: label of the attributes that an annotation does not mention.
        labelled_categories: categories whose objects all have a box; None means all of
            `categories`.
    """

    images: dict[str, ImageRecord] = field(default_factory=dict)
    categories: dict[str, str] = field(default_factory=dict)
    annotations: list[LabelledBox] = field(default_factory=list)
    annotated: set[str] = field(default_factory=set)
    unlisted: int = UNKNOWN
    labelled_categories: list[str] | None = None

    @property
    def completely_labelled(self) -> list[str]:
        """Names of the categories whose objects all have a box."""
        if self.labelled_categories is None:
            return list(self.categories)
        return self.labelled_categories

    @property
    def background_images(self) -> set[str]:
        """Ids of the images without an annotation, if that says that nothing is in them."""
        return self.images.keys() - self.annotated if self.completely_labelled else set()


SplitReader = Callable[[Skipped], LabelledSplit]
"""Reads a split, noting what cannot be used."""


def load_labelled(
    read: SplitReader,
    vocabulary: Vocabulary,
    skipped: Skipped | None,
    source: str | Path,
    dataset: str,
) -> list[Annotations]:
    """Read a split and return its annotations.

    Args:
        read: reads the split.
        vocabulary: gives the columns of categories and attributes.
        skipped: where to note what cannot be used; None logs one line.
        source: file or folder of the split, for messages.
        dataset: name of the dataset, for messages.

    Returns:
        As `labelled_annotations`.

    Raises:
        InputError: the split cannot be read, or has no usable annotation.
    """
    notes = Skipped() if skipped is None else skipped
    annotations = labelled_annotations(read(notes), vocabulary, notes, source, dataset)
    if skipped is None:
        notes.log(source)
    return annotations


def labelled_annotations(
    content: LabelledSplit,
    vocabulary: Vocabulary,
    skipped: Skipped,
    source: str | Path,
    dataset: str,
) -> list[Annotations]:
    """The images of a split that have a usable annotation or are background, in file order.

    Args:
        content: the split.
        vocabulary: gives the columns of categories and attributes.
        skipped: what the reader left out; words outside the vocabulary are added.
        source: file or folder of the split, for messages.
        dataset: name of the dataset, for messages.

    Raises:
        InputError: no usable annotation.
    """
    rows: dict[str, list[LabelledBox]] = {}
    for annotation in content.annotations:
        rows.setdefault(annotation.image_id, []).append(annotation)
    if not rows:
        raise InputError(
            f"{source}: none of its annotations can be used: {skipped}; ovarnet prepare {dataset} "
            "lists every problem"
        )
    background = content.background_images
    return [
        _annotations(image, rows.get(image_id, []), content, vocabulary, skipped)
        for image_id, image in content.images.items()
        if image_id in rows or image_id in background
    ]


def labelled_vocabulary(splits: Mapping[str, LabelledSplit]) -> Vocabulary:
    """The words of all splits, in the order in which they occur.

    Args:
        splits: split -> content; words with a box or label in "train" are base words (seen).
    """
    parents: dict[str, str] = {}
    words: dict[str, None] = {}
    for content in splits.values():
        parents |= {
            name: parent for name, parent in content.categories.items() if name not in parents
        }
        words |= dict.fromkeys(
            word for annotation in content.annotations for word in annotation.labels
        )
    training = splits["train"].annotations if "train" in splits else []
    boxed = {annotation.category for annotation in training}
    labelled = {word for annotation in training for word in annotation.labels}
    return Vocabulary(
        tuple(Word(name, parent, name in boxed) for name, parent in parents.items()),
        tuple(Word(word, seen=word in labelled) for word in words),
    )


def open_vocabulary(root: Path, dataset: str) -> Vocabulary:
    """The words of a dataset, from vocabulary.json.

    Args:
        root: folder of the dataset.
        dataset: its name, for messages.

    Raises:
        InputError: there is no such file yet, or it is no vocabulary.
    """
    path = root / VOCABULARY
    if not path.is_file():
        raise InputError(
            f"{path}: no such file; `ovarnet prepare {dataset} --root {root}` writes it"
        )
    return read_vocabulary(path)


def _annotations(
    image: ImageRecord,
    rows: list[LabelledBox],
    content: LabelledSplit,
    vocabulary: Vocabulary,
    skipped: Skipped,
) -> Annotations:
    labels = torch.full((len(rows), len(vocabulary.attributes)), content.unlisted, dtype=torch.int8)
    categories = []
    for number, row in enumerate(rows):
        column = None if row.category is None else vocabulary.category_index.get(row.category)
        categories.append(NO_CATEGORY if column is None else column)
        if row.category is not None and column is None:
            skipped.add(
                "category not in the vocabulary",
                f"{row.category!r} of annotation {row.instance_id}",
            )
        for word, label in row.labels.items():
            if word in vocabulary.attribute_index:
                labels[number, vocabulary.attribute_index[word]] = label
            else:
                skipped.add(
                    "attribute not in the vocabulary", f"{word!r} of annotation {row.instance_id}"
                )
    return Annotations(
        image.file,
        image.image_id,
        image.height,
        image.width,
        [row.box for row in rows],
        categories,
        labels,
        [row.is_crowd for row in rows],
        [row.instance_id for row in rows],
        [row.is_difficult for row in rows],
        labelled_columns(vocabulary, content.completely_labelled),
    )
