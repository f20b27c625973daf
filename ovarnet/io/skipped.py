"""What a reader leaves out: every case noted with its reason, never dropped silently."""

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
"""How the reasons begin for which the loaders leave out a whole image."""


class Skipped:
    """What a loader left out or changed, by reason. `items` lists every case; printing gives one
    line.
    """

    def __init__(self):
        self.items: dict[str, list[str]] = {}

    def add(self, reason: str, item: str) -> None:
        self.items.setdefault(reason, []).append(item)

    @property
    def counts(self) -> Counter[str]:
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
        reasons = (
            f"{count:,} x {reason} (e.g. {printable(self.items[reason][0])})"
            for reason, count in self.counts.most_common()
        )
        return "; ".join(reasons) or "nothing"

    def log(self, source: str | Path) -> None:
        """One warning line on the package's logger; silent when nothing was skipped."""
        if self:
            logger.warning("%s: left out: %s", source, self)


def printable(text: str) -> str:
    """Half characters, of broken JSON or of file names that are not UTF-8, written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()
