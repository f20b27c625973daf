"""Base and novel never mix over stages: what a run calls novel must not have had labels in the
model that it goes on from.
"""

from __future__ import annotations

import logging

from ovarnet.checkpoint import Checkpoint
from ovarnet.errors import InputError
from ovarnet.vocabulary import Vocabulary

logger = logging.getLogger(__name__)


def check_base_novel(words: Vocabulary, before: Checkpoint) -> None:
    """words: of the run. before: what it goes on from: a start, a teacher or a proposer. InputError
    when they divide differently.
    """
    mixed = words.novel_seen_by(before.vocabulary)
    if mixed:
        raise InputError(
            f"{_what(mixed, before)}; train both with the same base / novel division (as in "
            "attributes.dataset=vaw:541/79)"
        )


def warn_base_novel(words: Vocabulary, before: Checkpoint) -> None:
    """As `check_base_novel`, where no such claim need be meant: one's own data may name as novel
    what a shipped model knows.
    """
    mixed = words.novel_seen_by(before.vocabulary)
    if mixed:
        logger.warning(
            "%s; numbers on novel words will not be open-vocabulary numbers", _what(mixed, before)
        )


def _what(mixed: list[str], before: Checkpoint) -> str:
    return (
        f"{len(mixed)} word(s) that are novel in this run's data, such as '{mixed[0]}', had "
        f"labels in the training of {before.folder}"
    )
