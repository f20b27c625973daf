"""What `ovarnet prepare` found: printed line by line as it goes, every single problem written to
one file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ovarnet.io.files import write_text
from ovarnet.io.skipped import Skipped, printable

PROBLEMS = Path("prepared") / "problems.txt"
SHOWN = 10
"""Cases of one kind that are printed; the file has them all."""
MEANT = "category not in the vocabulary"
"""The reason why COCO's boxes of the 15 categories on neither side are left out; there are 200,000
of them, which nobody wants listed."""
TOLERATED = (
    "attribute not in the vocabulary",
    "attribute both positive and negative, taken as unknown",
    "part of the box outside the image, clipped",
)
PUBLISHED = (*TOLERATED, "box has no area")
"""What is tolerated in a data set of others, which nobody is to correct: COCO's train2017 has two
boxes of no height."""


class Findings:
    """Lines of five kinds: ok, note (worth knowing), missing (with what to download), problem,
    written.
    """

    def __init__(self, root: Path, echo: Callable[[str], None] = print):
        self.root, self.echo = root, echo
        self.lines: list[tuple[str, str]] = []
        self.cases: list[str] = []

    def ok(self, text: str) -> None:
        self._say("ok", text)

    def note(self, text: str) -> None:
        self._say("note", text)

    def missing(self, text: str) -> None:
        self._say("missing", text)

    def problem(self, text: str, cases: list[str] = ()) -> None:
        """`cases`: what it is about, one by one; the first few are printed."""
        self._say("problem", text)
        self._list(text, cases)

    def tolerated(self, text: str, cases: list[str]) -> None:
        """Like a problem, but the data set is usable as it is: the loaders leave out or mend these
        cases.
        """
        self._say("note", text)
        self._list(text, cases)

    def written(self, path: Path) -> None:
        self._say("written", str(path))

    def count(self, what: str, found: int, release: int | None = None) -> None:
        """A number, compared with that of the full release where it is known."""
        if release in (None, found):
            self.ok(f"{found:,} {what}" + ("" if release is None else ", as in the full release"))
        else:
            self.note(f"{found:,} {what}; the full release has {release:,}")

    def counts(self, found: Mapping[str, int], release: Mapping[str, int]) -> None:
        for what, number in found.items():
            self.count(what, number, release.get(what))

    def skipped(
        self, source: str | Path, skipped: Skipped, tolerated: tuple[str, ...] = TOLERATED
    ) -> None:
        """What a loader left out, reason by reason."""
        for reason, items in skipped.items.items():
            if reason == MEANT:
                self.note(f"{source}: {len(items):,} x {reason}, left out (e.g. {items[0]})")
            else:
                (self.tolerated if reason in tolerated else self.problem)(
                    f"{source}: {len(items):,} x {reason}", items
                )

    def kinds(self, kind: str) -> list[str]:
        return [text for name, text in self.lines if name == kind]

    @property
    def complete(self) -> bool:
        """Nothing is missing and there is no problem."""
        return not self.kinds("missing") and not self.kinds("problem")

    def save(self) -> None:
        """Write every case to ROOT/prepared/problems.txt; no cases, no file."""
        path = self.root / PROBLEMS
        if not self.cases:
            path.unlink(missing_ok=True)
            return
        write_text(path, "\n".join(self.cases) + "\n")

    def _say(self, kind: str, text: str) -> None:
        text = printable(text)
        self.lines.append((kind, text))
        self.echo(f"{kind:9}{text}")

    def _list(self, what: str, cases: list[str]) -> None:
        cases = [printable(case) for case in cases]
        self.cases += [f"{printable(what)}: {case}" for case in cases]
        for case in cases[:SHOWN]:
            self.echo(f"{'':11}{case}")
        if len(cases) > SHOWN:
            self.echo(f"{'':11}... and {len(cases) - SHOWN:,} more, all in {self.root / PROBLEMS}")
