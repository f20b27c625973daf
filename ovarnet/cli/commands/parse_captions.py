"""Parse captions: categories, attributes with the nouns they belong to, and noun phrases, one JSON line per image.

FILE is a COCO captions .json, a .jsonl of {"image", "caption"}, a .tsv of CC3M or CC12M, a Flickr8k .txt (image TAB caption), or a
WebDataset shard (.tar). Each line of the output: {"image", "text", "categories", "attributes", "pairs", "phrases"}; the text holds the
captions of the image, one per line. Broken lines are left out and listed at the end (exit code 2).

Examples:
  ovarnet parse-captions captions_train2017.json --vocabulary words.json --output parsed.jsonl
  ovarnet parse-captions cc3m-*.tar --vocabulary words.json --output parsed.jsonl --processes 8
  ovarnet parse-captions cc3m-*.tar --vocabulary words.json --output parsed.jsonl --processes 8 --resume    go on after a stop
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from ovarnet.cli.argument_types import positive
from ovarnet.errors import InputError

HELP = "read captions into categories, attributes with their nouns, and noun phrases"
BROKEN_SHOWN = 20  # lines named per reason


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="caption files, read one after the other",
    )
    parser.add_argument(
        "--vocabulary",
        type=Path,
        required=True,
        metavar="FILE",
        help="the words to find: .json or .yaml with categories and attributes",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="JSON lines")
    parser.add_argument(
        "--pipeline",
        metavar="NAME",
        help='spaCy pipeline, or "rules" for the built-in grammar (default: an installed '
        "en_core_web_*, else rules)",
    )
    parser.add_argument(
        "--processes", type=positive, default=1, metavar="N", help="worker processes"
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="keep the images that the output already holds and go on after them",
    )


def run(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from ovarnet.captions.parser import CaptionParser
    from ovarnet.captions.streaming import parse_stream
    from ovarnet.data.caption_files import read_caption_file
    from ovarnet.io.skipped import Skipped
    from ovarnet.io.word_files import read_vocabulary

    vocabulary = read_vocabulary(args.vocabulary)
    pipeline = CaptionParser(vocabulary, args.pipeline).pipeline
    broken, counts, started = (
        Skipped(),
        {"images": 0, "captions": 0, "without a known word": 0},
        time.perf_counter(),
    )
    total = sum(map(size_of, args.files))
    streams = [
        read_caption_file(file, broken) for file in args.files
    ]  # a file of no known kind fails before any work
    output = Output(
        args,
        {
            "pipeline": pipeline,
            "vocabulary": vocabulary_key(vocabulary),
            "files": [file.name for file in args.files],
        },
    )
    with output, tqdm(total=total, unit="B", unit_scale=True, disable=None, file=sys.stderr) as bar:
        items = output.skip_done(numbered(args.files, streams, bar))
        for item, record in parse_stream(items, vocabulary, pipeline, processes=args.processes):
            output.write({"image": item.image, **record.to_json()})
            counts["images"] += 1
            counts["captions"] += len(item.captions)
            counts["without a known word"] += not record.known_words
    print(summary(counts, time.perf_counter() - started, args, pipeline, output.done))
    return report(broken)


def summary(
    counts: dict[str, int], seconds: float, args: argparse.Namespace, pipeline: str, done: int
) -> str:
    lines = [
        f"{counts['captions']:,} captions of {counts['images']:,} images in {seconds:.1f} s: "
        f"{counts['captions'] / seconds:,.0f} per second (processes: {args.processes}, pipeline: "
        f"{pipeline})",
        f"{counts['without a known word']:,} images without a known word",
    ]
    if done:
        lines.append(f"{done:,} images were parsed before")
    return "\n".join([*lines, f"written to {args.output}"])


def size_of(file: Path) -> int:
    if not file.is_file():
        raise InputError(f"{file}: no such file; check the path")
    return file.stat().st_size


def vocabulary_key(vocabulary) -> str:
    import hashlib

    text = repr(
        [
            [(word.name, word.synonyms) for word in words]
            for words in (vocabulary.categories, vocabulary.attributes)
        ]
    )
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def numbered(files: list[Path], streams: list[Iterator], bar) -> Iterator:
    """The items of all files; moves the progress bar."""
    finished = 0
    for file, stream in zip(files, streams, strict=True):
        for item in stream:
            bar.update(finished + item.position - bar.n)
            yield item
        finished += file.stat().st_size
        bar.update(finished - bar.n)


def report(broken) -> int:
    """List what could not be read. Returns the exit code."""
    if not broken:
        return 0
    print(f"error: {len(broken):,} line(s) could not be used:", file=sys.stderr)
    for reason, places in broken.items.items():
        more = f", and {len(places) - BROKEN_SHOWN:,} more" if len(places) > BROKEN_SHOWN else ""
        print(f"  {reason}: {', '.join(places[:BROKEN_SHOWN])}{more}", file=sys.stderr)
    return 2


class Output:
    """JSON lines that can be continued. FILE.run.json beside them says what made them; a line cut
    off by a stop is written anew.
    """

    def __init__(self, args: argparse.Namespace, made_by: dict):
        from ovarnet.io.files import read_json, write_json

        self.path, self.done, self.last_image = args.output, 0, None
        self.note = note = self.path.with_name(self.path.name + ".run.json")
        if self.path.exists() and not args.resume:
            raise InputError(
                f"{self.path}: exists already; give --resume to go on with it, or another --output"
            )
        try:
            if self.path.exists():
                if not note.exists() or read_json(note) != made_by:
                    raise InputError(
                        f"{self.path}: was made of other files or words, or by another pipeline "
                        f"({note}); choose another"
                    )
                self._read_done()
            else:
                write_json(note, made_by)
            self.file = self.path.open(
                "a", encoding="utf-8", errors="backslashreplace"
            )  # JSON's own escape of half a character
        except OSError as error:
            raise InputError(
                f"{self.path}: cannot be written ({error.strerror}); choose another --output"
            ) from None

    def __enter__(self) -> Output:
        return self

    def __exit__(self, kind, *_) -> None:
        """A run that failed before its first line leaves nothing."""
        self.file.close()
        if kind is not None and self.path.stat().st_size == 0:
            self.path.unlink()
            self.note.unlink()

    def write(self, record: dict) -> None:
        self.file.write(json.dumps(record, ensure_ascii=False) + "\n")

    def skip_done(self, items: Iterator) -> Iterator:
        """The items after those that are written."""
        for number, item in enumerate(items, 1):
            if number > self.done:
                yield item
            elif number == self.done and item.image != self.last_image:
                raise InputError(
                    f"{self.path}: its line {number} is of {self.last_image}, the input has "
                    f"{item.image} there; "
                    "the input has changed, give another --output"
                )

    def _read_done(self) -> None:
        """Count the whole lines and cut off what follows them."""
        last, end = b"", 0
        with self.path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                last, end, self.done = line, end + len(line), self.done + 1
        os.truncate(self.path, end)
        if last:
            self.last_image = json.loads(last)["image"]
