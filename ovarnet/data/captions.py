"""Images with their captions for training: one record, whatever the corpus (COCO captions, CC3M and
CC12M tables, WebDataset shards).
"""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ovarnet.data.caption_files import CaptionItem, read_caption_file
from ovarnet.data.coco_captions import CaptionedImage, load_coco_captions
from ovarnet.data.records import ImageFolder
from ovarnet.errors import InputError
from ovarnet.io.skipped import Skipped

__all__ = ["CaptionedImage", "load_captions"]


def load_captions(
    source: str | Path, image_folder: str | Path | None = None, skipped: Skipped | None = None
) -> list[CaptionedImage]:
    """The images that have a caption, in the order of the files; the lines of one image become one record.

    source: a file of any kind that `ovarnet.data.caption_files` reads, or a pattern of such ("cc3m/*.tar").
    Where the image of a record is:
      COCO, tables and JSON lines   by its name in `image_folder` (None: names are paths as they stand). Of a URL the name is the last
                                    part; a name that several URLs share tells none of them, and those are left out
      .tar shards                   beside the caption in the shard; `image_folder` is not used
    What cannot be used is noted in `skipped` (None: one logged line). InputError: no such file, or nothing in it can be used.
    """
    notes = Skipped() if skipped is None else skipped
    files = _files(source)
    if len(files) == 1 and files[0].suffix.lower() == ".json":
        return load_coco_captions(files[0], image_folder, skipped)
    items = [item for file in files for item in read_caption_file(file, notes)]
    folder = ImageFolder(None if all(item.in_shard for item in items) else image_folder)
    found: dict[str, CaptionedImage] = {}
    for item, place in _placed(items, folder, notes):
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


def _placed(
    items: list[CaptionItem], folder: ImageFolder, skipped: Skipped
) -> Iterable[tuple[CaptionItem, str]]:
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
    """File name of a URL: what is left of its path behind the last slash. None: it is no URL, as
    http://[x.org/1.jpg.
    """
    try:
        return unquote(urlsplit(url).path).rpartition("/")[2] or url
    except ValueError:
        return None
