"""Speed of the rule-based caption parser, and its precision and recall on 200 labelled captions.

    python tools/benchmark_parser.py --captions flickr8k/captions.txt

The file holds "image TAB caption" lines; the labels (tests/captions/flickr8k_labels.json) name its
lines by number.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from ovarnet.captions import CaptionParser
from ovarnet.io.word_files import read_vocabulary

TESTS = Path(__file__).resolve().parent.parent / "tests" / "captions"


def caption_lines(path: Path) -> list[str]:
    """The captions of a file of "image TAB caption" lines."""
    return [line.split("\t", 1)[1] for line in path.read_text(encoding="utf-8").splitlines()]


def compare(
    parser: CaptionParser, captions: list[str], labels: dict[str, list[list[str]]]
) -> dict[str, list[str]]:
    """'right', 'wrong' and 'missed' (attribute, noun) pairs, each as "line: attribute noun"."""
    found = {"right": [], "wrong": [], "missed": []}
    for line, pairs in labels.items():
        expected = {tuple(pair) for pair in pairs}
        parsed = {
            (pair.attribute, pair.noun) for pair in parser.parse(captions[int(line) - 1]).pairs
        }
        for kind, those in (
            ("right", expected & parsed),
            ("wrong", parsed - expected),
            ("missed", expected - parsed),
        ):
            found[kind] += [f"{line}: {' '.join(pair)}" for pair in sorted(those)]
    return found


def speed(parser: CaptionParser, captions: list[str], repeats: int) -> float:
    """Captions per second of CPU time of one process, the best of several runs."""
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        for _ in parser.parse_many(captions):
            pass
        seconds.append(time.process_time() - start)
    return len(captions) / min(seconds)


def main() -> None:
    """Print speed, precision and recall."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--captions", type=Path, required=True)
    arguments.add_argument("--labels", type=Path, default=TESTS / "flickr8k_labels.json")
    arguments.add_argument("--vocabulary", type=Path, default=TESTS / "words.json")
    arguments.add_argument(
        "--pipeline", default="rules", help="rules, or the name of an installed spaCy pipeline"
    )
    arguments.add_argument(
        "--repeats", type=int, default=3, help="the fastest of so many runs counts"
    )
    args = arguments.parse_args()

    captions = caption_lines(args.captions)
    parser = CaptionParser(read_vocabulary(args.vocabulary), args.pipeline)
    found = compare(parser, captions, json.loads(args.labels.read_text(encoding="utf-8"))["pairs"])
    right, wrong, missed = (len(found[kind]) for kind in ("right", "wrong", "missed"))
    print(*(f"{kind:7} {entry}" for kind in ("wrong", "missed") for entry in found[kind]), sep="\n")
    print(
        f"pairs: precision {right / (right + wrong):.3f} ({right} of {right + wrong}), recall "
        f"{right / (right + missed):.3f} "
        f"({right} of {right + missed}), pipeline {parser.pipeline}"
    )
    print(
        f"{len(captions)} captions: {speed(parser, captions, args.repeats):,.0f} captions per "
        "second and core"
    )


if __name__ == "__main__":
    main()
