"""Caption corpora as streams, one item per image, in constant memory (COCO's JSON, which has no
lines, is read whole).

| file | lines | |---|---| | .json | COCO captions: {"images": [...], "annotations": [{"image_id",
"caption"}]} | | .jsonl, .ndjson | {"image": ..., "caption": ...} or {"image": ..., "captions":
[...]} | | .tsv, .txt, .token | two columns: CC3M (caption TAB url), CC12M (url TAB caption),
Flickr8k (image TAB caption, or image#0 TAB caption) | | .tar | WebDataset shard: the members of a
key, KEY.txt or KEY.json (its "caption") beside KEY.jpg | Lines files and shards may be gzipped
(.gz). Neighbouring lines with the same image become one item.
"""

from __future__ import annotations

import gzip
import json
import re
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ovarnet.data.coco_captions import load_coco_captions
from ovarnet.errors import InputError
from ovarnet.io.images import SUFFIXES
from ovarnet.io.shards import member_path
from ovarnet.io.skipped import Skipped

TABLES, LINES, SHARDS = (".tsv", ".txt", ".token"), (".jsonl", ".ndjson"), (".tar",)
DAMAGED = (EOFError, OSError, zlib.error)
"""What reading a cut or damaged file raises, zipped or not."""
LONGEST_MEMBER = 10_000_000  # bytes of a .txt or .json member; more is no caption
_URL = re.compile(r"https?://", re.IGNORECASE)
_CAPTION_NUMBER = re.compile(r"#\d+$")


@dataclass(frozen=True)
class CaptionItem:
    """image: file name, URL or key, as the file gives it. captions: at least one, none of them
    blank. position: the bytes of the file that have been read with it, for a progress bar.
    in_shard: it comes from a shard; member: its image there, for `read_image`, None where there is
    none or the shard is zipped.
    """

    image: str
    captions: tuple[str, ...]
    position: int
    in_shard: bool = False
    member: str | None = None


class _Line(NamedTuple):
    image: str
    captions: tuple[str, ...]
    position: int
    in_shard: bool = False
    member: str | None = None


class _Member(NamedTuple):
    """content: of captions only. place: as `CaptionItem.member`."""

    key: str
    extension: str
    content: bytes
    place: str | None


class _Broken(Exception):
    """Why a line or member cannot be used."""


def read_caption_file(path: str | Path, broken: Skipped) -> Iterator[CaptionItem]:
    """The items of a file in its order. What cannot be used goes to `broken` as (reason,
    "FILE:LINE") and the rest goes on. InputError: a file that does not exist or is of no known
    kind.
    """
    path = Path(path)
    suffix = Path(path.stem).suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()
    if not path.is_file():
        raise InputError(
            f"{path}: no such file; give caption files "
            f"({', '.join(('.json', *LINES, *TABLES, *SHARDS))})"
        )
    if suffix == ".json":
        return _coco(path, broken)
    if suffix in SHARDS:
        return _joined(_shard(path, broken))
    if suffix in LINES or suffix in TABLES:
        return _joined(_lines(path, _from_json if suffix in LINES else _from_table, broken))
    raise InputError(
        f"{path}: captions are read from {', '.join(('.json', *LINES, *TABLES, *SHARDS))} files; "
        "rename it or convert it"
    )


def _coco(path: Path, broken: Skipped) -> Iterator[CaptionItem]:
    images, size = load_coco_captions(path, None, broken), path.stat().st_size
    for number, image in enumerate(images, 1):
        yield CaptionItem(image.file, tuple(image.captions), size * number // len(images))


def _joined(lines: Iterable[_Line]) -> Iterator[CaptionItem]:
    for image, group in groupby(lines, key=lambda line: line.image):
        group = list(group)
        yield CaptionItem(
            image, tuple(caption for line in group for caption in line.captions), *group[-1][2:]
        )


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """The file on disk, whose position tells the progress, and the stream of its (unzipped)
    bytes.
    """
    with path.open("rb") as file:
        yield file, gzip.GzipFile(fileobj=file) if path.suffix.lower() == ".gz" else file


def _lines(path: Path, understand, broken: Skipped) -> Iterator[_Line]:
    with _opened(path) as (file, stream):
        number, lines = 0, iter(stream)
        while True:
            try:
                raw = next(lines, None)
            except DAMAGED as error:
                broken.add(f"file ends early or is damaged ({error})", f"{path}:{number + 1}")
                return
            if raw is None:
                return
            number += 1
            try:
                text = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip("\r\n")
                if text.strip():
                    image, captions = understand(text)
                    yield _Line(image, captions, file.tell())
            except UnicodeDecodeError:
                broken.add("not UTF-8", f"{path}:{number}")
            except _Broken as reason:
                broken.add(str(reason), f"{path}:{number}")


def _from_table(text: str) -> tuple[str, tuple[str, ...]]:
    left, tab, right = text.partition("\t")
    if not tab:
        raise _Broken("no TAB between image and caption")
    if _URL.match(right.strip()) and not _URL.match(left.strip()):
        left, right = right, left
    image = _CAPTION_NUMBER.sub("", left.strip()) if not _URL.match(left.strip()) else left.strip()
    return _named(image), _captions([right])


def _from_json(text: str) -> tuple[str, tuple[str, ...]]:
    value = _json(text)
    captions = value.get("captions", [value.get("caption", "")])
    return _named(value.get("image", "")), _captions(
        captions if isinstance(captions, list) else [captions]
    )


def _json(text: str | bytes) -> dict:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise _Broken("not valid JSON") from None
    if not isinstance(value, dict):
        raise _Broken("not a JSON object {...}")
    return value


def _named(image) -> str:
    if not isinstance(image, str) or not image:
        raise _Broken("no image name")
    return image


def _captions(values: list) -> tuple[str, ...]:
    """The captions that are not blank, lone surrogates (half characters of broken JSON)
    replaced.
    """
    if not all(isinstance(value, str) for value in values):
        raise _Broken("caption is not a string")
    captions = tuple(
        value.strip().encode("utf-8", "replace").decode("utf-8")
        for value in values
        if value.strip()
    )
    if not captions:
        raise _Broken("empty caption")
    return captions


def _shard(path: Path, broken: Skipped) -> Iterator[_Line]:
    with _opened(path) as (file, stream):
        for key, group in groupby(_members(path, stream, broken), key=lambda member: member.key):
            members = list(group)
            try:
                image, captions = _from_members(key, members)
                yield _Line(
                    image,
                    captions,
                    file.tell(),
                    True,
                    next((one.place for one in members if _is_image(one)), None),
                )
            except UnicodeDecodeError:
                broken.add("not UTF-8", f"{path}:{key}")
            except _Broken as reason:
                broken.add(str(reason), f"{path}:{key}")


def _members(path: Path, stream: BinaryIO, broken: Skipped) -> Iterator[_Member]:
    """Every member, until the end or the damage."""
    try:
        with tarfile.open(fileobj=stream, mode="r|") as shard:
            for member in shard:
                folder, _, name = member.name.rpartition("/")
                stem, _, extension = name.partition(".")
                if member.isfile() and stem:
                    is_caption = (
                        extension.lower() in ("txt", "json") and member.size <= LONGEST_MEMBER
                    )
                    content = shard.extractfile(member).read() if is_caption else b""
                    place = (
                        member_path(path, member.offset_data, member.size, name)
                        if path.suffix.lower() == ".tar"
                        else None
                    )
                    yield _Member(f"{folder}/{stem}" if folder else stem, extension, content, place)
    except (tarfile.TarError, *DAMAGED) as error:
        broken.add(f"shard ends early or is damaged ({error})", str(path))


def _is_image(member: _Member) -> bool:
    return f".{member.extension.lower()}".endswith(SUFFIXES)


def _from_members(key: str, members: list[_Member]) -> tuple[str, tuple[str, ...]]:
    """KEY.txt goes before the "caption" of KEY.json. The image is named by its member, or by the
    key when it is not in the shard.
    """
    content = {member.extension.lower(): member.content for member in members}
    image = next(
        (
            f"{key}.{member.extension}"
            for member in members
            if member.extension.lower() not in ("txt", "json", "cls")
        ),
        key,
    )
    if "txt" in content:
        return image, _captions([content["txt"].decode("utf-8")])
    if "json" in content:
        return image, _captions([_json(content["json"]).get("caption", "")])
    raise _Broken("no .txt or .json member")
