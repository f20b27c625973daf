"""Base and novel never mix over stages.

A novel word of a run must not have had labels in the training of a model that the run is
initialised from.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from ovarnet.checkpoint import Checkpoint
from ovarnet.config import DataSource
from ovarnet.data.datasets import OWN_DATA
from ovarnet.errors import InputError
from ovarnet.vocabulary import Vocabulary

logger = logging.getLogger(__name__)


def check_base_novel(words: Vocabulary, earlier: Checkpoint) -> None:
    """Check the words of a run against an initial model, a teacher or a proposer.

    Args:
        words: Of the run.
        earlier: A checkpoint that the run uses.

    Raises:
        InputError: A novel word of the run was a base word there.
    """
    mixed = words.novel_seen_by(earlier.vocabulary)
    if mixed:
        raise InputError(
            f"{_describe(mixed, earlier)}; train both with the same base / novel split (as in "
            "attributes.dataset=vaw:541/79)"
        )


def check_initial_models(
    words: Vocabulary, earlier: Iterable[Checkpoint], sources: Iterable[DataSource]
) -> None:
    """Check the words of a run against all models that it is initialised from.

    With one's own data (custom, voc, yolo) a mixed word is one logged line, not an error: such data
    may name as novel what a shipped model knows.

    Args:
        words: Of the run.
        earlier: The checkpoints.
        sources: Datasets of the run.

    Raises:
        InputError: A novel word of the run was a base word there, and no dataset is one's own.
    """
    is_own_data = any(source.dataset in OWN_DATA for source in sources)
    for checkpoint in earlier:
        if not is_own_data:
            check_base_novel(words, checkpoint)
            continue
        mixed = words.novel_seen_by(checkpoint.vocabulary)
        if mixed:
            logger.warning(
                "%s; numbers on novel words will not be open-vocabulary numbers",
                _describe(mixed, checkpoint),
            )


def _describe(mixed: list[str], earlier: Checkpoint) -> str:
    return (
        f"{len(mixed)} word(s) that are novel in this run's data, such as '{mixed[0]}', had "
        f"labels in the training of {earlier.folder}"
    )
