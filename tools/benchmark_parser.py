"""Precision and recall of the caption parser and of the reader of phrases, and their speed.

    python tools/benchmark_parser.py --captions flickr8k/captions.txt --pipeline rules

The captions file holds "image TAB caption" lines; the labels (tests/captions/flickr8k_labels.json)
name its lines by number. Without it, only the phrases (tests/captions/phrases.json) are read.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from spacy.tokens import Doc

from ovarnet.captions import CaptionParser
from ovarnet.captions.dependencies import relations_by_dependencies
from ovarnet.captions.matcher import Term
from ovarnet.captions.pipelines import RULES, load_pipeline
from ovarnet.captions.query import QueryReader
from ovarnet.captions.relations import Relations
from ovarnet.errors import InputError
from ovarnet.io.word_files import read_vocabulary

TESTS = Path(__file__).resolve().parent.parent / "tests" / "captions"
CAPTION_SETS = {"pairs": "200 captions", "held_out": "100 more captions"}
PHRASE_SETS = ("development", "held_out", "fresh")

Counts = dict[str, list[str]]
"""'right', 'wrong' and 'missed' items, each as "line or phrase: item"."""


class TrainedReader(QueryReader):
    """Reads phrases by the dependencies of a trained pipeline; `find` always uses the rules."""

    def __init__(self, pipeline: str):
        super().__init__(nlp=load_pipeline(pipeline))

    def add_unlisted(self, doc: Doc, terms: list[Term]) -> list[Term]:
        """Adjectives, and participles without an object."""
        taken = {token for term in terms for token in range(term.start, term.end)}
        added = [
            Term(token.i, token.i + 1, None, (token.lower_,))
            for token in doc
            if token.i not in taken
            and (
                token.pos_ == "ADJ"
                or (
                    token.tag_ in ("VBG", "VBN")
                    and not any(child.dep_ == "dobj" for child in token.children)
                )
            )
        ]
        return sorted([*terms, *added])

    def relations(self, doc: Doc, terms: list[Term]) -> Relations:
        """By the parse."""
        return relations_by_dependencies(doc, terms)


def caption_lines(path: Path) -> list[str]:
    """The captions of a file of "image TAB caption" lines."""
    return [line.split("\t", 1)[1] for line in path.read_text(encoding="utf-8").splitlines()]


def compare_captions(
    parser: CaptionParser, captions: list[str], labels: Mapping[str, list[list[str]]]
) -> Counts:
    """Count the (attribute, noun) pairs of labelled captions.

    Args:
        parser: The parser.
        captions: All captions of the file.
        labels: Line numbers from 1 -> pairs.
    """
    counts: Counts = {"right": [], "wrong": [], "missed": []}
    for line, pairs in labels.items():
        record = parser.parse(captions[int(line) - 1])
        found = {f"{pair.attribute} {pair.noun}" for pair in record.pairs}
        _count(counts, line, {" ".join(pair) for pair in pairs}, found)
    return counts


def compare_phrases(reader: QueryReader, labels: Mapping[str, dict | None]) -> Counts:
    """Count the categories, attributes and words left out of labelled phrases.

    Args:
        reader: The reader.
        labels: Phrases -> "category", "attributes" and "left_out"; None for one to be refused.
    """
    counts: Counts = {"right": [], "wrong": [], "missed": []}
    for phrase, label in labels.items():
        if label is None:
            expected = {"refused"}
        else:
            expected = _items(label["category"], label["attributes"], label["left_out"])
        try:
            query = reader.read(phrase)
            found = _items(query.category, query.attributes, query.unused)
        except InputError:
            found = {"refused"}
        _count(counts, phrase, expected, found)
    return counts


def _items(category: str | None, attributes: Iterable[str], left_out: Iterable[str]) -> set[str]:
    return {
        f"category {category}",
        *(f"attribute {word}" for word in attributes),
        *(f"left out {word}" for word in left_out),
    }


def _count(counts: Counts, name: str, expected: set[str], found: set[str]) -> None:
    for kind, items in (
        ("right", expected & found),
        ("wrong", found - expected),
        ("missed", expected - found),
    ):
        counts[kind] += [f"{name}: {item}" for item in sorted(items)]


def summary(name: str, counts: Counts, texts: int) -> str:
    """The errors, one a line, then precision and recall."""
    right, wrong, missed = (len(counts[kind]) for kind in ("right", "wrong", "missed"))
    with_errors = {item.split(": ")[0] for kind in ("wrong", "missed") for item in counts[kind]}
    lines = [f"{kind:7} {item}" for kind in ("wrong", "missed") for item in counts[kind]]
    return "\n".join(
        [
            *lines,
            f"{name}: precision {right / (right + wrong):.3f} ({right} of {right + wrong}), recall "
            f"{right / (right + missed):.3f} ({right} of {right + missed}), "
            f"{texts - len(with_errors)} of {texts} without an error",
        ]
    )


def speed(read: Callable[[], object], texts: int, repeats: int) -> float:
    """Texts per second of CPU time of one process, the best of several runs."""
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        read()
        seconds.append(time.process_time() - start)
    return texts / min(seconds)


def main() -> None:
    """Print the numbers of docs/find.md."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--captions", type=Path)
    arguments.add_argument(
        "--pipeline", default=RULES, help="rules, or the name of an installed spaCy pipeline"
    )
    arguments.add_argument(
        "--repeats", type=int, default=3, help="the fastest of so many runs counts"
    )
    args = arguments.parse_args()

    reader = QueryReader() if args.pipeline == RULES else TrainedReader(args.pipeline)
    phrases = json.loads((TESTS / "phrases.json").read_text(encoding="utf-8"))
    for name in PHRASE_SETS:
        counts = compare_phrases(reader, phrases[name])
        print(summary(f"phrases, {name.replace('_', ' ')}", counts, len(phrases[name])))

    if args.captions is not None:
        captions = caption_lines(args.captions)
        parser = CaptionParser(read_vocabulary(TESTS / "words.json"), args.pipeline)
        labels = json.loads((TESTS / "flickr8k_labels.json").read_text(encoding="utf-8"))
        for key, name in CAPTION_SETS.items():
            counts = compare_captions(parser, captions, labels[key])
            print(summary(f"{name}, {parser.pipeline}", counts, len(labels[key])))
        per_second = speed(lambda: list(parser.parse_many(captions)), len(captions), args.repeats)
        print(f"{len(captions)} captions: {per_second:,.0f} captions per second and core")


if __name__ == "__main__":
    main()
