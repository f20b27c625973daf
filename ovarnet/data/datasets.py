"""The datasets known by name: where their files lie under a root folder, and which words they are
asked with.

Training splits come without anything novel: `base_only` is applied to every one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ovarnet.data.coco import load_coco
from ovarnet.data.custom import load_custom
from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.lsa import SOURCES, LsaImages, load_lsa
from ovarnet.data.ovad import load_ovad
from ovarnet.data.records import NovelName, Skipped
from ovarnet.data.vaw import load_vaw, merge_annotations
from ovarnet.errors import InputError
from ovarnet.splits import COCO_BASE, COCO_EXTRA_15, COCO_NOVEL_17, COCO_SPLITS
from ovarnet.structures import NEGATIVE, NO_CATEGORY, UNKNOWN, Annotations
from ovarnet.vocabulary import Vocabulary

VAW_FILES = {
    "train": ("train_part1.json", "train_part2.json"),
    "val": ("val.json",),
    "test": ("test.json",),
}
DIVISIONS = {
    "coco-ovd": {"48/17": "48/17", "48/32": "48/32"},
    "vaw": {
        "541/79": "541/79",
        "common/rare": "splits/common2rare.json",
        "common/common": "common2common_att2id.json",
    },
    "lsa": {"common/common": "common2common.json", "common/rare": "common2rare.json"},
}
"""Base / novel divisions by dataset, the first being the default: a built-in one, or a file under
the root."""


def open_dataset(
    name: str,
    root: str | Path,
    split: str,
    *,
    images: bool = True,
    is_novel: NovelName | None = None,
    skipped: Skipped | None = None,
) -> tuple[Vocabulary, Sequence[Annotations]]:
    """The words (base and novel) and the annotations of a split.

    name, splits and files under `root` (`ovarnet prepare NAME` checks them):
      scenes    train / val / test   what `ovarnet generate scenes` writes
      coco-ovd  train / val          annotations/instances_{split}2017.json, {split}2017/  (images with no box dropped)
      vaw       train / val / test   the JSON files of the release, images/ (Visual Genome, also in VG_100K and VG_100K_2)
      ovad      test                 ovad2000.json, val2017/ (COCO's)
      lsa       train / val / test   the JSON files of the release, images/{vg,flickr,coco,oi}/; in val and test, unlisted words
                                       are NEGATIVE
      custom    train / val / test   {split}.json, images/, vocabulary.json
    A base / novel division other than the default follows a colon: "coco-ovd:48/32", "vaw:common/rare", "vaw:splits/mine.json" (a split
    file under the root), "lsa:common/rare".
    images False: the image files need not be there (enough to score stored predictions; not for vaw and lsa, and custom files without width
    and height, whose sizes are the images').
    is_novel: of a training split, objects that mean a novel or ignored category of the run's detection data, ANOTHER dataset, are left out.
    What is left out goes to `skipped` (None: one logged line per file).
    """
    root = Path(root)
    name, _, division = name.partition(":")
    openers = {
        "scenes": (_open_scenes, ("train", "val", "test")),
        "coco-ovd": (_open_coco_ovd, ("train", "val")),
        "vaw": (_open_vaw, tuple(VAW_FILES)),
        "ovad": (_open_ovad, ("test",)),
        "lsa": (_open_lsa, ("train", "val", "test")),
        "custom": (_open_custom, ("train", "val", "test")),
    }
    if name not in openers:
        raise InputError(f"dataset {name!r} is unknown; give one of {', '.join(openers)}")
    opener, splits = openers[name]
    if split not in splits:
        raise InputError(f"dataset {name} has no split {split!r}; give one of {', '.join(splits)}")
    if not root.is_dir():
        raise InputError(
            f"{root}: no such folder; give the root folder of dataset {name} (see "
            "datasets/README.md)"
        )
    named = {"is_novel": is_novel if split == "train" else None} if name in ("vaw", "lsa") else {}
    vocabulary, annotations = opener(
        root, split, images, skipped, *_division(name, division, root), **named
    )
    return vocabulary, base_only(
        annotations, vocabulary, is_novel
    ) if split == "train" else annotations


def ignored_categories(name: str) -> frozenset[str]:
    """COCO's categories that the division of a coco-ovd dataset has neither as base nor as novel;
    none of any other dataset.
    """
    name, _, division = name.partition(":")
    if name != "coco-ovd":
        return frozenset()
    split = COCO_SPLITS[division or next(iter(DIVISIONS[name]))]
    return (COCO_BASE | COCO_NOVEL_17 | COCO_EXTRA_15) - split.base - split.novel


def base_only(
    annotations: Sequence[Annotations], vocabulary: Vocabulary, is_novel: NovelName | None = None
) -> Sequence[Annotations]:
    """What training may see: boxes of novel categories are dropped, labels of novel attributes
    become UNKNOWN, images left without a box are dropped.

    is_novel: also the categories whose name means a novel one elsewhere. Boxes without a category
    label stay (VAW; its loader has looked at their names). Columns stay those of `vocabulary`.
    """
    novel_attributes = ~vocabulary.attribute_seen
    if isinstance(
        annotations, LsaImages
    ):  # it has no categories, and its label rows do not fit into memory
        return annotations.erased(set(novel_attributes.nonzero().flatten().tolist()))
    allowed = [
        word.seen and (is_novel is None or is_novel(word.name) is None)
        for word in vocabulary.categories
    ]
    kept = []
    for image in annotations:
        seen = [column == NO_CATEGORY or allowed[column] for column in image.categories.tolist()]
        if not any(seen):
            continue
        image = image[[row for row, keep in enumerate(seen) if keep]]
        image.attributes[:, novel_attributes] = UNKNOWN
        kept.append(image)
    return kept


def _division(name: str, division: str, root: Path) -> tuple[str | Path, ...]:
    """How base and novel are told apart, for the datasets that have more than one way: a built-in
    name or a split file.
    """
    if name not in DIVISIONS:
        if division:
            raise InputError(f"dataset {name} has one vocabulary; leave out ':{division}'")
        return ()
    known = DIVISIONS[name]
    chosen = known.get(division or next(iter(known)), division)
    if not chosen.endswith(".json"):
        if chosen not in known:
            raise InputError(
                f"dataset {name} has no division {division!r}; give one of {', '.join(known)}, or "
                "a split file under the root"
            )
        return (chosen,)
    if not (root / chosen).is_file():
        raise InputError(
            f"{root / chosen}: no such split file; `ovarnet prepare {name} --root {root}` says "
            "how to get it"
        )
    return (root / chosen,)


def _open_scenes(
    root: Path, split: str, images: bool, skipped: Skipped | None
) -> tuple[Vocabulary, list[Annotations]]:
    vocabulary, folder = Vocabulary.load(root / "vocabulary.json"), root / "annotations"
    boxes = load_coco(
        folder / f"instances_{split}.json",
        root / "images" / split if images else None,
        vocabulary,
        skipped,
        ImageSizes(root),
    )
    sizes = {image.image_id: (image.height, image.width) for image in boxes}
    return vocabulary, merge_annotations(
        boxes, load_vaw(folder / f"attributes_{split}.json", None, vocabulary, sizes, skipped)
    )


def _open_coco_ovd(
    root: Path, split: str, images: bool, skipped: Skipped | None, division: str | Path
) -> tuple[Vocabulary, list[Annotations]]:
    file = root / "annotations" / f"instances_{split}2017.json"
    vocabulary = Vocabulary.from_coco(file, division)
    boxes = load_coco(
        file, root / f"{split}2017" if images else None, vocabulary, skipped, ImageSizes(root)
    )
    return vocabulary, [image for image in boxes if len(image)]


def _open_vaw(
    root: Path,
    split: str,
    images: bool,
    skipped: Skipped | None,
    division: str | Path,
    is_novel: NovelName | None,
) -> tuple[Vocabulary, list[Annotations]]:
    vocabulary = Vocabulary.from_vaw(root, division)
    return vocabulary, load_vaw(
        [root / name for name in VAW_FILES[split]],
        root / "images",
        vocabulary,
        skipped=skipped,
        read_size=ImageSizes(root),
        is_novel=is_novel,
    )


def _open_ovad(
    root: Path, split: str, images: bool, skipped: Skipped | None
) -> tuple[Vocabulary, list[Annotations]]:
    return load_ovad(
        root / "ovad2000.json", root / "val2017" if images else None, skipped, ImageSizes(root)
    )


def _open_lsa(
    root: Path,
    split: str,
    images: bool,
    skipped: Skipped | None,
    division: Path,
    is_novel: NovelName | None,
) -> tuple[Vocabulary, LsaImages]:
    vocabulary = Vocabulary.from_lsa(division)
    unlisted = UNKNOWN if split == "train" else NEGATIVE
    return vocabulary, load_lsa(
        root / f"{split}.json",
        lsa_folders(root),
        vocabulary,
        unlisted,
        skipped,
        ImageSizes(root),
        is_novel,
    )


def lsa_folders(root: Path) -> dict[str, Path]:
    """The image folders that are there; a source without one is left out, and counted by the
    loader.
    """
    return {
        source: root / "images" / source
        for source in SOURCES
        if (root / "images" / source).is_dir()
    }


def _open_custom(
    root: Path, split: str, images: bool, skipped: Skipped | None
) -> tuple[Vocabulary, list[Annotations]]:
    words, file = root / "vocabulary.json", root / f"{split}.json"
    if not words.is_file():
        raise InputError(f"{words}: no such file; `ovarnet prepare custom --root {root}` writes it")
    vocabulary, sizes, folder = Vocabulary.load(words), ImageSizes(root), root / "images"
    if images:
        return vocabulary, load_custom(file, folder, vocabulary, skipped, sizes)
    return vocabulary, load_custom(
        file, None, vocabulary, skipped, lambda name: sizes(folder / name)
    )
