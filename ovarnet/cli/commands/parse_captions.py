"""Parse captions into categories, attributes with the nouns they belong to, and noun phrases.

FILE is a COCO captions .json, a .jsonl of {"image", "caption"}, a .tsv of CC3M or CC12M, a
Flickr8k .txt (image TAB caption), or a WebDataset shard (.tar). The output has one JSON line per
image: {"image", "text", "categories", "attributes", "pairs", "phrases"}; the text holds the
captions of the image, one per line. Lines that cannot be read are left out and listed at the end
(exit code 2).

Examples:
  ovarnet parse-captions captions_train2017.json --vocabulary words.json --output parsed.jsonl
  ovarnet parse-captions cc3m-*.tar --vocabulary words.json --output parsed.jsonl --processes 8
  ovarnet parse-captions cc3m-*.tar --vocabulary words.json --output parsed.jsonl --resume
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ovarnet.cli.argument_types import positive
from ovarnet.errors import InputError

if TYPE_CHECKING:
    from tqdm import tqdm

    from ovarnet.data.caption_files import CaptionItem
    from ovarnet.io.skipped import Skipped
    from ovarnet.vocabulary import Vocabulary

HELP = "parse captions into categories, attributes with their nouns, and noun phrases"
BROKEN_SHOWN = 20  # lines named per reason


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ovarnet parse-captions`."""
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
        "English pipeline, the smallest of spaCy's own first, else rules)",
    )
    parser.add_argument(
        "--processes", type=positive, default=1, metavar="N", help="worker processes"
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="keep the images that the output already holds and continue after them",
    )


def run(args: argparse.Namespace) -> int:
    """Run `ovarnet parse-captions`; returns the exit code."""
    from tqdm import tqdm

    from ovarnet.captions.parser import CaptionParser
    from ovarnet.captions.streaming import parse_stream
    from ovarnet.data.caption_files import read_caption_file
    from ovarnet.io.skipped import Skipped
    from ovarnet.io.word_files import read_vocabulary

    vocabulary = read_vocabulary(args.vocabulary)
    pipeline = CaptionParser(vocabulary, args.pipeline).pipeline
    broken = Skipped()
    counts = {"images": 0, "captions": 0, "without a known word": 0}
    started = time.perf_counter()
    total = sum(map(size_of, args.files))
    # a file of no known kind fails here, before any work
    streams = [read_caption_file(file, broken) for file in args.files]
    made_by = {
        "pipeline": pipeline,
        "vocabulary": vocabulary_key(vocabulary),
        "files": [file.name for file in args.files],
    }
    output = Output(args.output, made_by, resume=args.resume)
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
    """The lines printed at the end; `done` images were parsed in an earlier run."""
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
    """Bytes of a file; InputError where there is none."""
    if not file.is_file():
        raise InputError(f"{file}: no such file; check the path")
    return file.stat().st_size


def vocabulary_key(vocabulary: Vocabulary) -> str:
    """A key that changes with any name or synonym of a vocabulary."""
    import hashlib

    text = repr(
        [
            [(word.name, word.synonyms) for word in words]
            for words in (vocabulary.categories, vocabulary.attributes)
        ]
    )
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def numbered(
    files: list[Path], streams: list[Iterator[CaptionItem]], bar: tqdm
) -> Iterator[CaptionItem]:
    """The items of all files; advances the progress bar by the bytes read."""
    finished = 0
    for file, stream in zip(files, streams, strict=True):
        for item in stream:
            bar.update(finished + item.position - bar.n)
            yield item
        finished += file.stat().st_size
        bar.update(finished - bar.n)


def report(broken: Skipped) -> int:
    """List what could not be read; returns the exit code."""
    if not broken:
        return 0
    print(f"error: {len(broken):,} line(s) could not be used:", file=sys.stderr)
    for reason, places in broken.items.items():
        more = f", and {len(places) - BROKEN_SHOWN:,} more" if len(places) > BROKEN_SHOWN else ""
        print(f"  {reason}: {', '.join(places[:BROKEN_SHOWN])}{more}", file=sys.stderr)
    return 2


class Output:
    """JSON lines that a later run can continue.

    A line cut off by an interruption is written again.

    Args:
        path: The file; FILE.run.json beside it records what made it.
        made_by: What decides the lines: a run continues only a file of the same.
        resume: Whether the file may exist.

    Attributes:
        done: How many images it holds from earlier runs.

    Raises:
        InputError: The file exists, is of other input, or cannot be written.
    """

    def __init__(self, path: Path, made_by: dict, *, resume: bool):
        from ovarnet.io.files import read_json, write_json

        self.path, self.done, self.last_image = path, 0, None
        self.note = note = self.path.with_name(self.path.name + ".run.json")
        if self.path.exists() and not resume:
            raise InputError(
                f"{self.path}: exists already; give --resume to continue it, or another --output"
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
            # half of a surrogate pair is written as JSON's own escape
            self.file = self.path.open("a", encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise InputError(
                f"{self.path}: cannot be written ({error.strerror}); choose another --output"
            ) from None

    def __enter__(self) -> Output:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Close the file; a run that failed before its first line leaves nothing."""
        self.file.close()
        if kind is not None and self.path.stat().st_size == 0:
            self.path.unlink()
            self.note.unlink()

    def write(self, record: dict) -> None:
        """Add one line."""
        self.file.write(json.dumps(record, ensure_ascii=False) + "\n")

    def skip_done(self, items: Iterable[CaptionItem]) -> Iterator[CaptionItem]:
        """The items after those that the file holds.

        Raises:
            InputError: The last image of the file is not that of the input at the same place.
        """
        for number, item in enumerate(items, 1):
            if number > self.done:
                yield item
            elif number == self.done and item.image != self.last_image:
                raise InputError(
                    f"{self.path}: its line {number} is of {self.last_image}, the input has "
                    f"{item.image} there; the input has changed, give another --output"
                )

    def _read_done(self) -> None:
        """Count the whole lines and truncate the file after them."""
        last, end = b"", 0
        with self.path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                last, end, self.done = line, end + len(line), self.done + 1
        os.truncate(self.path, end)
        if last:
            self.last_image = json.loads(last)["image"]
