#!/usr/bin/env python
"""Feed mutated files, phrases and settings to everything that reads input from a user.

    python tools/fuzz.py --inputs 10000 --seed 1

Valid inputs are damaged at random: bytes flipped or cut off, values of a JSON file replaced by
junk, keys removed or written twice, lines of a config changed. Each must be read, or be refused by
an InputError of one line; any other exception counts as a traceback, and more than 30 s as a hang.
Exit code 1 when there is one of either.
"""

from __future__ import annotations

import argparse
import copy
import io
import json
import logging
import random
import signal
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from ovarnet.errors import InputError

SECONDS = 30
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
JUNK: tuple[Any, ...] = (
    None, True, 0, -1, 1e-9, 0.5, 2**31, 2**63, 1e308, float("nan"), float("inf"), "", "0", "1e999",
    "NaN", "\x00", "\ud800", "red", "木" * 9, "x" * 300, [], [None], [[]], {}, {"a": 1},
    [1, 2, 3, 4],
)  # fmt: skip
WORDS = {
    "": b'mug, "red, white", tea cup',
    ".txt": b"mug\ntea cup\n",
    ".json": b'["mug", "tea cup"]',
    ".yaml": b"- mug\n- tea cup\n",
}
PHRASES = (
    "a small red striped mug", "neither red nor blue car", "person wearing a red hat", "not a dog",
    "the bus that is empty stops here", "a cup (made of) wood, and metal", "anything but a car",
)  # fmt: skip
PIECES = ("not", "a", "a red and", ",", "-", "'s", '"', "of", "\n", "\t", "(", "😀", "é", "x" * 90)
BOX = [4.0, 4.0, 20.0, 20.0]
INSTANCES = {
    "images": [{"id": n, "file_name": f"{n}.png", "width": 40, "height": 30} for n in (1, 2)],
    "categories": [{"id": 1, "name": "mug", "parent": "household"}, {"id": 2, "name": "car"}],
    "annotations": [
        {"id": n, "image_id": n, "category_id": n, "bbox": BOX, "area": 400.0, "iscrowd": 0,
         "difficult": 0, "attributes": {"red": 1, "striped": 0}}
        for n in (1, 2)
    ],
}  # fmt: skip
VAW = [
    {"image_id": "1", "instance_id": "7", "instance_bbox": BOX, "object_name": "mug",
     "positive_attributes": ["red"], "negative_attributes": ["striped"], "instance_polygon": None}
]  # fmt: skip
OVAD = {
    "images": [{"id": 1, "file_name": "1.png", "width": 40, "height": 30}],
    "categories": [{"id": 1, "name": "mug", "ov_set": "base"}],
    "attributes": [{"id": 0, "name": "color:red", "parent_type": "color", "freq_set": "head"}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": BOX, "att_vec": [1]}],
}
CAPTIONS = {
    "images": [{"id": 1, "file_name": "1.png"}],
    "annotations": [{"id": 1, "image_id": 1, "caption": "a red mug on a table"}],
}
PREDICTIONS = {
    "categories": ["mug", "car"],
    "attributes": ["red", "striped"],
    "images": [
        {"image_id": "1", "boxes": [BOX], "scores": [0.9], "category_scores": [[0.9, 0.1]],
         "attribute_scores": [[0.5, 0.5]]}
    ],
}  # fmt: skip


class HangError(Exception):
    """An input took longer than `SECONDS`."""


class Fuzzer:
    """Writes damaged inputs into `folder` and reads them.

    Args:
        folder: an empty folder.
        seed: of every random choice.
    """

    def __init__(self, folder: Path, seed: int):
        self.folder, self.random = folder, random.Random(seed)
        self.images = folder / "images"
        self.images.mkdir()
        pixels = np.random.default_rng(seed).integers(0, 255, (30, 40, 3), dtype=np.uint8)
        for name in ("1.png", "2.png"):
            Image.fromarray(pixels).save(self.images / name)
        self.encoded = {name: self._encoded(pixels, name) for name in FORMATS}
        self.targets: dict[str, Callable[[], object]] = {
            name.removeprefix("read_"): getattr(self, name)
            for name in dir(self)
            if name.startswith("read_")
        }

    def run(self, inputs: int, report: Callable[[str], None] = print) -> Counter[str]:
        """Try `inputs` damaged inputs, in turn over all targets; count what came of them."""
        names, outcomes = sorted(self.targets), Counter[str]()
        for number in tqdm(range(inputs), unit="input", disable=None):
            name = names[number % len(names)]
            outcome = self._outcome(name, number, report)
            outcomes[outcome] += 1
        return outcomes

    # Targets: each damages one valid input and reads it

    def read_image(self) -> None:
        """A picture in one of the formats, whatever its ending says."""
        from ovarnet.io.images import read_image

        content = self.damaged_bytes(self.encoded[self.random.choice(FORMATS)])
        file = self.folder / f"picture{self.random.choice(['.jpg', '.png', '.gif', '.webp'])}"
        file.write_bytes(content)
        read_image(file)

    def read_coco(self) -> None:
        """COCO instances."""
        from ovarnet.data.coco import coco_vocabulary, load_coco

        file = self.damaged_json(INSTANCES)
        list(load_coco(file, self.images, coco_vocabulary(file)))

    def read_custom(self) -> None:
        """One's own data."""
        from ovarnet.data.custom import load_custom

        list(load_custom(self.damaged_json(INSTANCES), self.images, self.words()))

    def read_vaw(self) -> None:
        """VAW's records."""
        from ovarnet.data.vaw import load_vaw

        list(load_vaw(self.damaged_json(VAW), self.images, self.words()))

    def read_ovad(self) -> None:
        """OVAD's one file."""
        from ovarnet.data.ovad import load_ovad

        list(load_ovad(self.damaged_json(OVAD), self.images)[1])

    def read_captions(self) -> None:
        """Captions as COCO's JSON or as a table."""
        from ovarnet.data.captions import load_captions

        file = self.damaged_json(CAPTIONS)
        if self.random.random() < 0.5:
            file = self.folder / "captions.tsv"
            file.write_bytes(self.damaged_bytes(b"a red mug\t1.png\n\xc3\xb1\t2.png\n"))
        list(load_captions(file, self.images))

    def read_boxes(self) -> None:
        """Boxes that a user brings."""
        from ovarnet.proposals.box_file import BoxFile

        content = self.random.choice([{"1.png": [BOX], "2.png": []}, INSTANCES])
        boxes = BoxFile(self.damaged_json(content))
        boxes.boxes(self.images / "1.png")

    def read_predictions(self) -> None:
        """Predictions of another system."""
        from ovarnet.data.custom import load_custom
        from ovarnet.evaluation.predictions import read_predictions

        truth = self.folder / "truth.json"
        truth.write_text(json.dumps(INSTANCES))
        images = list(load_custom(truth, self.images, self.words()))
        read_predictions(
            self.damaged_json(PREDICTIONS),
            self.words(),
            images,
            box_given=self.random.random() < 0.5,
        )

    def read_words(self) -> None:
        """Words on the command line and in files."""
        from ovarnet.io.word_files import read_words

        ending = self.random.choice(sorted(WORDS))
        content = self.damaged_bytes(WORDS[ending])
        file = self.folder / f"words{ending}"
        file.write_bytes(content)
        read_words(str(file) if ending else content.decode("utf-8", "replace"))

    def read_phrase(self) -> None:
        """Search phrases."""
        from ovarnet.captions.query import read_query

        read_query(self.damaged_text(self.random.choice(PHRASES)), self.words())

    def read_caption(self) -> None:
        """Captions through the grammar."""
        from ovarnet.captions.parser import CaptionParser

        if not hasattr(self, "parser"):
            self.parser = CaptionParser(self.words(), pipeline="rules")
        self.parser.parse(self.damaged_text(self.random.choice(PHRASES)))

    def read_config(self) -> None:
        """A config file with a setting changed, through a file or KEY=VALUE."""
        from ovarnet.config import load_config

        files = sorted((Path(__file__).parents[1] / "configs").rglob("*.yaml"))
        text = self.random.choice(files).read_text(encoding="utf-8")
        file = self.folder / "config.yaml"
        file.write_bytes(
            self.damaged_bytes(text.encode()) if self.random.random() < 0.5 else text.encode()
        )
        key = self.random.choice([
            "seed", "limit", "optimisation.lr", "optimisation.batch_size", "clip.name", "stage",
            "prompt_vectors", "design.channels", "optimisation", "detection.dataset", "output",
        ])  # fmt: skip
        value = json.dumps(self.random.choice(JUNK), ensure_ascii=self.random.random() < 0.5)
        load_config(file, [f"{key}={value}"] if self.random.random() < 0.5 else [])

    def read_checkpoint(self) -> None:
        """A shipped checkpoint folder with one damaged file."""
        from ovarnet.checkpoint import load_checkpoint
        from ovarnet.shipped import SHIPPED

        folder = self.folder / "checkpoint"
        folder.mkdir(exist_ok=True)
        names = ["config.yaml", "vocabulary.json", "prompts.safetensors"]
        damaged = self.random.choice(names)
        for name in names:
            content = (SHIPPED / "scenes" / name).read_bytes()
            (folder / name).write_bytes(self.damaged_bytes(content) if name == damaged else content)
        load_checkpoint(folder).part("prompts")

    # Damage

    def words(self):
        """The vocabulary that files are read with."""
        from ovarnet.vocabulary import Vocabulary, Word

        return Vocabulary(
            (Word("mug", "household", seen=True), Word("car", "vehicle")),
            (Word("red", "color", seen=True), Word("striped", "pattern")),
        )

    def damaged_bytes(self, content: bytes) -> bytes:
        """Bytes flipped, cut off, repeated or inserted."""
        data = bytearray(content)
        for _ in range(self.random.choice((1, 1, 2, 5, 20))):
            at = self.random.randrange(len(data) + 1)
            how = self.random.randrange(4)
            if how == 0 and data:
                data[min(at, len(data) - 1)] = self.random.randrange(256)
            elif how == 1:
                del data[at:]
            elif how == 2:
                data[at:at] = data[at : at + self.random.randrange(1, 40)]
            else:
                data[at:at] = self.random.choice([b"\x00", b"\xff\xfe", b"{", b'"', b": ", b"\n- "])
        return bytes(data)

    def damaged_json(self, content: Any) -> Path:
        """A JSON file with values replaced or removed, a key twice, or bytes damaged."""
        content = copy.deepcopy(content)
        for _ in range(self.random.choice((1, 1, 2, 4))):
            places = list(_places(content))
            if not places:
                break
            holder, key = self.random.choice(places)
            if self.random.random() < 0.2:
                del holder[key]
            else:
                holder[key] = copy.deepcopy(self.random.choice(JUNK))
        text = json.dumps(content).encode("utf-8", "surrogatepass")
        if self.random.random() < 0.2:
            text = self.damaged_bytes(text)
        file = self.folder / "data.json"
        file.write_bytes(text)
        return file

    def damaged_text(self, text: str) -> str:
        """A phrase with words dropped, repeated, swapped or inserted."""
        words = text.split(" ")
        for _ in range(self.random.choice((1, 2, 5, 30))):
            at = self.random.randrange(len(words) + 1)
            how = self.random.randrange(3)
            if how == 0 and words:
                del words[min(at, len(words) - 1)]
            elif how == 1 and words:
                words.insert(at, self.random.choice(words))
            else:
                words.insert(at, self.random.choice(PIECES))
        return " ".join(words)

    def _outcome(self, name: str, number: int, report: Callable[[str], None]) -> str:
        quiet = io.StringIO()
        try:
            with _time_limit(), redirect_stdout(quiet), redirect_stderr(quiet):
                self.targets[name]()
        except InputError as error:
            if "\n" in str(error):
                report(f"input {number} ({name}): an error of several lines: {error}")
                return "traceback"
            return "refused"
        except HangError:
            report(f"input {number} ({name}): more than {SECONDS} s")
            return "hang"
        except Exception:  # what a user would see as a traceback is what is looked for
            report(f"input {number} ({name}):\n{traceback.format_exc()}")
            return "traceback"
        return "read"

    @staticmethod
    def _encoded(pixels: np.ndarray, name: str) -> bytes:
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, name)
        return stream.getvalue()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (holder, key) inside a JSON value."""
    keys = (
        list(value)
        if isinstance(value, dict)
        else range(len(value))
        if isinstance(value, list)
        else ()
    )
    for key in keys:
        yield value, key
        yield from _places(value[key])


@contextmanager
def _time_limit() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise HangError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=1000, help="how many; default %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="default %(default)s")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        outcomes = Fuzzer(Path(folder), args.seed).run(args.inputs)
    print(
        f"{args.inputs} inputs, seed {args.seed}: {outcomes['read']} read, {outcomes['refused']} "
        f"refused in one line, {outcomes['traceback']} tracebacks, {outcomes['hang']} hangs over "
        f"{SECONDS} s"
    )
    return int(outcomes["traceback"] + outcomes["hang"] > 0)


if __name__ == "__main__":
    sys.exit(main())
