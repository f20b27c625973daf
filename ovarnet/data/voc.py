"""PASCAL VOC XML files -> Annotations, in the layout of VOCdevkit or beside the images.

::

    root/Annotations/2008_000002.xml                  root/train/a.jpg  a.xml
    root/JPEGImages/2008_000002.jpg             or    root/val/b.jpg    b.xml
    root/ImageSets/Main/train.txt  val.txt

The first is the layout of VOC itself (root is VOCdevkit/VOC2012), the second that of many labelling
tools. An object may have ``<attributes>``, as CVAT writes them; VOC's own files have none. An image
without an object is background. Coordinates are those of VOC, which count pixels
from 1: xmin = 1 is the left border.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

from ovarnet.data.boxes import checked_corners, refuse_fractions
from ovarnet.data.fields import as_flag, as_number, as_whole_number, as_word
from ovarnet.data.image_folder import ImageFolder, ImageRecord, SizeReader, checked_size
from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.labelled import (
    LabelledBox,
    LabelledSplit,
    load_labelled,
    open_vocabulary,
)
from ovarnet.data.named_values import labels_of_values
from ovarnet.data.reader import DatasetReader, Request
from ovarnet.errors import InputError
from ovarnet.io.files import read_text
from ovarnet.io.images import read_image_size
from ovarnet.io.skipped import Skipped
from ovarnet.structures import Annotations
from ovarnet.vocabulary import NEUTRAL_PARENT, Vocabulary

SPLITS = ("train", "val", "test")
CORNERS = ("xmin", "ymin", "xmax", "ymax")
FIRST_PIXEL = 1.0
"""Number of the first pixel of a row or column."""


@dataclass(frozen=True)
class _Place:
    """Where the files of a split are; `stems` are the names of its images without suffix."""

    annotations: Path
    images: Path
    stems: list[str]


def voc_splits(root: Path) -> list[str]:
    """The splits of a dataset that have a list of images or a folder."""
    return [split for split in SPLITS if _list_of(root, split).is_file() or (root / split).is_dir()]


def load_voc(
    root: str | Path,
    split: str,
    vocabulary: Vocabulary,
    skipped: Skipped | None = None,
    read_size: SizeReader = read_image_size,
) -> list[Annotations]:
    """Read a split of VOC files.

    Args:
        root: folder of the dataset.
        split: "train", "val" or "test".
        vocabulary: gives the columns of the categories.
        skipped: where to note what cannot be used; None logs one line.
        read_size: reads the size of an image file.

    Returns:
        One entry per image that has a usable object or none at all, in the order of the list.
        Attributes that no object mentions are UNKNOWN; instance ids are
        "<name of the image>:<position>".

    Raises:
        InputError: no such split, boxes in fractions of the image, or nothing usable.
    """
    read = partial(read_voc, root, split, read_size=read_size)
    return load_labelled(read, vocabulary, skipped, f"{root}: {split}", "voc")


def read_voc(
    root: str | Path, split: str, skipped: Skipped, read_size: SizeReader = read_image_size
) -> LabelledSplit:
    """Check every file of a split.

    Args:
        root: folder of the dataset.
        split: "train", "val" or "test".
        skipped: where to note what cannot be used, as "a.xml: object 2: ...".
        read_size: reads the size of an image file.

    Raises:
        InputError: no such split, or boxes in fractions of the image.
    """
    place, content = _find_split(Path(root), split), LabelledSplit()
    folder, boxes = ImageFolder(place.images), list[object]()
    for stem in place.stems:
        file = place.annotations / f"{stem}.xml"
        tree = _parse(file, skipped)
        if tree is None:
            continue
        image = _image(tree, stem, file, folder, skipped, read_size)
        if image is None:
            continue
        content.images[stem] = image
        for position, entry in enumerate(tree.findall("object")):
            content.annotated.add(stem)
            item = f"{file.name}: object {position + 1}"
            boxes.append([entry.findtext(f"bndbox/{side}") for side in CORNERS])
            found = _box(entry, image, f"{stem}:{position}", item, skipped)
            if found is not None:
                content.annotations.append(found)
                content.categories.setdefault(str(found.category), NEUTRAL_PARENT)
    refuse_fractions(boxes, f"{root}: {split}")
    return content


def _list_of(root: Path, split: str) -> Path:
    return root / "ImageSets" / "Main" / f"{split}.txt"


def _find_split(root: Path, split: str) -> _Place:
    listed, folder = _list_of(root, split), root / split
    if listed.is_file():
        lines = (line.split() for line in read_text(listed).splitlines())
        # Lists of one category have a second column: 1, 0 or -1.
        stems = list(dict.fromkeys(line[0] for line in lines if line))
        return _Place(root / "Annotations", root / "JPEGImages", stems)
    if folder.is_dir():
        stems = sorted(path.stem for path in folder.iterdir() if path.suffix.lower() == ".xml")
        return _Place(folder, folder, stems)
    raise InputError(
        f"{root}: neither {listed.relative_to(root)} nor a folder {split} is there; "
        "datasets/README.md draws the tree"
    )


def _parse(file: Path, skipped: Skipped) -> ElementTree.Element | None:
    try:
        text = read_text(file)
        if "<!DOCTYPE" in text or "<!ENTITY" in text:  # could grow to gigabytes when it is parsed
            skipped.add("annotation file with a document type", file.name)
            return None
        return ElementTree.fromstring(text)
    except InputError as error:
        skipped.add("annotation file missing or unreadable", str(error))
    except ElementTree.ParseError as error:
        skipped.add("annotation file is not valid XML", f"{file.name}: {error}")
    return None


def _image(
    tree: ElementTree.Element,
    stem: str,
    file: Path,
    folder: ImageFolder,
    skipped: Skipped,
    read_size: SizeReader,
) -> ImageRecord | None:
    """The image of a file: by its name in the file, else the one called as the file is."""
    name = (tree.findtext("filename") or "").strip()
    found = (folder.find(name) if name else None) or folder.find_stem(stem)
    if found is None:
        skipped.add("image file missing", f"{file.name}: {name or stem}")
        return None
    height, width = (
        as_whole_number(tree.findtext(f"size/{side}")) or 0 for side in ("height", "width")
    )
    if height > 0 and width > 0:
        image = ImageRecord(found, stem, height, width)
        return image if checked_size(image, read_size, skipped) else None
    try:
        return ImageRecord(found, stem, *read_size(found))
    except InputError as error:
        skipped.add("image unreadable", str(error))
        return None


def _box(
    entry: ElementTree.Element, image: ImageRecord, instance: str, item: str, skipped: Skipped
) -> LabelledBox | None:
    name = as_word(entry.findtext("name"))
    if name is None:
        skipped.add("object without a name", item)
        return None
    given = [entry.findtext(f"bndbox/{side}") for side in CORNERS]
    numbers = [number for value in given if (number := as_number(value)) is not None]
    if len(numbers) < len(CORNERS):
        skipped.add("box is not four finite numbers", f"{item}: {given}")
        return None
    x1, y1, x2, y2 = numbers
    corners = checked_corners(
        [x1 - FIRST_PIXEL, y1 - FIRST_PIXEL, x2, y2],
        image.height,
        image.width,
        f"{item}: {given}",
        skipped,
    )
    if corners is None:
        return None
    is_difficult = as_flag(entry.findtext("difficult"))
    if is_difficult is None:
        skipped.add("difficult is neither 0 nor 1, taken as 0", item)
    values = entry.iterfind("attributes/attribute")
    pairs = [(value.findtext("name"), value.findtext("value")) for value in values]
    labels = labels_of_values(pairs, item, skipped)
    return LabelledBox(image.image_id, corners, name, labels, False, bool(is_difficult), instance)


def _read(request: Request) -> tuple[Vocabulary, list[Annotations]]:
    vocabulary, sizes = open_vocabulary(request.root, "voc"), ImageSizes(request.root)
    return vocabulary, load_voc(request.root, request.split, vocabulary, request.skipped, sizes)


READER = DatasetReader(SPLITS, _read)
