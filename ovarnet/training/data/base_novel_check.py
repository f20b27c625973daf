"""Base and novel never mix over stages.

A novel word of a run must not have had labels in the training of a model that the run is
initialised from.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from ovarnet.checkpoint import CONFIG, VOCABULARY, Checkpoint, load_checkpoint
from ovarnet.config import ClipSettings, DataSource
from ovarnet.data.datasets import OWN_DATA
from ovarnet.errors import InputError
from ovarnet.vocabulary import Vocabulary

logger = logging.getLogger(__name__)

CAPTIONS_ONLY = "clip"
"""The stage whose CLIP saw captions and no label, whatever its vocabulary calls a base word."""


def clip_checkpoints(clip: ClipSettings | None) -> list[Checkpoint]:
    """The checkpoint whose CLIP a run is initialised from, for the checks below.

    Args:
        clip: Of the run; None: it has none of its own.

    Returns:
        The folder that holds the weights file `clip.pretrained`; none where the weights come from
        elsewhere, or were trained on captions alone.

    Raises:
        InputError: The folder is damaged.
    """
    if clip is None or clip.pretrained is None:
        return []
    file = Path(clip.pretrained).expanduser()
    if not all((file.parent / name).is_file() for name in (file.name, CONFIG, VOCABULARY)):
        return []
    checkpoint = load_checkpoint(file.parent)
    training = checkpoint.settings.get("training")
    stage = training.get("stage") if isinstance(training, dict) else None
    return [] if stage == CAPTIONS_ONLY else [checkpoint]


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
