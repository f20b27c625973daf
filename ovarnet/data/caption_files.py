"""Caption corpora as streams, one item per image, in constant memory.

======================  =========================================================================
file                    content
======================  =========================================================================
.json                   COCO captions, ``{"images": [...], "annotations": [...]}``; read whole
.jsonl, .ndjson         ``{"image": ..., "caption": ...}`` or ``{"image": ..., "captions": [...]}``
.tsv, .txt, .token      two columns: CC3M (caption TAB url), CC12M (url TAB caption), Flickr8k
                        (image TAB caption, or image#0 TAB caption)
.tar                    WebDataset shard: KEY.txt, or "caption" of KEY.json, beside KEY.jpg
======================  =========================================================================

Files of lines and shards may be gzipped (.gz). Neighbouring lines of one image become one item.
"""

from __future__ import annotations

import gzip
import re
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from ovarnet.data.coco_captions import load_coco_captions
from ovarnet.errors import InputError
from ovarnet.io.files import DuplicateKeyError, parse_json
from ovarnet.io.images import SUFFIXES
from ovarnet.io.shards import member_path
from ovarnet.io.skipped import Skipped

TABLES, LINES, SHARDS = (".tsv", ".txt", ".token"), (".jsonl", ".ndjson"), (".tar",)
DAMAGED = (EOFError, OSError, zlib.error)
"""What reading a cut or damaged file raises, zipped or not."""
LONGEST_MEMBER = 10_000_000  # bytes of a .txt or .json member; more is no caption
_URL = re.compile(r"https?://", re.IGNORECASE)
_CAPTION_NUMBER = re.compile(r"#\d+$")


Columns = tuple[str, tuple[str, ...]]
"""Image and captions of a line."""


@dataclass(frozen=True)
class CaptionItem:
    """An image of a corpus with its captions.

    Attributes:
        image: file name, URL or key, as the file gives it.
        captions: at least one, none of them blank.
        position: bytes of the file that have been read with it, for a progress bar.
        in_shard: whether it comes from a shard.
        member: place of its image in the shard, for `read_image`; None if there is no image or the
            shard is gzipped.
    """

    image: str
    captions: tuple[str, ...]
    position: int
    in_shard: bool = False
    member: str | None = None


class _Member(NamedTuple):
    """A member of a shard; `content` of captions only, `place` as `CaptionItem.member`."""

    key: str
    extension: str
    content: bytes
    place: str | None


class _UnusableError(Exception):
    """Why a line or member cannot be used."""


def read_caption_file(path: str | Path, broken: Skipped) -> Iterator[CaptionItem]:
    """Read the items of a file in its order.

    Args:
        path: a file of a kind listed in the module's docstring.
        broken: where to note what cannot be used, as (reason, "FILE:LINE"); the rest is read.

    Raises:
        InputError: no such file, or a file of another kind.
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


def _joined(lines: Iterable[CaptionItem]) -> Iterator[CaptionItem]:
    for _, group in groupby(lines, key=lambda line: line.image):
        neighbours = list(group)
        captions = tuple(caption for line in neighbours for caption in line.captions)
        yield replace(neighbours[-1], captions=captions)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """The file on disk, whose position is the progress, and the stream of its unzipped bytes."""
    with path.open("rb") as file:
        if path.suffix.lower() == ".gz":
            yield file, cast("IO[bytes]", gzip.GzipFile(fileobj=file))
        else:
            yield file, file


def _lines(path: Path, parse: Callable[[str], Columns], broken: Skipped) -> Iterator[CaptionItem]:
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
                    image, captions = parse(text)
                    yield CaptionItem(image, captions, file.tell())
            except UnicodeDecodeError:
                broken.add("not UTF-8", f"{path}:{number}")
            except _UnusableError as reason:
                broken.add(str(reason), f"{path}:{number}")


def _from_table(text: str) -> Columns:
    left, tab, right = text.partition("\t")
    if not tab:
        raise _UnusableError("no TAB between image and caption")
    if _URL.match(right.strip()) and not _URL.match(left.strip()):
        left, right = right, left
    image = _CAPTION_NUMBER.sub("", left.strip()) if not _URL.match(left.strip()) else left.strip()
    return _named(image), _captions([right])


def _from_json(text: str) -> Columns:
    value = _json(text)
    captions = value.get("captions", [value.get("caption", "")])
    return _named(value.get("image", "")), _captions(
        captions if isinstance(captions, list) else [captions]
    )


def _json(text: str | bytes) -> dict[str, Any]:
    try:
        value = parse_json(text)
    except DuplicateKeyError as error:
        raise _UnusableError(str(error)) from None
    except (ValueError, RecursionError):
        raise _UnusableError("not valid JSON") from None
    if not isinstance(value, dict):
        raise _UnusableError("not a JSON object {...}")
    return value


def _named(image: object) -> str:
    if not isinstance(image, str) or not image:
        raise _UnusableError("no image name")
    return image


def _captions(values: list) -> tuple[str, ...]:
    """The captions that are not blank, with lone surrogates of broken JSON replaced."""
    if not all(isinstance(value, str) for value in values):
        raise _UnusableError("caption is not a string")
    captions = tuple(
        value.strip().encode("utf-8", "replace").decode("utf-8")
        for value in values
        if value.strip()
    )
    if not captions:
        raise _UnusableError("empty caption")
    return captions


def _shard(path: Path, broken: Skipped) -> Iterator[CaptionItem]:
    with _opened(path) as (file, stream):
        for key, group in groupby(_members(path, stream, broken), key=lambda member: member.key):
            members = list(group)
            try:
                image, captions = _from_members(key, members)
                yield CaptionItem(
                    image,
                    captions,
                    file.tell(),
                    True,
                    next((one.place for one in members if _is_image(one)), None),
                )
            except UnicodeDecodeError:
                broken.add("not UTF-8", f"{path}:{key}")
            except _UnusableError as reason:
                broken.add(str(reason), f"{path}:{key}")


def _members(path: Path, stream: IO[bytes], broken: Skipped) -> Iterator[_Member]:
    """The members, up to the end of the shard or its damage."""
    try:
        with tarfile.open(fileobj=stream, mode="r|") as shard:
            for member in shard:
                folder, _, name = member.name.rpartition("/")
                stem, _, extension = name.partition(".")
                if member.isfile() and stem:
                    is_caption = (
                        extension.lower() in ("txt", "json") and member.size <= LONGEST_MEMBER
                    )
                    file = shard.extractfile(member) if is_caption else None
                    content = file.read() if file is not None else b""
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


def _from_members(key: str, members: list[_Member]) -> Columns:
    """Captions from KEY.txt, else KEY.json; the image is named by its member, else by the key."""
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
    raise _UnusableError("no .txt or .json member")
