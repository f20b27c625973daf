"""FiftyOne's own detection format ("FiftyOneImageDetectionDataset"): labels.json beside data/."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ovarnet.data.boxes import checked_corners, four_numbers
from ovarnet.data.fields import as_word
from ovarnet.data.image_folder import ImageFolder, ImageRecord
from ovarnet.data.labelled import LabelledBox, LabelledSplit
from ovarnet.data.named_values import labels_of_values
from ovarnet.errors import InputError
from ovarnet.formats.labels import LabelledImage, LabelledObject, LabelSet
from ovarnet.io.files import read_json, write_json
from ovarnet.io.images import read_image_size
from ovarnet.io.skipped import Skipped
from ovarnet.vocabulary import NEUTRAL_PARENT

DIGITS = 6


def write_fiftyone(labels: LabelSet, folder: Path, split: str) -> Path:  # noqa: ARG001
    """Write labels.json.

    Args:
        labels: what to write; the detection score becomes the confidence.
        folder: where to write; the images belong into its folder data/.
        split: not kept by this format.

    Returns:
        labels.json.
    """
    path = folder / "labels.json"
    write_json(
        path,
        # with a list of "classes", FiftyOne would take labels for numbers in it
        {
            "labels": {
                image.stem: [_detection(found, image) for found in image.objects]
                for image in labels.images
            },
        },
        indent=1,
    )
    return path


def read_fiftyone(
    file: str | Path, image_folder: str | Path | None, skipped: Skipped
) -> LabelledSplit:
    """Read boxes and their attributes.

    Args:
        file: labels.json.
        image_folder: where the images are, data/ as a rule; their sizes are read.
        skipped: where to note what cannot be used.

    Raises:
        InputError: no such file or folder, or another kind of file.
    """
    report = read_json(file, dict)
    labels = report.get("labels")
    if not isinstance(labels, dict):
        raise InputError(
            f"{file}: has no 'labels'; export from FiftyOne as FiftyOneImageDetectionDataset"
        )
    if image_folder is None:
        raise InputError(
            f"{file}: its boxes are fractions of images that are not there; give their folder "
            "with --images"
        )
    content, folder = LabelledSplit(), ImageFolder(image_folder)
    classes = report.get("classes")
    classes = classes if isinstance(classes, list) else []
    names = [word for name in classes if (word := as_word(name)) is not None]
    content.categories = dict.fromkeys(names, NEUTRAL_PARENT)
    for stem, detections in labels.items():
        image = _image(stem, folder, skipped)
        if image is None:
            continue
        content.images[stem] = image
        listed = detections if isinstance(detections, list) else []
        for position, detection in enumerate(listed):
            content.annotated.add(stem)
            item = f"{stem}: detection {position + 1}"
            box = _box(detection, classes, image, item, skipped)
            if box is not None:
                content.annotations.append(box)
                content.categories.setdefault(str(box.category), NEUTRAL_PARENT)
    return content


def _detection(found: LabelledObject, image: LabelledImage) -> dict[str, Any]:
    x1, y1, x2, y2 = found.box
    fractions = (
        x1 / image.width,
        y1 / image.height,
        (x2 - x1) / image.width,
        (y2 - y1) / image.height,
    )
    detection: dict[str, Any] = {
        "label": found.label,
        "bounding_box": [round(value, DIGITS) for value in fractions],
        "attributes": dict(found.attributes),
    }
    if found.score is not None:
        detection["confidence"] = found.score
    return detection


def _image(stem: str, folder: ImageFolder, skipped: Skipped) -> ImageRecord | None:
    file = folder.find_stem(stem)
    if file is None:
        skipped.add("image file missing", stem)
        return None
    try:
        return ImageRecord(file, stem, *read_image_size(file))
    except InputError as error:
        skipped.add("image unreadable", str(error))
        return None


def _box(
    detection: Any, classes: list[Any], image: ImageRecord, item: str, skipped: Skipped
) -> LabelledBox | None:
    about = detection if isinstance(detection, dict) else {}
    numbers, label = four_numbers(about.get("bounding_box")), about.get("label")
    if type(label) is int and 0 <= label < len(classes):
        label = classes[label]
    category = as_word(label)
    if numbers is None or category is None:
        skipped.add("detection without a label or a box", item)
        return None
    x, y, w, h = numbers
    corners = [
        x * image.width,
        y * image.height,
        (x + w) * image.width,
        (y + h) * image.height,
    ]
    checked = checked_corners(corners, image.height, image.width, item, skipped)
    if checked is None:
        return None
    attributes = about.get("attributes")
    pairs = attributes.items() if isinstance(attributes, dict) else ()
    labels = labels_of_values(pairs, item, skipped)
    return LabelledBox(image.image_id, checked, category, labels, False, False, item)
