"""Held-out batches, by whose loss a stage chooses among the weights of its run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ovarnet.config import Validation, ValidationSchedule
from ovarnet.config.sources import DataSource
from ovarnet.data.captions import CaptionedImage
from ovarnet.errors import InputError
from ovarnet.training.engine.best_weights import BestWeights
from ovarnet.training.engine.loop import BatchDataset
from ovarnet.vocabulary import Vocabulary


def check_held_out(split: str, *trained: DataSource) -> None:
    """Refuse a validation split that is trained on.

    Raises:
        InputError: It is the split of a training source.
    """
    if split in {source.split for source in trained}:
        raise InputError(
            f"validation.split {split} is trained on; give a split of its own, such as val"
        )


def check_same_words(split: str, held_out: Vocabulary, base: Vocabulary) -> None:
    """Refuse held-out data whose labels have other columns than the training data.

    Raises:
        InputError: The base words differ.
    """
    if held_out != base:
        raise InputError(
            f"validation.split {split} has other base words than the training data; run "
            "ovarnet prepare on the whole dataset again"
        )


def best_by_loss(
    dataset: BatchDataset,
    keys: Iterable[list[Any]],
    settings: Validation,
    output: Path,
    *,
    is_main: bool,
) -> BestWeights:
    """What chooses by the loss on fixed batches of a dataset.

    Args:
        dataset: Held out.
        keys: Of each batch, as a sampler gives them.
        settings: How often it is measured, and how long without success.
        output: Folder of the run.
        is_main: Whether this process writes the weights.

    Raises:
        InputError: The dataset is empty.
    """
    if not len(dataset):
        raise InputError(f"validation.split {settings.split} has no box to measure; annotate some")
    return best_on_batches(dataset, keys, settings, output, is_main=is_main)


def check_held_out_captions(
    source: str, held_out: Sequence[CaptionedImage], trained: Sequence[CaptionedImage]
) -> None:
    """Refuse validation captions of images that are trained on.

    Args:
        source: The setting `validation.captions`, for the error.
        held_out: Its images.
        trained: Images of the training captions.

    Raises:
        InputError: There is no image, or an image is trained on.
    """
    if not held_out:
        raise InputError(f"validation.captions {source} has no image with a caption; add some")
    shared = {image.file for image in held_out} & {image.file for image in trained}
    if shared:
        raise InputError(
            f"validation.captions {source}: {len(shared)} of its {len(held_out)} images are "
            f"trained on, such as {min(shared)}; give captions of other images"
        )


def whole_batches(source: str, images: int, batch_size: int, most: int) -> int:
    """The number of batches in which no image occurs twice.

    An image that occurs twice in a batch would be a negative of its own caption.

    Args:
        source: The setting `validation.captions`, for the error.
        images: That can be used.
        batch_size: Images of a batch.
        most: Batches that are asked for.

    Raises:
        InputError: The images are fewer than a batch.
    """
    if images < batch_size:
        raise InputError(
            f"validation.captions {source} has {images} images that can be used, fewer than "
            f"optimisation.batch_size, {batch_size}; add images or lower the batch size"
        )
    return min(most, images // batch_size)


def best_on_batches(
    dataset: BatchDataset,
    keys: Iterable[list[Any]],
    settings: ValidationSchedule,
    output: Path,
    *,
    is_main: bool,
) -> BestWeights:
    """As `best_by_loss`, of a dataset that is known to hold samples."""
    fixed = list(keys)

    def batches() -> Iterator[Any]:
        return (dataset.__getitems__(batch) for batch in fixed)

    return BestWeights(batches, settings, output, is_main=is_main)
