"""PASCAL VOC XML files in the layout of VOCdevkit, with attributes in the form of CVAT."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from ovarnet.formats.labels import LabelledImage, LabelledObject, LabelSet
from ovarnet.io.files import write_text


def write_voc(labels: LabelSet, folder: Path, split: str) -> Path:
    """Write Annotations/NAME.xml and ImageSets/Main/SPLIT.txt.

    Args:
        labels: what to write; scores are left out, corners are rounded to whole pixels, since many
            readers take no others.
        folder: where to write; the images belong into its folder JPEGImages/.
        split: name of the list.

    Returns:
        The list.
    """
    for image in labels.images:
        tree = _annotation(image)
        ElementTree.indent(tree)
        text = ElementTree.tostring(tree, encoding="unicode")
        write_text(folder / "Annotations" / f"{image.stem}.xml", text + "\n")
    path = folder / "ImageSets" / "Main" / f"{split}.txt"
    write_text(path, "".join(f"{image.stem}\n" for image in labels.images))
    return path


def _annotation(image: LabelledImage) -> ElementTree.Element:
    root = ElementTree.Element("annotation")
    _add(root, "folder", "JPEGImages")
    _add(root, "filename", image.name)
    size = _add(root, "size")
    for name, value in (("width", image.width), ("height", image.height), ("depth", 3)):
        _add(size, name, value)
    _add(root, "segmented", 0)
    for found in image.objects:
        _add_object(root, image, found)
    return root


def _add_object(root: ElementTree.Element, image: LabelledImage, found: LabelledObject) -> None:
    entry = _add(root, "object")
    for name, value in (("name", found.label), ("pose", "Unspecified")):
        _add(entry, name, value)
    for name in ("truncated", "difficult"):
        _add(entry, name, 0)

    # VOC counts pixels from 1: xmin is the first pixel inside, xmax the last
    x1, y1, x2, y2 = map(round, found.box)
    box = _add(entry, "bndbox")
    left, top = min(x1, image.width - 1), min(y1, image.height - 1)
    corners = {
        "xmin": left + 1,
        "ymin": top + 1,
        "xmax": max(x2, left + 1),
        "ymax": max(y2, top + 1),
    }
    for name, corner in corners.items():
        _add(box, name, corner)

    if found.attributes:
        attributes = _add(entry, "attributes")
        for word, holds in found.attributes.items():
            attribute = _add(attributes, "attribute")
            _add(attribute, "name", word)
            _add(attribute, "value", "true" if holds else "false")


def _add(parent: ElementTree.Element, name: str, value: object = None) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, name)
    if value is not None:
        child.text = str(value)
    return child
