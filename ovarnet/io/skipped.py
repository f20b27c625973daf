"""What a reader leaves out or changes: every case is noted with its reason."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path

logger = logging.getLogger(__name__)

LOST_IMAGES = (
    "image file missing",
    "image unreadable",
    "image of another size",
    "no image folder given",
)
"""How the reasons begin for which a whole image is left out."""


class Skipped:
    """What a reader left out or changed, by reason.

    Attributes:
        items: reason -> every case, such as "annotations[17] (line 203): category_id 8".
    """

    def __init__(self):
        self.items: dict[str, list[str]] = {}

    def add(self, reason: str, item: str) -> None:
        """Note one case."""
        self.items.setdefault(reason, []).append(item)

    @property
    def counts(self) -> Counter[str]:
        """Number of cases by reason."""
        return Counter({reason: len(items) for reason, items in self.items.items()})

    @property
    def lost_images(self) -> Skipped:
        """Only the reasons for which a whole image is left out."""
        lost = Skipped()
        lost.items = {
            reason: items for reason, items in self.items.items() if reason.startswith(LOST_IMAGES)
        }
        return lost

    def __len__(self) -> int:
        return self.counts.total()

    def __str__(self) -> str:
        """One line: number, reason and an example, the most frequent reason first."""
        reasons = (
            f"{count:,} x {reason} (e.g. {printable(self.items[reason][0])})"
            for reason, count in self.counts.most_common()
        )
        return "; ".join(reasons) or "nothing"

    def log(self, source: str | Path) -> None:
        """Log one warning line, or nothing if nothing was left out.

        Args:
            source: the file that was read.
        """
        if self:
            logger.warning("%s: left out: %s", source, self)


def printable(text: str) -> str:
    """`text` with lone surrogates, as in file names that are not UTF-8, written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()
