"""Our datasets in detectron2's DatasetCatalog and MetadataCatalog."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import torch
from detectron2.data import DatasetCatalog, MetadataCatalog
from torch import Tensor

from ovarnet.data.datasets import open_dataset
from ovarnet.errors import InputError
from ovarnet.integrations.detectron2.dataset_dicts import OBJECT, to_dataset_dict
from ovarnet.structures import NO_CATEGORY, UNKNOWN, Annotations
from ovarnet.vocabulary import Vocabulary, Word

EVALUATOR_TYPE = "ovarnet"
BUILTIN = {
    "scenes": ("scenes", ("train", "val", "test")),
    "coco-ovd": ("coco", ("train", "val")),
    "vaw": ("vaw", ("train", "val", "test")),
    "ovad": ("ovad", ("test",)),
    "lsa": ("lsa", ("train", "val", "test")),
}
"""Dataset -> its folder under $DETECTRON2_DATASETS, and its splits."""


def register_builtin() -> None:
    """Register ``ovarnet_NAME_SPLIT`` for the datasets of `BUILTIN`, as detectron2 does for COCO.

    Folders are those of datasets/README.md, under $DETECTRON2_DATASETS or else ``datasets``.
    Nothing is read before a dataset is used.
    """
    root = Path(os.environ.get("DETECTRON2_DATASETS", "datasets"))
    for dataset, (folder, splits) in BUILTIN.items():
        for split in splits:
            register_dataset(f"ovarnet_{dataset}_{split}", dataset, root / folder, split)


def register_dataset(
    name: str,
    dataset: str,
    root: str | Path,
    split: str,
    *,
    vocabulary: Vocabulary | None = None,
) -> None:
    """Register a split of a dataset; it is read when it is used.

    The metadata, which detectron2 has once the dataset was read: ``thing_classes`` and
    ``attribute_classes``, the names; ``vocabulary``, the words themselves, which say what is base
    and what is novel; ``evaluator_type``. Where boxes have no category, ``thing_classes`` ends with
    the class "object".

    Args:
        name: In the catalogs.
        dataset: As for `ovarnet.data.datasets.open_dataset`, such as "coco-ovd:48/17" or "custom".
        root: Folder of the dataset.
        split: One of its splits; what is novel is removed from "train".
        vocabulary: Words of several datasets that are trained on together, such as the categories
            of COCO and the attributes of VAW. Labels of words that it lacks are dropped, and an
            image counts as completely annotated for the categories of its own dataset alone. None:
            the words of the dataset.

    Raises:
        InputError: The name is taken.
    """
    if name in DatasetCatalog.list():
        raise InputError(f"detectron2 has a dataset {name!r} already; give another name")
    DatasetCatalog.register(name, partial(_read, name, dataset, root, split, vocabulary))
    MetadataCatalog.get(name).set(evaluator_type=EVALUATOR_TYPE)


def dataset_vocabulary(name: str) -> Vocabulary:
    """The words of a registered dataset.

    Raises:
        InputError: It is not one of `register_dataset`, or was not read yet.
    """
    vocabulary = MetadataCatalog.get(name).get("vocabulary")
    if vocabulary is None:
        raise InputError(
            f"dataset {name!r} has no vocabulary in its metadata; register it with "
            "ovarnet.integrations.detectron2.register_dataset, or set metadata.vocabulary"
        )
    return vocabulary


def read_dataset(name: str) -> list[dict[str, Any]]:
    """The dataset dicts of a registered dataset.

    Raises:
        InputError: There is none of this name, or it cannot be read.
    """
    if name not in DatasetCatalog.list():
        raise InputError(
            f"detectron2 has no dataset {name!r}; register it with "
            "ovarnet.integrations.detectron2.register_dataset"
        )
    return DatasetCatalog.get(name)


def _read(
    name: str, dataset: str, root: str | Path, split: str, vocabulary: Vocabulary | None
) -> list[dict[str, Any]]:
    words, images = open_dataset(dataset, root, split)
    if vocabulary is not None:
        images = [_in_columns_of(vocabulary, image, words) for image in images]
    kept = words if vocabulary is None else vocabulary
    records = [to_dataset_dict(image, kept) for image in images]

    # datasets of one vocabulary must agree on their classes, whether or not this one needs the last
    classes = list(kept.category_names)
    if vocabulary is not None or _has_uncategorised(records, len(classes)):
        classes.append(OBJECT)
    MetadataCatalog.get(name).set(
        thing_classes=classes, attribute_classes=kept.attribute_names, vocabulary=kept
    )
    return records


def _has_uncategorised(records: list[dict[str, Any]], categories: int) -> bool:
    return any(
        one["category_id"] == categories for record in records for one in record["annotations"]
    )


def _in_columns_of(vocabulary: Vocabulary, image: Annotations, words: Vocabulary) -> Annotations:
    """The annotations with columns of `vocabulary` instead of `words`."""
    # one place more, for NO_CATEGORY = -1 indexes the last one
    columns = torch.tensor([*_columns(words.categories, vocabulary.category_index), NO_CATEGORY])
    attribute_columns = _columns(words.attributes, vocabulary.attribute_index)
    known = [column for column, new in enumerate(attribute_columns) if new >= 0]
    attributes = torch.full(
        (len(image), len(vocabulary.attributes)), UNKNOWN, dtype=image.attributes.dtype
    )
    attributes[:, [attribute_columns[column] for column in known]] = image.attributes[:, known]
    return Annotations(
        image.file,
        image.image_id,
        image.height,
        image.width,
        image.boxes,
        columns[image.categories],
        attributes,
        image.is_crowd,
        image.instance_ids,
        image.is_difficult,
        _labelled(image, columns[:-1], len(vocabulary.categories)),
    )


def _columns(words: tuple[Word, ...], index: dict[str, int]) -> list[int]:
    """The new column of each word; -1 where it has none."""
    return [index.get(word.name, NO_CATEGORY) for word in words]


def _labelled(image: Annotations, columns: Tensor, categories: int) -> Tensor:
    """(C,) bool, the categories that the image's own dataset annotates completely."""
    own = image.labelled_categories
    mine = columns if own is None else columns[own]
    is_labelled = torch.zeros(categories, dtype=torch.bool)
    is_labelled[mine[mine >= 0]] = True
    return is_labelled
