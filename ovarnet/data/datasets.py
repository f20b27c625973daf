"""The datasets known by name, and what training may see of them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from ovarnet.data import coco_ovd, custom, lsa, ovad, vaw, voc, yolo
from ovarnet.data.lsa import LsaImages
from ovarnet.data.reader import DatasetReader, NovelName, Request
from ovarnet.errors import InputError
from ovarnet.io.skipped import Skipped
from ovarnet.structures import NO_CATEGORY, UNKNOWN, Annotations
from ovarnet.vocabulary import Vocabulary

READERS = {
    "coco-ovd": coco_ovd.READER,
    "vaw": vaw.READER,
    "ovad": ovad.READER,
    "lsa": lsa.READER,
    "custom": custom.READER,
    "voc": voc.READER,
    "yolo": yolo.READER,
}
OWN_DATA = ("custom", "voc", "yolo")
"""One's own data, whose base and novel words are the user's choice."""
SCENES = "scenes"
"""The generated world; its reader is in `ovarnet.scenes`, which this package does without."""


def open_dataset(
    name: str,
    root: str | Path,
    split: str,
    *,
    images: bool = True,
    background: bool = False,
    is_novel: NovelName | None = None,
    base_words_only: bool = False,
    skipped: Skipped | None = None,
) -> tuple[Vocabulary, Sequence[Annotations]]:
    """Read a split of a dataset. Training splits hold nothing novel (`base_only`).

    ============  ==================  ============================================================
    name          splits              files under the root (checked by ``ovarnet prepare NAME``)
    ============  ==================  ============================================================
    ``scenes``    train, val, test    what ``ovarnet generate scenes`` writes
    ``coco-ovd``  train, val          annotations/instances_{split}2017.json, {split}2017/
    ``vaw``       train, val, test    the JSON files of the release, images/ (Visual Genome)
    ``ovad``      test                ovad2000.json, val2017/ (COCO's)
    ``lsa``       train, val, test    the JSON files of the release, images/{vg,flickr,coco,oi}/
    ``custom``    train, val, test    {split}.json, images/, vocabulary.json
    ``voc``       train, val, test    VOC XML files (`ovarnet.data.voc`), vocabulary.json
    ``yolo``      train, val, test    data.yaml (`ovarnet.data.yolo`), vocabulary.json
    ============  ==================  ============================================================

    Args:
        name: a name of the table. A base / novel division other than the default follows a colon:
            "coco-ovd:48/32", "vaw:common/rare", "lsa:common/rare", or a split file under the root
            ("vaw:splits/mine.json").
        root: folder of the dataset.
        split: one of its splits.
        images: False if the image files need not be there, which is enough to evaluate stored
            predictions; not possible for vaw and lsa, nor for custom files without image sizes.
        background: also the images of coco-ovd that own no box of a base or novel category, last in
            the list. Other datasets have all their images anyway.
        is_novel: for a training split of vaw or lsa, and categories of any: drops the objects whose
            name means a novel or ignored category of the detection data that the run trains on.
        base_words_only: treats any split as a training split, as for choices made while training.
        skipped: where to note what is left out; None logs one line per file.

    Returns:
        The vocabulary (base and novel words), and the annotations of the split.

    Raises:
        InputError: no such dataset, split, division or folder, or files that cannot be used.
    """
    root = Path(root)
    name, _, division = name.partition(":")
    reader = find_reader(name)
    _check_split(name, split, reader)
    _check_root(name, root)

    is_training = base_words_only or split == "train"
    request = Request(
        root,
        split,
        division=reader.find_division(name, division, root),
        needs_images=images,
        background=background,
        is_novel=is_novel if is_training else None,
        skipped=skipped,
    )
    vocabulary, annotations = reader.read(request)
    if is_training:
        annotations = base_only(annotations, vocabulary, is_novel)
    return vocabulary, annotations


def find_reader(name: str) -> DatasetReader:
    """The reader of a dataset.

    Raises:
        InputError: no such dataset, or "scenes" in an installation without `ovarnet.scenes`.
    """
    if name == SCENES:
        return _scenes_reader()
    if name not in READERS:
        raise InputError(
            f"dataset {name!r} is unknown; give one of {', '.join((SCENES, *READERS))}"
        )
    return READERS[name]


def ignored_categories(name: str) -> frozenset[str]:
    """Categories that a dataset boxes but counts neither as base nor as novel.

    Args:
        name: as for `open_dataset`; "coco-ovd:48/17" ignores 15 of COCO's categories, other
            datasets none.
    """
    name, _, division = name.partition(":")
    if name != "coco-ovd":
        return frozenset()
    return coco_ovd.ignored_categories(division or next(iter(coco_ovd.READER.divisions)))


def base_only(
    annotations: Sequence[Annotations], vocabulary: Vocabulary, is_novel: NovelName | None = None
) -> Sequence[Annotations]:
    """Remove what training may not see.

    Boxes of novel categories are dropped, labels of novel attributes become UNKNOWN, and images
    left without a box are dropped. Boxes without a category label stay: the readers of VAW and LSA
    have checked their names.

    Args:
        annotations: images, whose columns are those of `vocabulary`; they are not changed.
        vocabulary: says which words are base.
        is_novel: name of a category -> the novel category that it means elsewhere, or None.

    Returns:
        The images that are left, with the columns of `vocabulary`.
    """
    novel_attributes = ~vocabulary.attribute_seen
    if isinstance(annotations, LsaImages):
        # It has no categories, and the label rows of all images do not fit into memory.
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


def _check_split(name: str, split: str, reader: DatasetReader) -> None:
    if split not in reader.splits:
        raise InputError(
            f"dataset {name} has no split {split!r}; give one of {', '.join(reader.splits)}"
        )


def _check_root(name: str, root: Path) -> None:
    if not root.is_dir():
        raise InputError(
            f"{root}: no such folder; give the root folder of dataset {name} (see "
            "datasets/README.md)"
        )


def _scenes_reader() -> DatasetReader:
    try:
        return import_module("ovarnet.scenes.dataset").READER
    except ModuleNotFoundError as error:
        if not str(error.name).startswith("ovarnet.scenes"):
            raise
        raise InputError(
            "dataset scenes needs the package ovarnet.scenes, which is not part of this "
            "installation; install the full package"
        ) from None
