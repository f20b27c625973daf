"""COCO captions files -> images with their captions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ovarnet.data.fields import as_id, check_ids, ids_of, records_of
from ovarnet.data.image_folder import ImageFolder
from ovarnet.errors import InputError
from ovarnet.io.json_stream import read_records
from ovarnet.io.skipped import Skipped


@dataclass(frozen=True)
class CaptionedImage:
    """An image with its captions.

    Attributes:
        file: path of the image, or its place in a shard (`ovarnet.io.shards`).
        image_id: its id in the file of captions.
        captions: at least one, in file order.
    """

    file: str
    image_id: str
    captions: list[str]


def load_coco_captions(
    file: str | Path, image_folder: str | Path | None, skipped: Skipped | None = None
) -> list[CaptionedImage]:
    """Read a COCO captions file.

    Args:
        file: the captions file.
        image_folder: where its images are; None looks no files up.
        skipped: where to note images without a caption or file, captions of unknown images and
            empty captions; None logs one line.

    Returns:
        The images that have a caption, in file order.

    Raises:
        InputError: not a captions file, an image id twice, or no usable image.
    """
    notes = Skipped() if skipped is None else skipped
    data = read_records(file)
    captions = _captions_by_image(data, file, notes)
    images, folder = records_of(data, "images", file), ImageFolder(image_folder)
    check_ids(ids_of(images), "image", file)
    found = []
    for record in images:
        image_id, name = as_id(record.get("id")), record.get("file_name")
        if image_id is None or not isinstance(name, str):
            notes.add("image record without id or file_name", f"image {record.get('id')}: {name}")
        elif image_id not in captions:
            notes.add("image without a caption", name)
        elif (path := folder.find(name)) is None:
            notes.add("image file missing", name)
        else:
            found.append(CaptionedImage(path, image_id, captions[image_id]))
    if images and not found:
        raise InputError(
            f"{file}: none of its {len(images)} images can be used: {notes}; check the image "
            f"folder {image_folder}"
        )
    if skipped is None:
        notes.log(file)
    return found


def _captions_by_image(
    data: dict[str, Any], file: str | Path, skipped: Skipped
) -> dict[str, list[str]]:
    listed = set(ids_of(records_of(data, "images", file)))
    captions: dict[str, list[str]] = {}
    for position, record in enumerate(records_of(data, "annotations", file)):
        image_id, caption = as_id(record.get("image_id")), record.get("caption")
        item = f"annotation {record.get('id', position)}"
        if not isinstance(caption, str) or not caption.strip():
            skipped.add("caption empty or not a string", item)
        elif image_id is None or image_id not in listed:
            skipped.add("image_id not among the images", f"{item}: {record.get('image_id')}")
        else:
            captions.setdefault(image_id, []).append(caption.strip())
    return captions
