"""COCO captions files -> images with their captions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ovarnet.data.records import ImageFolder, check_ids, records_of
from ovarnet.errors import InputError
from ovarnet.io.json_stream import read_records
from ovarnet.io.skipped import Skipped


@dataclass(frozen=True)
class CaptionedImage:
    """file: path of the image, or its place in a shard (`ovarnet.io.shards`). image_id: as str.
    captions: at least one, in file order.
    """

    file: str
    image_id: str
    captions: list[str]


def load_coco_captions(
    file: str | Path, image_folder: str | Path | None, skipped: Skipped | None = None
) -> list[CaptionedImage]:
    """The images of the file that have a caption, in file order. Images without one, images without
    a file, captions of unknown images and empty captions are noted in `skipped` (None: one logged
    line). image_folder None: files are not looked up.
    """
    notes = Skipped() if skipped is None else skipped
    data = read_records(file)
    captions = _captions_by_image(data, file, notes)
    images, folder, found = records_of(data, "images", file), ImageFolder(image_folder), []
    check_ids([str(record.get("id")) for record in images], "image", file)
    for record in images:
        image_id, name = str(record.get("id")), record.get("file_name")
        if "id" not in record or not isinstance(name, str):
            notes.add("image record without id or file_name", f"image {image_id}: {name}")
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


def _captions_by_image(data: dict, file: str | Path, skipped: Skipped) -> dict[str, list[str]]:
    listed = {str(record.get("id")) for record in records_of(data, "images", file)}
    captions: dict[str, list[str]] = {}
    for position, record in enumerate(records_of(data, "annotations", file)):
        image_id, caption, item = (
            str(record.get("image_id")),
            record.get("caption"),
            f"annotation {record.get('id', position)}",
        )
        if not isinstance(caption, str) or not caption.strip():
            skipped.add("caption empty or not a string", item)
        elif image_id not in listed:
            skipped.add("image_id not among the images", f"{item}: {image_id}")
        else:
            captions.setdefault(image_id, []).append(caption.strip())
    return captions
