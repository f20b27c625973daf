"""Brings the photo datasets together as one's own data, which every stage can read.

Files in `root`: voc (VOC 2007 and 2008 with aPascal's attributes and captions), clothing, cars and
coco_small, each in COCO's form with attributes; and beside it the captions of flickr8k.

What is written, each a folder that ``dataset: custom`` reads:

* detection: photos of VOC, in which every object of the 20 categories has a box;
* attributes: boxes with attribute labels, of aPascal, clothing and cars;
* objects: as detection, and the photos of coco_small with boxes of 80 categories, of which the
  20 alone are labelled in every photo;
* captions: captions.json, and images;
* test_voc, test_clothing, test_cars: the test files;
* test_coco128: both halves of coco128, whose categories beyond VOC's have no box in "detection".

The words of the test folders are base words ("seen") where detection or attributes have labels of
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from ovarnet.data.custom import read_custom
from ovarnet.data.labelled import VOCABULARY, labelled_vocabulary
from ovarnet.errors import InputError
from ovarnet.io.files import read_json, read_text, write_json
from ovarnet.io.skipped import Skipped
from ovarnet.io.word_files import read_vocabulary, write_vocabulary
from ovarnet.vocabulary import Vocabulary

VALIDATION_EVERY = 10
"""Every tenth photo of a training file is kept for validation."""

DETECTION_FILES = ("voc/voc2008_train.json", "voc/voc2007_train.json")
ATTRIBUTE_FILES = ("voc/voc2008_train.json", "clothing/train.json", "cars/train.json")
OBJECT_FILES = ("coco_small/instances.json",)
TEST_FILES = {
    "test_voc": ("voc/voc2008_test.json",),
    "test_clothing": ("clothing/test.json",),
    "test_cars": ("cars/test.json",),
}
COCO128_FILES = {"instances.json": "images", "instances_val.json": "images_val"}
"""Annotation file -> folder of its images."""
CAPTION_FILES = ("voc/captions2008_train.json",)


@dataclass(frozen=True)
class Sources:
    """COCO-style files below one folder, or a part of the photos of each.

    Attributes:
        root: the folder.
        photos: of each file, evenly spaced; None: all.
    """

    root: Path
    photos: int | None = None

    def read(self, file: str) -> dict[str, Any]:
        """The content of a file, with the images that are used; boxes of others may be left."""
        content = read_json(self.root / file, dict)
        return {**content, "images": self.chosen(content["images"])}

    def chosen(self, every: list[Any]) -> list[Any]:
        """The part that is used of a list of photos."""
        if self.photos is None:
            return every
        return every[:: max(1, len(every) // self.photos)][: self.photos]


@dataclass
class Merged:
    """Photos of several files in the form of one.

    Attributes:
        images: records; `file_name` is below the common image folder.
        categories: name -> id.
        annotations: records with ids of this file.
        labelled: categories whose objects have a box in every photo; None: all of them.
    """

    images: list[dict[str, Any]] = field(default_factory=list)
    categories: dict[str, int] = field(default_factory=dict)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    labelled: list[str] | None = None

    def add(
        self, content: dict[str, Any], folder: str, ids: set[int], *, only_attributes: bool
    ) -> None:
        """Add photos of one file.

        Args:
            content: of a COCO-style file.
            folder: its folder, below the common image folder.
            ids: of the photos that are added.
            only_attributes: add the boxes with attribute labels alone.
        """
        names = {category["id"]: category["name"] for category in content["categories"]}
        new_ids: dict[int, int] = {}
        for image in content["images"]:
            if image["id"] in ids:
                new_ids[image["id"]] = len(self.images) + 1
                self.images.append(
                    {
                        "id": len(self.images) + 1,
                        "file_name": str(PurePosixPath(folder) / image["file_name"]),
                        "width": image["width"],
                        "height": image["height"],
                    }
                )
        for box in content["annotations"]:
            labels = box.get("attributes")
            if box["image_id"] not in new_ids or (only_attributes and not labels):
                continue
            name = names[box["category_id"]]
            record = {
                "id": len(self.annotations) + 1,
                "image_id": new_ids[box["image_id"]],
                "category_id": self.categories.setdefault(name, len(self.categories) + 1),
                "bbox": box["bbox"],
                "iscrowd": box.get("iscrowd", 0),
                "difficult": box.get("difficult", 0),
            }
            self.annotations.append(record | ({"attributes": labels} if labels else {}))

    def as_json(self) -> dict[str, Any]:
        """The form of `ovarnet.data.custom`; photos without a box are left out."""
        boxed = {box["image_id"] for box in self.annotations}
        content: dict[str, Any] = {
            "images": [image for image in self.images if image["id"] in boxed],
            "categories": [
                {"id": number, "name": name} for name, number in self.categories.items()
            ],
            "annotations": self.annotations,
        }
        if self.labelled is not None:
            content["labelled_categories"] = self.labelled
        return content


def write_photo_data(
    root: Path, captions: Path, coco128: Path, output: Path, photos: int | None = None
) -> None:
    """Write the folders of the module's docstring.

    Args:
        root: folder with voc, clothing, cars and coco_small.
        captions: folder of flickr8k, with captions.txt, images.csv and images.
        coco128: folder of coco128.
        output: where the folders are made.
        photos: of each file, evenly spaced, for a quick run; None: all.

    Raises:
        InputError: a file is missing or damaged.
    """
    sources = Sources(root, photos)
    _write_custom(sources, output / "detection", DETECTION_FILES, ())
    _write_custom(sources, output / "attributes", ATTRIBUTE_FILES, (), only_attributes=True)
    _write_custom(sources, output / "objects", DETECTION_FILES, OBJECT_FILES)
    _write_captions(sources, captions, output / "captions")
    trained = [read_vocabulary(output / name / VOCABULARY) for name in ("detection", "attributes")]
    for name, files in TEST_FILES.items():
        test = Merged()
        for file in files:
            content = sources.read(file)
            ids = {image["id"] for image in content["images"]}
            test.add(content, str(Path(file).parent), ids, only_attributes=False)
        _write_test(test, root, output / name, trained)
    coco128_test = _coco128(Sources(coco128, photos))
    _write_test(coco128_test, coco128, output / "test_coco128", trained)


def _coco128(sources: Sources) -> Merged:
    test = Merged()
    for file, images in COCO128_FILES.items():
        content = sources.read(file)
        for image in content["images"]:
            image["file_name"] = f"{images}/{Path(image['file_name']).name}"
        ids = {image["id"] for image in content["images"]}
        test.add(content, ".", ids, only_attributes=False)
    return test


def _write_test(test: Merged, images: Path, output: Path, trained: Sequence[Vocabulary]) -> None:
    """Write test.json, vocabulary.json and a link to the images."""
    output.mkdir(parents=True, exist_ok=True)
    _link(output / "images", images)
    write_json(output / "test.json", test.as_json())
    content = read_custom(output / "test.json", output / "images", Skipped())
    words = labelled_vocabulary({"test": content})
    categories = {word.name for own in trained[:1] for word in own.categories}
    attributes = {word.name for own in trained for word in own.attributes}
    marked = Vocabulary(
        tuple(replace(word, seen=word.name in categories) for word in words.categories),
        tuple(replace(word, seen=word.name in attributes) for word in words.attributes),
    )
    write_vocabulary(output / VOCABULARY, marked)


def _write_custom(
    sources: Sources,
    output: Path,
    files: Iterable[str],
    whole: Iterable[str],
    *,
    only_attributes: bool = False,
) -> None:
    """Write train.json, val.json, vocabulary.json and a link to the images.

    Args:
        sources: where the files are.
        output: folder.
        files: of which a part is kept for validation.
        whole: of which all photos are trained on.
        only_attributes: see `Merged.add`.
    """
    train, val = Merged(), Merged()
    for file in files:
        content = sources.read(file)
        kept, held_out = _split(content)
        folder = str(Path(file).parent)
        train.add(content, folder, kept, only_attributes=only_attributes)
        val.add(content, folder, held_out, only_attributes=only_attributes)
    if whole:  # which name more categories than the other files
        train.labelled = list(train.categories)
    for file in whole:
        content = sources.read(file)
        ids = {image["id"] for image in content["images"]}
        train.add(content, str(Path(file).parent), ids, only_attributes=only_attributes)

    output.mkdir(parents=True, exist_ok=True)
    _link(output / "images", sources.root)
    write_json(output / "train.json", train.as_json())
    write_json(output / "val.json", val.as_json())
    splits = {
        split: read_custom(output / f"{split}.json", output / "images", Skipped())
        for split in ("train", "val")
    }
    write_vocabulary(output / VOCABULARY, labelled_vocabulary(splits))


def _split(content: dict[str, Any]) -> tuple[set[int], set[int]]:
    """Ids of the photos to train on, and of those kept for validation."""
    ids = sorted(image["id"] for image in content["images"])
    held_out = set(ids[::VALIDATION_EVERY])
    return set(ids) - held_out, held_out


def _write_captions(sources: Sources, captions: Path, output: Path) -> None:
    """Write one captions file in COCO's form, of photos that no test and no validation uses."""
    output.mkdir(parents=True, exist_ok=True)
    (output / "images").mkdir(exist_ok=True)
    _link(output / "images" / "photos", sources.root)
    _link(output / "images" / "flickr8k", captions / "images")
    held_out = {f"photos/voc/{name}" for name in _held_out_names(sources)}
    pairs = [
        (name, text)
        for name, text in [*_flickr_captions(captions), *_coco_captions(sources.root)]
        if name not in held_out
    ]
    names = sources.chosen(list(dict.fromkeys(name for name, _ in pairs)))
    ids = {name: number for number, name in enumerate(names, 1)}
    write_json(
        output / "captions.json",
        {
            "images": [{"id": number, "file_name": name} for name, number in ids.items()],
            "annotations": [
                {"id": row, "image_id": ids[name], "caption": text}
                for row, (name, text) in enumerate(pairs, 1)
                if name in ids
            ],
        },
    )


def _held_out_names(sources: Sources) -> set[str]:
    content = sources.read(DETECTION_FILES[0])
    _, held_out = _split(content)
    return {image["file_name"] for image in content["images"] if image["id"] in held_out}


def _flickr_captions(folder: Path) -> Iterator[tuple[str, str]]:
    """(file name, caption) of the photos in no test split."""
    lines = read_text(folder / "images.csv").splitlines()
    header, *rows = [line.split(",") for line in lines]
    split, image = header.index("split"), header.index("image")
    is_test = {row[image] for row in rows if row[split] == "test"}
    for line in read_text(folder / "captions.txt").splitlines():
        name, _, text = line.partition("\t")
        if name not in is_test:
            yield f"flickr8k/{name}", text


def _coco_captions(root: Path) -> Iterator[tuple[str, str]]:
    for file in CAPTION_FILES:
        content = read_json(root / file, dict)
        names = {image["id"]: image["file_name"] for image in content["images"]}
        for record in content["annotations"]:
            yield f"photos/{Path(file).parent}/{names[record['image_id']]}", record["caption"]


def _link(link: Path, target: Path) -> None:
    """Link to a folder, whose images are not copied."""
    if not target.is_dir():
        raise InputError(f"{target}: no such folder; see docs/photos.md for what it must hold")
    if not link.exists():
        link.symlink_to(target.resolve(), target_is_directory=True)
