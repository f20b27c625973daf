"""The datasets known by name: where their files lie under a root folder, and which words they are asked with.

Training splits come without anything novel: `base_only` is applied to every one of them.
"""

from __future__ import annotations

from pathlib import Path

from ovarnet.data.coco import load_coco
from ovarnet.data.ovad import load_ovad
from ovarnet.data.vaw import load_vaw, merge_annotations
from ovarnet.errors import InputError
from ovarnet.structures import NO_CATEGORY, UNKNOWN, Annotations
from ovarnet.vocabulary import Vocabulary

VAW_FILES = {"train": ("train_part1.json", "train_part2.json"), "val": ("val.json",), "test": ("test.json",)}


def open_dataset(name: str, root: str | Path, split: str, *, images: bool = True) -> tuple[Vocabulary, list[Annotations]]:
    """The words (base and novel) and the annotations of a split.

    name, splits and files under `root`:
      scenes    train / val / test   what `ovarnet generate scenes` writes
      coco-ovd  train / val          annotations/instances_{split}2017.json, {split}2017/  (48 base, 17 novel; images with no box dropped)
      vaw       train / val / test   the JSON files of the release, images/ (Visual Genome, also in VG_100K and VG_100K_2)
      ovad      test                 ovad2000.json, val2017/ (COCO's)
    images False: the image files need not be there (enough to score stored predictions; VAW takes its sizes from the images, so not VAW).
    What was left out is logged in one line per file.
    """
    root = Path(root)
    openers = {"scenes": (_open_scenes, ("train", "val", "test")), "coco-ovd": (_open_coco_ovd, ("train", "val")),
               "vaw": (_open_vaw, tuple(VAW_FILES)), "ovad": (_open_ovad, ("test",))}
    if name not in openers:
        raise InputError(f"dataset {name!r} is unknown; give one of {', '.join(openers)}")
    opener, splits = openers[name]
    if split not in splits:
        raise InputError(f"dataset {name} has no split {split!r}; give one of {', '.join(splits)}")
    if not root.is_dir():
        raise InputError(f"{root}: no such folder; give the root folder of dataset {name} (see datasets/README.md)")
    vocabulary, annotations = opener(root, split, images)
    return vocabulary, base_only(annotations, vocabulary) if split == "train" else annotations


def base_only(annotations: list[Annotations], vocabulary: Vocabulary) -> list[Annotations]:
    """What training may see: boxes of novel categories are dropped, labels of novel attributes become UNKNOWN, images left without a box
    are dropped.

    Boxes without a category label stay (VAW). Columns stay those of `vocabulary`.
    """
    novel_attributes = ~vocabulary.attribute_seen
    kept = []
    for image in annotations:
        seen = [column == NO_CATEGORY or vocabulary.categories[column].seen for column in image.categories.tolist()]
        if not any(seen):
            continue
        image = image[[row for row, keep in enumerate(seen) if keep]]
        image.attributes[:, novel_attributes] = UNKNOWN
        kept.append(image)
    return kept


def _open_scenes(root: Path, split: str, images: bool) -> tuple[Vocabulary, list[Annotations]]:
    vocabulary, folder = Vocabulary.load(root / "vocabulary.json"), root / "annotations"
    boxes = load_coco(folder / f"instances_{split}.json", root / "images" / split if images else None, vocabulary)
    sizes = {image.image_id: (image.height, image.width) for image in boxes}
    return vocabulary, merge_annotations(boxes, load_vaw(folder / f"attributes_{split}.json", None, vocabulary, sizes))


def _open_coco_ovd(root: Path, split: str, images: bool) -> tuple[Vocabulary, list[Annotations]]:
    file = root / "annotations" / f"instances_{split}2017.json"
    vocabulary = Vocabulary.from_coco(file, "48/17")
    boxes = load_coco(file, root / f"{split}2017" if images else None, vocabulary)
    return vocabulary, [image for image in boxes if len(image)]


def _open_vaw(root: Path, split: str, images: bool) -> tuple[Vocabulary, list[Annotations]]:
    vocabulary = Vocabulary.from_vaw(root)
    return vocabulary, load_vaw([root / name for name in VAW_FILES[split]], root / "images", vocabulary)


def _open_ovad(root: Path, split: str, images: bool) -> tuple[Vocabulary, list[Annotations]]:
    return load_ovad(root / "ovad2000.json", root / "val2017" if images else None)
