"""CVAT's own XML ("CVAT for images 1.1"): boxes with checkbox, select and text attributes."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from ovarnet.data.boxes import checked_corners
from ovarnet.data.fields import as_number, as_whole_number, as_word
from ovarnet.data.image_folder import ImageFolder, ImageRecord
from ovarnet.data.labelled import LabelledBox, LabelledSplit
from ovarnet.data.named_values import labels_of_values
from ovarnet.errors import InputError
from ovarnet.formats.labels import LabelSet
from ovarnet.io.files import read_text, write_text
from ovarnet.io.skipped import Skipped
from ovarnet.vocabulary import NEUTRAL_PARENT

CORNERS = ("xtl", "ytl", "xbr", "ybr")
DIGITS = 2


def write_cvat(labels: LabelSet, folder: Path, split: str) -> Path:
    """Write annotations.xml, to be imported into a task as "CVAT 1.1".

    Args:
        labels: what to write; scores are left out. The task needs the labels and checkbox
            attributes of the file's <meta>.
        folder: where to write.
        split: the name of the task in the file.

    Returns:
        annotations.xml.
    """
    root = ElementTree.Element("annotations")
    ElementTree.SubElement(root, "version").text = "1.1"
    task = ElementTree.SubElement(ElementTree.SubElement(root, "meta"), "task")
    ElementTree.SubElement(task, "name").text = split
    _add_label_list(task, labels)
    for number, image in enumerate(labels.images):
        about = {"id": number, "name": image.name, "width": image.width, "height": image.height}
        entry = ElementTree.SubElement(root, "image", _texts(about))
        for found in image.objects:
            corners = dict(zip(CORNERS, (round(side, DIGITS) for side in found.box), strict=True))
            values = {
                "label": found.label,
                "source": "file",
                "occluded": 0,
                **corners,
                "z_order": 0,
            }
            box = ElementTree.SubElement(entry, "box", _texts(values))
            for word, holds in found.attributes.items():
                attribute = ElementTree.SubElement(box, "attribute", name=word)
                attribute.text = "true" if holds else "false"
    ElementTree.indent(root)
    path = folder / "annotations.xml"
    write_text(path, ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n")
    return path


def read_cvat(file: str | Path, image_folder: str | Path | None, skipped: Skipped) -> LabelledSplit:
    """Read boxes and their attributes; other shapes are noted.

    Args:
        file: annotations.xml of an export as "CVAT for images 1.1".
        image_folder: where its images are; None looks none up.
        skipped: where to note what cannot be used.

    Raises:
        InputError: no such file or folder, or another kind of file.
    """
    content, folder = LabelledSplit(), ImageFolder(image_folder)
    root = _parse(file)
    names = [as_word(label.findtext("name")) for label in root.iterfind(".//labels/label")]
    content.categories = {name: NEUTRAL_PARENT for name in names if name is not None}
    for entry in root.iterfind("image"):
        name = entry.get("name", "")
        found = folder.find(name)
        width, height = (as_whole_number(entry.get(side)) or 0 for side in ("width", "height"))
        if found is None or min(width, height) <= 0:
            reason = "image without a size" if found is not None else "image file missing"
            skipped.add(reason, name)
            continue
        image = content.images[name] = ImageRecord(found, name, height, width)
        for position, shape in enumerate(entry):
            content.annotated.add(name)
            item = f"{name}: {shape.tag} {position + 1}"
            box = _box(shape, image, f"{name}:{position}", item, skipped)
            if box is not None:
                content.annotations.append(box)
                content.categories.setdefault(str(box.category), NEUTRAL_PARENT)
    return content


def _add_label_list(task: ElementTree.Element, labels: LabelSet) -> None:
    """The labels and attributes that the task must have."""
    listed = ElementTree.SubElement(task, "labels")
    for category in labels.categories:
        label = ElementTree.SubElement(listed, "label")
        ElementTree.SubElement(label, "name").text = category
        attributes = ElementTree.SubElement(label, "attributes")
        for word in labels.attributes:
            attribute = ElementTree.SubElement(attributes, "attribute")
            for name, value in (
                ("name", word),
                ("mutable", "False"),
                ("input_type", "checkbox"),
                ("default_value", "false"),
                ("values", "false"),
            ):
                ElementTree.SubElement(attribute, name).text = value


def _texts(values: dict[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}


def _parse(file: str | Path) -> ElementTree.Element:
    text = read_text(file)
    try:
        if "<!DOCTYPE" in text or "<!ENTITY" in text:  # could grow to gigabytes when it is parsed
            raise InputError(f"{file}: has a document type; export it from CVAT again")
        # the text is decoded already, and a declaration may name another encoding
        root = ElementTree.fromstring(text.encode())
    except ElementTree.ParseError as error:
        raise InputError(f"{file}: not valid XML ({error}); export it from CVAT again") from None
    if root.tag != "annotations" or root.find("track") is not None:
        raise InputError(
            f'{file}: no file of images of CVAT; export the task as "CVAT for images 1.1"'
        )
    return root


def _box(
    shape: ElementTree.Element, image: ImageRecord, instance: str, item: str, skipped: Skipped
) -> LabelledBox | None:
    if shape.tag != "box" or as_number(shape.get("rotation", "0")):
        skipped.add("shape that is no upright box", item)
        return None
    given = [shape.get(side) for side in CORNERS]
    numbers = [number for value in given if (number := as_number(value)) is not None]
    category = as_word(shape.get("label"))
    if len(numbers) < len(CORNERS) or category is None:
        skipped.add("box without a label or four finite numbers", f"{item}: {given}")
        return None
    corners = checked_corners(numbers, image.height, image.width, f"{item}: {given}", skipped)
    if corners is None:
        return None
    pairs = [(entry.get("name"), entry.text or "") for entry in shape.iterfind("attribute")]
    labels = labels_of_values(pairs, item, skipped)
    return LabelledBox(image.image_id, corners, category, labels, False, False, instance)
