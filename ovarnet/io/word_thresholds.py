"""Thresholds of single words: which scores count as yes, where one number does not fit all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ovarnet.errors import InputError, did_you_mean
from ovarnet.io.files import read_json, write_json
from ovarnet.structures import Detections
from ovarnet.vocabulary import FIELDS

REMARKS = ("about", "measured")
"""Keys of a file that say how its numbers were chosen; they are not read."""


@dataclass(frozen=True)
class WordThresholds:
    """Lowest scores of single words; words without one take the threshold of all others.

    Args:
        categories: name of a category -> lowest detection score of a box whose best category it is.
        attributes: attribute -> lowest score with which it holds.

    Raises:
        InputError: a threshold that is no number in [0, 1].
    """

    categories: Mapping[str, float] = field(default_factory=dict)
    attributes: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self):
        for kind in FIELDS:
            for word, value in getattr(self, kind).items():
                is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
                if not is_number or not 0 <= value <= 1:
                    raise InputError(
                        f"the threshold of {word!r} is {value!r:.40}; it must be from 0 to 1"
                    )

    def keep(self, found: Detections, threshold: float) -> Detections:
        """The detections whose score reaches the threshold of their best category.

        Args:
            found: N detections.
            threshold: for categories without one.
        """
        kept = [
            row
            for row, (score, category) in enumerate(
                zip(found.scores.tolist(), found.best_category, strict=True)
            )
            if score >= self.categories.get(category or "", threshold)
        ]
        return found[kept]

    def of_attributes(self, words: Sequence[str], threshold: float) -> dict[str, float]:
        """The threshold of each attribute.

        Args:
            words: the attributes.
            threshold: for those without one.
        """
        return {word: self.attributes.get(word, threshold) for word in words}


def read_word_thresholds(path: str | Path) -> WordThresholds:
    """Read thresholds of words.

    Args:
        path: JSON, ``{"categories": {"mug": 0.4}, "attributes": {"red": 0.6}}``, where either may
            be absent; the form that `write_word_thresholds` writes.

    Raises:
        InputError: no such file, or another form.
    """
    content = read_json(path, dict)
    for key in content:
        if key not in (*FIELDS, *REMARKS):
            raise InputError(
                f"{path}: unknown key {key!r}{did_you_mean(key, FIELDS)}; thresholds of words "
                'stand under "categories" and "attributes"'
            )
    values = {kind: content.get(kind, {}) for kind in FIELDS}
    for kind, words in values.items():
        if not isinstance(words, dict):
            raise InputError(f'{path}: {kind!r} must be an object such as {{"mug": 0.4}}')
    try:
        return WordThresholds(values["categories"], values["attributes"])
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def write_word_thresholds(
    path: str | Path, thresholds: WordThresholds, **remarks: Mapping[str, Any]
) -> None:
    """Write thresholds of words, atomically.

    Args:
        path: the JSON file.
        thresholds: what to write.
        remarks: ``about`` and ``measured``: how the numbers were chosen.
    """
    content = {kind: dict(getattr(thresholds, kind)) for kind in FIELDS}
    write_json(path, content | remarks, indent=1)
