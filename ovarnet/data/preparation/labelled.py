"""One's own data of any form: splits checked, all problems listed, and the vocabulary written."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from ovarnet.data.image_folder import SizeReader
from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.labelled import VOCABULARY, LabelledSplit, SplitReader, labelled_vocabulary
from ovarnet.data.preparation.findings import Findings
from ovarnet.data.preparation.pictures import check_pictures
from ovarnet.errors import InputError
from ovarnet.io.skipped import Skipped
from ovarnet.io.word_files import read_vocabulary, write_vocabulary
from ovarnet.structures import NEGATIVE, POSITIVE
from ovarnet.vocabulary import Vocabulary


class RootReader(Protocol):
    """Reads a split of the dataset under a root, such as `ovarnet.data.voc.read_voc`."""

    def __call__(
        self, root: Path, split: str, skipped: Skipped, /, *, read_size: SizeReader
    ) -> LabelledSplit:
        """Return what is usable of the split, noting what is not."""


@dataclass(frozen=True)
class SplitSource:
    """A split to check.

    Attributes:
        source: its file or folder, for messages.
        read: reads it.
    """

    source: str
    read: SplitReader


def check_root(
    root: Path,
    splits: tuple[str, ...],
    read: RootReader,
    *,
    available: Container[str],
    missing: str,
    sample: int,
    findings: Findings,
) -> None:
    """Check those of `splits` that a dataset has; see `check_splits`.

    Args:
        root: folder of the dataset.
        splits: which splits.
        read: reads a split.
        available: the splits that the dataset has.
        missing: what to report if it has none of `splits`.
        sample: how many images to decode.
        findings: where to report.
    """
    sizes, wanted = ImageSizes(root), [split for split in splits if split in available]
    if not wanted:
        findings.missing(f"{root}: {missing}; datasets/README.md draws the tree")
    check_splits(
        root,
        {
            split: SplitSource(f"{root}: {split}", partial(read, root, split, read_size=sizes))
            for split in wanted
        },
        has_training="train" in available,
        sizes=sizes,
        sample=sample,
        findings=findings,
    )


def check_splits(
    root: Path,
    splits: Mapping[str, SplitSource],
    *,
    has_training: bool,
    sizes: ImageSizes,
    sample: int,
    findings: Findings,
) -> list[str]:
    """Check splits, write their words to vocabulary.json and the index of image sizes.

    Args:
        root: folder of the dataset.
        splits: which splits, by name.
        has_training: whether there is a split "train", be it checked now or not.
        sizes: index of image sizes.
        sample: how many images to decode.
        findings: where to report.

    Returns:
        The usable image files of all splits.
    """
    contents = {
        split: content
        for split, source in splits.items()
        if (content := _check(source.source, source.read, findings)) is not None
    }
    if not contents:
        return []
    found, path = labelled_vocabulary(contents), root / VOCABULARY
    is_training_unread = has_training and "train" not in contents
    vocabulary = _write_vocabulary(path, found, is_training_unread, findings)
    _check_words(vocabulary, contents, findings)
    _check_base_words(vocabulary, found, path, findings)
    images = [[image.file for image in content.images.values()] for content in contents.values()]
    everything = [file for files in images for file in files]
    check_pictures(everything, sizes, sample, findings, images)
    sizes.save(everything)
    return everything


def _check(source: str, read: SplitReader, findings: Findings) -> LabelledSplit | None:
    notes = Skipped()
    try:
        content = read(notes)
    except InputError as error:
        findings.problem(str(error))
        return None
    with_words = sum(1 for annotation in content.annotations if annotation.labels)
    findings.ok(
        f"{source}: usable are {len(content.images):,} images and {len(content.annotations):,} "
        f"boxes, {with_words:,} with attributes"
    )
    findings.skipped(source, notes)
    _check_boxless(source, content, findings)
    return content


def _check_boxless(source: str, content: LabelledSplit, findings: Findings) -> None:
    """Say what becomes of the images without a usable box."""
    boxless = content.images.keys() - {annotation.image_id for annotation in content.annotations}
    background = boxless & content.background_images
    if background:
        findings.note(
            f"{source}: {len(background):,} images have no annotation: evaluation counts every "
            f"detection of the {len(content.completely_labelled)} categories in them as false, "
            "training leaves them out; take them out of the split if their objects have not been "
            "annotated"
        )
    if len(boxless) > len(background):
        findings.note(
            f"{source}: {len(boxless) - len(background):,} images have no usable box; they are not "
            "used"
        )


def _write_vocabulary(
    path: Path, found: Vocabulary, is_training_unread: bool, findings: Findings
) -> Vocabulary:
    """Add new words at the end of the vocabulary file, if there is one.

    Words that it has stay as they are: their parents, synonyms and `seen` may have been set by
    hand. Nothing is written while there is a training split that has not been read
    (`is_training_unread`): its words would become novel, and stay so.
    """
    before = read_vocabulary(path) if path.is_file() else Vocabulary()
    words = {}
    for kind in ("categories", "attributes"):
        mine = getattr(before, kind)
        known = {word.name for word in mine}
        words[kind] = (*mine, *(word for word in getattr(found, kind) if word.name not in known))
        unused = sorted(known - {word.name for word in getattr(found, kind)})
        if unused:
            findings.note(
                f"{path}: {len(unused)} {kind} occur in no file, e.g. {unused[0]!r}; they stay"
            )
    vocabulary = Vocabulary(**words)
    if vocabulary != before and is_training_unread:
        findings.problem(
            f"{path}: has not all words and is not written without the training split, "
            "whose words are the base words; run `ovarnet prepare` on all splits once it has no "
            "problem"
        )
        return before
    if vocabulary != before:
        write_vocabulary(path, vocabulary)
        findings.written(path)
    return vocabulary


def _check_base_words(
    vocabulary: Vocabulary, found: Vocabulary, path: Path, findings: Findings
) -> None:
    """Report words with labels in training that are novel in the vocabulary.

    A few may be meant; all of them cannot be.
    """
    for kind in ("categories", "attributes"):
        trained = {word.name for word in getattr(found, kind) if word.seen}
        novel = [
            word.name
            for word in getattr(vocabulary, kind)
            if word.name in trained and not word.seen
        ]
        if novel and len(novel) == len(trained):
            findings.problem(
                f"{path}: no word of the {kind} in training is a base word, so nothing of them "
                'could be learned; add "seen": true to those that are, or delete the file and run '
                "this again",
                novel,
            )
        elif novel:
            findings.tolerated(
                f"{path}: {len(novel)} {kind} have labels in training but are novel, so "
                "training does not see them; add "
                '"seen": true if that is not meant',
                novel,
            )


def _check_words(
    vocabulary: Vocabulary, contents: dict[str, LabelledSplit], findings: Findings
) -> None:
    for kind in ("categories", "attributes"):
        words = getattr(vocabulary, kind)
        findings.ok(
            f"{len(words)} {kind}, {sum(word.seen for word in words)} of them base words (seen in "
            "training)"
        )
        alike: dict[str, list[str]] = defaultdict(list)
        for word in words:
            alike[" ".join(word.name.replace("_", " ").casefold().split())].append(word.name)
        same = [" = ".join(map(repr, names)) for names in alike.values() if len(names) > 1]
        if same:
            findings.problem(
                f"{len(same)} {kind} are written in more than one way; they would be different "
                "words",
                same,
            )
    for split, content in contents.items():
        labels = Counter(
            label for annotation in content.annotations for label in annotation.labels.values()
        )
        negative = (
            "all words not listed" if content.unlisted == NEGATIVE else f"{labels[NEGATIVE]:,}"
        )
        findings.ok(f"{split}: {labels[POSITIVE]:,} positive labels, {negative} negative")
        if labels[POSITIVE] and not labels[NEGATIVE] and content.unlisted != NEGATIVE:
            findings.note(
                f"{split} says of no word that it does not hold, so AP would be 1 for any "
                "model; list negatives too, "
                'or add "unlisted_attributes": "negative" if the lists are complete'
            )
