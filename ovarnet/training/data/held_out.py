"""Held-out batches, by whose loss a stage chooses among the weights of its run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ovarnet.config import Validation
from ovarnet.config.sources import DataSource
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
    fixed = list(keys)

    def batches() -> Iterator[Any]:
        return (dataset.__getitems__(batch) for batch in fixed)

    return BestWeights(batches, settings, output, is_main=is_main)
