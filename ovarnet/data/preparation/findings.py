"""What ``ovarnet prepare`` found: printed line by line, every single case written to one file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ovarnet.io.files import write_text
from ovarnet.io.skipped import Skipped, printable

PROBLEMS = Path("prepared") / "problems.txt"
SHOWN = 10
"""Cases of one kind that are printed; the file has them all."""

NOTED = ("category not in the vocabulary", "no image folder given")
"""How the reasons begin that are noted with one example.

COCO has 200,000 boxes of the 15 categories that are neither base nor novel, and LSA may be used
with some of its sources; nobody wants those listed.
"""
TOLERATED = (
    "attribute not in the vocabulary",
    "attribute both positive and negative, taken as unknown",
    "part of the box outside the image, clipped",
)
"""Reasons that do not keep a dataset from being ready."""
PUBLISHED = (*TOLERATED, "box has no area")
"""The same for published datasets, which nobody is to correct: two boxes of COCO's train2017 have
no height.
"""


class Findings:
    """Lines of five kinds: ok, note, missing (with what to download), problem, written.

    Args:
        root: folder of the dataset.
        echo: prints a line.
    """

    def __init__(self, root: Path, echo: Callable[[str], None] = print):
        self.root, self.echo = root, echo
        self.lines: list[tuple[str, str]] = []
        self.cases: list[str] = []

    def ok(self, text: str) -> None:
        """Something that was checked."""
        self._say("ok", text)

    def note(self, text: str) -> None:
        """Something worth knowing that does not keep the dataset from being ready."""
        self._say("note", text)

    def missing(self, text: str) -> None:
        """A file or folder that is needed and where to get it."""
        self._say("missing", text)

    def problem(self, text: str, cases: Sequence[str] = ()) -> None:
        """Something that must be corrected.

        Args:
            text: what is wrong.
            cases: each place where it is; the first few are printed.
        """
        self._say("problem", text)
        self._list(text, cases)

    def tolerated(self, text: str, cases: Sequence[str]) -> None:
        """As `problem`, but the loaders leave out or correct the cases: the dataset is usable."""
        self._say("note", text)
        self._list(text, cases)

    def written(self, path: Path) -> None:
        """A file that was built."""
        self._say("written", str(path))

    def count(self, what: str, found: int, release: int | None = None) -> None:
        """A number, compared with that of the full release where it is known.

        Args:
            what: what is counted ("images").
            found: the number.
            release: number in the full release, or None.
        """
        if release in (None, found):
            self.ok(f"{found:,} {what}" + ("" if release is None else ", as in the full release"))
        else:
            self.note(f"{found:,} {what}; the full release has {release:,}")

    def counts(self, found: Mapping[str, int], release: Mapping[str, int]) -> None:
        """As `count`, for several numbers by name."""
        for what, number in found.items():
            self.count(what, number, release.get(what))

    def skipped(
        self, source: str | Path, skipped: Skipped, tolerated: tuple[str, ...] = TOLERATED
    ) -> None:
        """What a loader left out, reason by reason.

        Args:
            source: the file that was read.
            skipped: what was left out.
            tolerated: reasons that do not keep the dataset from being ready.
        """
        for reason, items in skipped.items.items():
            if reason.startswith(NOTED):
                self.note(f"{source}: {len(items):,} x {reason}, left out (e.g. {items[0]})")
            else:
                (self.tolerated if reason in tolerated else self.problem)(
                    f"{source}: {len(items):,} x {reason}", items
                )

    def kinds(self, kind: str) -> list[str]:
        """The texts of the lines of one kind."""
        return [text for name, text in self.lines if name == kind]

    @property
    def complete(self) -> bool:
        """Whether nothing is missing and there is no problem."""
        return not self.kinds("missing") and not self.kinds("problem")

    def save(self) -> None:
        """Write every case to ROOT/prepared/problems.txt; without cases there is no such file."""
        path = self.root / PROBLEMS
        if not self.cases:
            path.unlink(missing_ok=True)
            return
        write_text(path, "\n".join(self.cases) + "\n")

    def _say(self, kind: str, text: str) -> None:
        text = printable(text)
        self.lines.append((kind, text))
        self.echo(f"{kind:9}{text}")

    def _list(self, what: str, cases: Sequence[str]) -> None:
        cases = [printable(case) for case in cases]
        self.cases += [f"{printable(what)}: {case}" for case in cases]
        for case in cases[:SHOWN]:
            self.echo(f"{'':11}{case}")
        if len(cases) > SHOWN:
            self.echo(f"{'':11}... and {len(cases) - SHOWN:,} more, all in {self.root / PROBLEMS}")
