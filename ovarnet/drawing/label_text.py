"""The words of a label: best category and best attributes of each box, wrapped to the lines of a
plate.
"""

from __future__ import annotations

import functools
import logging
import textwrap
from collections.abc import Sequence

from ovarnet.drawing.fonts import BOLD, REGULAR, drawable
from ovarnet.structures import Detections

ATTRIBUTE_THRESHOLD = 0.5
LINE_LENGTH, MOST_LINES = 28, 4  # characters per line of a plate, lines for one text
WORD_LENGTH = (
    45  # characters shown of one word: it, its score and a number always fit in MOST_LINES
)
NAMED = 5  # words in one warning
NO_BREAK = "\xa0"  # keeps a score on the line of its word

Text = tuple[list[tuple[str, str]], list[tuple[str, str]]]
"""The words of a box with their scores: its category, its attributes."""

logger = logging.getLogger(__name__)


def summary(
    found: Detections, top_attributes: int = 3, attribute_threshold: float = ATTRIBUTE_THRESHOLD
) -> list[str]:
    """One line per box, in the order given: ``mug 0.83: red 0.91, striped 0.72``."""
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
    top: int,
    threshold: float,
) -> list[Text]:
    """The words for each box: ([("mug", "0.83")], [("red", "0.91"), ("striped", "0.72")])."""
    titles = (
        [categories[column] for column in found.category_scores.argmax(dim=1).tolist()]
        if categories
        else ["object"] * len(found)
    )
    texts = []
    for title, score, scores in zip(
        titles, found.scores.tolist(), found.attribute_scores, strict=True
    ):
        best = [
            column
            for column in scores.argsort(descending=True).tolist()[:top]
            if scores[column] >= threshold
        ]
        texts.append(
            (
                [(title, f"{score:.2f}")],
                [(attributes[column], f"{float(scores[column]):.2f}") for column in best],
            )
        )
    return texts


@functools.lru_cache(
    maxsize=16
)  # the same words come with every image of a run: one warning for all of them
def drawable_names(
    categories: tuple[str, ...], attributes: tuple[str, ...]
) -> tuple[list[str], list[str]]:
    """The words as they are drawn; what no font has is warned of, and named by its number."""
    lacking, names = [], []
    for words, kind, face in ((categories, "category", BOLD), (attributes, "attribute", REGULAR)):
        names.append(
            [
                word if drawable(word, face) else f"{kind}{NO_BREAK}{number}"
                for number, word in enumerate(words, start=1)
            ]
        )
        lacking += [
            f"{word} ({kind} {number})"
            for number, word in enumerate(words, start=1)
            if word != names[-1][number - 1]
        ]
    if lacking:
        more = f" and {len(lacking) - NAMED} more" if len(lacking) > NAMED else ""
        logger.warning(
            "no font here can draw %s%s: pictures show the names in brackets; install a font for "
            "them, such as Noto",
            ", ".join(lacking[:NAMED]),
            more,
        )
    return names[0], names[1]


def wrapped(entries: list[tuple[str, str]], before: str = "") -> list[str]:
    """Lines of words with their scores: as many entries as MOST_LINES hold, whole, and "…" for
    those left out.
    """
    shown, lines = [_entry(word, score) for word, score in entries], []
    for count in range(len(shown), 0, -1):
        text = before + ", ".join(shown[:count] + ["…"] * (count < len(shown)))
        lines = textwrap.wrap(text, LINE_LENGTH, break_on_hyphens=False)
        if len(lines) <= MOST_LINES:
            break
    return [line.replace(NO_BREAK, " ") for line in lines]


def _entry(word: str, score: str) -> str:
    """The word, shortened so that its score always finds room, and the score on a line with the end
    of it.
    """
    word = (
        word
        if len(word) <= WORD_LENGTH
        else f"{textwrap.wrap(word, WORD_LENGTH - 2, break_on_hyphens=False)[0]} …"
    )
    start, space, end = word.rpartition(" ")
    # 2: the space and a comma
    return f"{start}{space}{' '.join(textwrap.wrap(end, LINE_LENGTH - len(score) - 2))}{NO_BREAK}{score}"
