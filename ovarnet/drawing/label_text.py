"""The text of a label: best category and best attributes of a box, wrapped to short lines."""

from __future__ import annotations

import functools
import logging
import textwrap
from collections.abc import Mapping, Sequence

from ovarnet.drawing.fonts import BOLD, REGULAR, drawable
from ovarnet.structures import Detections

ATTRIBUTE_THRESHOLD = 0.5
LINE_LENGTH = 28
"""Characters per line of a plate."""
MAX_LINES = 4
"""Lines of the category, and lines of the attributes."""
MAX_WORD_LENGTH = 45
"""Characters shown of one word: with its score and a number it always fits into `MAX_LINES`."""
NAMED_IN_WARNING = 5
NO_BREAK = "\xa0"
"""Keeps a score on the line of its word."""

LabelText = tuple[list[tuple[str, str]], list[tuple[str, str]]]
"""(word, score) of the category, and of the attributes: ([("mug", "0.83")], [("red", "0.91")])."""

logger = logging.getLogger(__name__)


def summary(
    found: Detections,
    top_attributes: int = 3,
    attribute_threshold: float | Mapping[str, float] = ATTRIBUTE_THRESHOLD,
) -> list[str]:
    """One line per box, in the order given: ``mug 0.83: red 0.91, striped 0.72``.

    Args:
        found: N detections.
        top_attributes: at most this many attributes per line.
        attribute_threshold: attributes that score lower are left out; one number, or one for each
            attribute.

    Returns:
        N lines.
    """
    texts = label_texts(
        found, found.categories, found.attributes, top_attributes, attribute_threshold
    )
    return [
        ": ".join(", ".join(f"{word} {score}" for word, score in part) for part in text if part)
        for text in texts
    ]


def label_texts(
    found: Detections,
    categories: Sequence[str],
    attributes: Sequence[str],
    top_attributes: int,
    attribute_threshold: float | Mapping[str, float],
) -> list[LabelText]:
    """The text of each box, its words called as in `categories` and `attributes`."""
    titles = ["object"] * len(found)
    if categories:
        titles = [categories[column] for column in found.category_scores.argmax(dim=1).tolist()]

    lowest = (
        [attribute_threshold[word] for word in found.attributes]
        if isinstance(attribute_threshold, Mapping)
        else [attribute_threshold] * len(found.attributes)
    )
    texts = []
    for title, score, scores in zip(
        titles, found.scores.tolist(), found.attribute_scores, strict=True
    ):
        best = [
            column
            for column in scores.argsort(descending=True).tolist()
            if scores[column] >= lowest[column]
        ][:top_attributes]
        details = [(attributes[column], f"{float(scores[column]):.2f}") for column in best]
        texts.append(([(title, f"{score:.2f}")], details))
    return texts


# Cached because the same words come with every image of a run: one warning for all of them.
@functools.lru_cache(maxsize=16)
def drawable_words(
    categories: tuple[str, ...], attributes: tuple[str, ...]
) -> tuple[list[str], list[str]]:
    """The words as they are drawn: one that no font has becomes "category 3", with a warning."""
    shown: dict[str, list[str]] = {}
    not_drawable = []
    for kind, words, font in (
        ("category", categories, BOLD),
        ("attribute", attributes, REGULAR),
    ):
        shown[kind] = []
        for number, word in enumerate(words, start=1):
            if drawable(word, font):
                shown[kind].append(word)
            else:
                shown[kind].append(f"{kind}{NO_BREAK}{number}")
                not_drawable.append(f"{word} ({kind} {number})")

    if not_drawable:
        others = len(not_drawable) - NAMED_IN_WARNING
        logger.warning(
            "no installed font can draw %s%s: pictures show the names in brackets; install a font "
            "for them, such as Noto",
            ", ".join(not_drawable[:NAMED_IN_WARNING]),
            f" and {others} more" if others > 0 else "",
        )
    return shown["category"], shown["attribute"]


def wrapped(entries: Sequence[tuple[str, str]], prefix: str = "") -> list[str]:
    """Lines of words with their scores: as many whole entries as fit, and "…" for the others."""
    shown, lines = [_entry(word, score) for word, score in entries], []
    for count in range(len(shown), 0, -1):
        text = prefix + ", ".join(shown[:count] + ["…"] * (count < len(shown)))
        lines = textwrap.wrap(text, LINE_LENGTH, break_on_hyphens=False)
        if len(lines) <= MAX_LINES:
            break
    return [line.replace(NO_BREAK, " ") for line in lines]


def _entry(word: str, score: str) -> str:
    """The word, shortened where long, and its score on the same line as the word's end."""
    if len(word) > MAX_WORD_LENGTH:
        word = textwrap.wrap(word, MAX_WORD_LENGTH - 2, break_on_hyphens=False)[0] + " …"
    start, space, end = word.rpartition(" ")
    room = LINE_LENGTH - len(score) - 2  # a space before the score and a comma after it
    return f"{start}{space}{' '.join(textwrap.wrap(end, room))}{NO_BREAK}{score}"
