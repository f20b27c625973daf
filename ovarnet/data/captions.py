"""Images with captions for training, one record per image, from corpora of any kind."""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ovarnet.data.caption_files import CaptionItem, read_caption_file
from ovarnet.data.coco_captions import CaptionedImage, load_coco_captions
from ovarnet.data.image_folder import ImageFolder
from ovarnet.errors import InputError
from ovarnet.io.skipped import Skipped

__all__ = ["CaptionedImage", "load_captions"]


def load_captions(
    source: str | Path, image_folder: str | Path | None = None, skipped: Skipped | None = None
) -> list[CaptionedImage]:
    """Read the images of a corpus that have a caption.

    Args:
        source: a file of any kind that `ovarnet.data.caption_files` reads, or a pattern of such
            files ("cc3m/*.tar").
        image_folder: where the images of COCO files, tables and JSON lines are; None takes their
            names as paths. An image given by its URL is looked up by the last part of the URL;
            images whose URLs end alike are left out. Images of .tar shards are read from there.
        skipped: where to note what cannot be used; None logs one line.

    Returns:
        One record per image, in the order of the files; several lines about an image become one.

    Raises:
        InputError: no such file, or nothing in it can be used.
    """
    notes = Skipped() if skipped is None else skipped
    files = _files(source)
    if len(files) == 1 and files[0].suffix.lower() == ".json":
        return load_coco_captions(files[0], image_folder, skipped)
    items = [item for file in files for item in read_caption_file(file, notes)]
    folder = ImageFolder(None if all(item.in_shard for item in items) else image_folder)
    found: dict[str, CaptionedImage] = {}
    for item, place in _located(items, folder, notes):
        if place in found:
            found[place].captions.extend(item.captions)
        else:
            found[place] = CaptionedImage(place, item.image, list(item.captions))
    if not found:
        raise InputError(
            f"{source}: none of its {len(items)} images can be used: {notes}; check the image "
            f"folder {image_folder}"
        )
    if skipped is None:
        notes.log(source)
    return list(found.values())


def _files(source: str | Path) -> list[Path]:
    if not any(sign in str(source) for sign in "*?["):
        return [Path(source)]
    files = sorted(map(Path, glob.glob(str(source), recursive=True)))
    if not files:
        raise InputError(f"{source}: no file has such a name; check the pattern")
    return files


def _located(
    items: list[CaptionItem], folder: ImageFolder, skipped: Skipped
) -> Iterator[tuple[CaptionItem, str]]:
    """Each item with the path of its image, for `read_image`."""
    names = {image: _name(image) for image in {item.image for item in items if _is_url(item.image)}}
    urls = Counter(names.values())
    for item in items:
        if item.in_shard:
            if item.member is None:
                skipped.add(
                    "no image beside the caption in the shard, or a zipped shard (gunzip it)",
                    item.image,
                )
            else:
                yield item, item.member
        elif (name := names.get(item.image, item.image)) is None:
            skipped.add("not a valid URL", item.image)
        elif item.image in names and urls[name] > 1:
            skipped.add("file name shared by several URLs", item.image)
        elif (place := folder.find(name)) is None:
            skipped.add("image file missing", item.image)
        else:
            yield item, place


def _is_url(image: str) -> bool:
    return image.lower().startswith(("http://", "https://"))


def _name(url: str) -> str | None:
    """File name of a URL, the last part of its path; None if it is invalid (http://[x.org/1.jpg)."""
    try:
        return unquote(urlsplit(url).path).rpartition("/")[2] or url
    except ValueError:
        return None
