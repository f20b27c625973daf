"""Label Studio's JSON tasks: RectangleLabels for categories, per-region Choices for attributes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

from ovarnet.data.boxes import checked_corners
from ovarnet.data.fields import as_number, as_whole_number, as_word
from ovarnet.data.image_folder import ImageFolder, ImageRecord
from ovarnet.data.labelled import LabelledBox, LabelledSplit
from ovarnet.errors import InputError
from ovarnet.formats.labels import LabelledImage, LabelledObject, LabelSet
from ovarnet.io.files import read_json, write_json, write_text
from ovarnet.io.skipped import Skipped
from ovarnet.structures import POSITIVE
from ovarnet.vocabulary import NEUTRAL_PARENT

IMAGE, CATEGORIES, ATTRIBUTES = "image", "label", "attributes"
"""Names of the labelling interface's parts."""
LOCAL_FILES = "/data/local-files/?d="
"""How Label Studio names images of its local storage."""
PERCENT_DIGITS = 5


def write_label_studio(labels: LabelSet, folder: Path, split: str) -> Path:
    """Write SPLIT.json, the tasks, and labeling_config.xml, the interface they need.

    Args:
        labels: what to write. Detections become predictions, annotations annotations. Only the
            attributes that hold can be kept.
        folder: where to write; the images belong into its folder images/, below the root of Label
            Studio's local storage.
        split: name of the file.

    Returns:
        The tasks.
    """
    write_text(folder / "labeling_config.xml", _interface(labels))
    path = folder / f"{split}.json"
    write_json(path, [_task(image) for image in labels.images], indent=1)
    return path


def read_label_studio(
    file: str | Path, image_folder: str | Path | None, skipped: Skipped
) -> LabelledSplit:
    """Read boxes and their attributes; a task's annotations go before its predictions.

    Args:
        file: an export as "JSON".
        image_folder: where its images are; None looks none up.
        skipped: where to note what cannot be used.

    Raises:
        InputError: no such file or folder, or another kind of file.
    """
    content, folder = LabelledSplit(), ImageFolder(image_folder)
    for position, task in enumerate(read_json(file, list)):
        if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
            raise InputError(
                f"{file}: entry {position + 1} is no task; export from Label Studio as JSON"
            )
        url = next((url for url in task["data"].values() if isinstance(url, str)), "")
        name = _file_name(url)
        regions = _regions(task)
        found = folder.find(name) or folder.find(Path(name).name)
        size = next(filter(None, map(_size, regions)), None)
        if found is None or size is None:
            reason = "image without a box" if found is not None else "image file missing"
            skipped.add(reason, name or f"task {position + 1}")
            continue
        image = content.images[name] = ImageRecord(found, name, *size)
        content.annotated.add(name)
        _add_boxes(content, image, regions, skipped)
    return content


def _add_boxes(
    content: LabelledSplit, image: ImageRecord, regions: list[dict[str, Any]], skipped: Skipped
) -> None:
    """Regions with the same id are one object: its box, and what was chosen for it."""
    chosen: dict[object, list[str]] = {}
    for region in regions:
        words = region["value"].get("choices")
        if isinstance(words, list):
            found = [word for value in words if (word := as_word(value)) is not None]
            chosen.setdefault(region.get("id"), []).extend(found)
    for position, region in enumerate(regions):
        if region.get("type") == "choices":
            continue
        item = f"{image.image_id}: region {position + 1}"
        box = _box(region, image, item, skipped)
        if box is None:
            continue
        corners, category = box
        labels = dict.fromkeys(chosen.get(region.get("id"), []), POSITIVE)
        content.annotations.append(
            LabelledBox(image.image_id, corners, category, labels, False, False, item)
        )
        content.categories.setdefault(category, NEUTRAL_PARENT)


def _box(
    region: dict[str, Any], image: ImageRecord, item: str, skipped: Skipped
) -> tuple[list[float], str] | None:
    value = region["value"]
    names = value.get("rectanglelabels")
    category = as_word(names[0]) if isinstance(names, list) and names else None
    given = [as_number(value.get(side)) for side in ("x", "y", "width", "height")]
    numbers = [number for number in given if number is not None]
    if category is None or len(numbers) < 4 or as_number(value.get("rotation", 0)):
        skipped.add("region that is no upright box with a label", item)
        return None
    x, y, width, height = numbers
    corners = [
        x / 100 * image.width,
        y / 100 * image.height,
        (x + width) / 100 * image.width,
        (y + height) / 100 * image.height,
    ]
    checked = checked_corners(corners, image.height, image.width, item, skipped)
    return None if checked is None else (checked, category)


def _regions(task: dict[str, Any]) -> list[dict[str, Any]]:
    """The regions of the first annotation that was not cancelled, else of the first prediction."""
    for key in ("annotations", "predictions"):
        for answer in _listed(task.get(key)):
            if not answer.get("was_cancelled"):
                regions = _listed(answer.get("result"))
                return [region for region in regions if isinstance(region.get("value"), dict)]
    return []


def _listed(value: object) -> list[dict[str, Any]]:
    """The objects of a list; none where it is none."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _size(region: dict[str, Any]) -> tuple[int, int] | None:
    sides = [as_whole_number(region.get(f"original_{side}")) for side in ("height", "width")]
    height, width = (side or 0 for side in sides)
    return (height, width) if min(height, width) > 0 else None


def _file_name(url: str) -> str:
    """The file of an image URL: what follows ?d= of local storage, else its last part."""
    if "?d=" in url:
        return unquote(url.partition("?d=")[2])
    # an upload is stored as /data/upload/PROJECT/HASH-NAME
    return unquote(url.rpartition("/")[2])


def _task(image: LabelledImage) -> dict[str, Any]:
    regions = [
        region
        for number, found in enumerate(image.objects, 1)
        for region in _object(found, image, f"box{number}")
    ]
    scores = [found.score for found in image.objects if found.score is not None]
    answer: dict[str, Any] = {"result": regions}
    if scores:
        answer |= {"model_version": "ovarnet", "score": sum(scores) / len(scores)}
    return {
        "data": {IMAGE: f"{LOCAL_FILES}images/{image.name}"},
        "predictions" if scores else "annotations": [answer],
    }


def _object(found: LabelledObject, image: LabelledImage, region: str) -> list[dict[str, Any]]:
    x1, y1, x2, y2 = found.box
    place = {
        "x": 100 * x1 / image.width,
        "y": 100 * y1 / image.height,
        "width": 100 * (x2 - x1) / image.width,
        "height": 100 * (y2 - y1) / image.height,
    }
    value: dict[str, Any] = {name: round(side, PERCENT_DIGITS) for name, side in place.items()}
    value["rotation"] = 0
    about = {
        "id": region,
        "to_name": IMAGE,
        "original_width": image.width,
        "original_height": image.height,
        "image_rotation": 0,
    }
    box = {
        **about,
        "type": "rectanglelabels",
        "from_name": CATEGORIES,
        "value": value | {"rectanglelabels": [found.label]},
    }
    if found.score is not None:
        box["score"] = found.score
    if not found.positive:
        return [box]
    words = value | {"choices": found.positive}
    return [box, {**about, "type": "choices", "from_name": ATTRIBUTES, "value": words}]


def _interface(labels: LabelSet) -> str:
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Image", name=IMAGE, value=f"${IMAGE}")
    boxes = ElementTree.SubElement(view, "RectangleLabels", name=CATEGORIES, toName=IMAGE)
    _add_values(boxes, "Label", labels.categories)
    if labels.attributes:
        choices = ElementTree.SubElement(
            view, "Choices", name=ATTRIBUTES, toName=IMAGE, perRegion="true", choice="multiple"
        )
        _add_values(choices, "Choice", labels.attributes)
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"


def _add_values(parent: ElementTree.Element, tag: str, words: Sequence[str]) -> None:
    for word in words:
        ElementTree.SubElement(parent, tag, value=word)
