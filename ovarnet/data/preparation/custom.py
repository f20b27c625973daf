"""One's own data: every record checked, all problems listed, and the vocabulary written."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

from ovarnet.data.custom import SPLITS, CustomFile, custom_vocabulary, read_custom
from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.preparation.findings import Findings
from ovarnet.data.preparation.pictures import check_pictures, unnamed
from ovarnet.errors import InputError
from ovarnet.io.skipped import Skipped
from ovarnet.io.word_files import read_vocabulary, write_vocabulary
from ovarnet.structures import NEGATIVE, POSITIVE
from ovarnet.vocabulary import Vocabulary

__all__ = ["SPLITS", "prepare"]


def prepare(root: Path, splits: tuple[str, ...], sample: int, findings: Findings) -> None:
    """Check the files of one's own data and write their words to vocabulary.json.

    Args:
        root: folder of the dataset.
        splits: which splits.
        sample: how many images to decode.
        findings: where to report.
    """
    folder, sizes = root / "images", ImageSizes(root)
    files = {
        split: root / f"{split}.json" for split in splits if (root / f"{split}.json").is_file()
    }
    if not files:
        findings.missing(
            f"{root}: none of {', '.join(f'{split}.json' for split in splits)} is there; "
            "docs/own_data.md shows the form"
        )
    if not folder.is_dir():
        findings.missing(
            f"{folder}: put your images there (subfolders are welcome; file_name is the path "
            "inside)"
        )
    if not files or not folder.is_dir():
        return
    contents = {
        split: content
        for split, file in files.items()
        if (content := _check(file, folder, sizes, findings)) is not None
    }
    if not contents:
        return
    found, path = custom_vocabulary(contents), root / "vocabulary.json"
    is_training_unread = (root / "train.json").is_file() and "train" not in contents
    vocabulary = _write_vocabulary(path, found, is_training_unread, findings)
    _check_words(vocabulary, contents, findings)
    _check_base_words(vocabulary, found, path, findings)
    named = {
        split: [image.file for image in content.images.values()]
        for split, content in contents.items()
    }
    everything = [file for names in named.values() for file in names]
    unnamed(folder, everything, findings)
    check_pictures(everything, sizes, sample, findings, named.values())
    sizes.save(everything)


def _check(file: Path, folder: Path, sizes: ImageSizes, findings: Findings) -> CustomFile | None:
    notes = Skipped()
    try:
        content = read_custom(file, folder, notes, sizes)
    except InputError as error:
        findings.problem(str(error))
        return None
    with_words = sum(1 for annotation in content.annotations if annotation.labels)
    findings.ok(
        f"{file}: usable are {len(content.images):,} images and {len(content.annotations):,} "
        f"boxes, {with_words:,} with attributes"
    )
    findings.skipped(file, notes)
    _check_boxless(file, content, findings)
    return content


def _check_boxless(file: Path, content: CustomFile, findings: Findings) -> None:
    """Say what becomes of the images without a usable box."""
    boxless = content.images.keys() - {annotation.image_id for annotation in content.annotations}
    background = boxless & content.background_images
    if background:
        findings.note(
            f"{file}: {len(background):,} images have no annotation: evaluation counts every "
            f"detection of the {len(content.completely_labelled)} categories in them as false, "
            "training leaves them out; take them out of 'images' if their objects have not been "
            "annotated"
        )
    if len(boxless) > len(background):
        findings.note(
            f"{file}: {len(boxless) - len(background):,} images have no usable box; they are not "
            "used"
        )


def _write_vocabulary(
    path: Path, found: Vocabulary, is_training_unread: bool, findings: Findings
) -> Vocabulary:
    """Add new words at the end of the vocabulary file, if there is one.

    Words that it has stay as they are: their parents, synonyms and `seen` may have been set by
    hand. Nothing is written while train.json exists but has not been read (`is_training_unread`):
    its words would become novel, and stay so.
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
            f"{path}: has not all words and is not written without train.json, whose words are "
            "the base words; "
            "run `ovarnet prepare custom` on all splits once train.json has no problem"
        )
        return before
    if vocabulary != before:
        write_vocabulary(path, vocabulary)
        findings.written(path)
    return vocabulary


def _check_base_words(
    vocabulary: Vocabulary, found: Vocabulary, path: Path, findings: Findings
) -> None:
    """Report words with labels in train.json that are novel in the vocabulary.

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
                f"{path}: no word of the {kind} in train.json is a base word, so nothing of them "
                "could be learned; add "
                '"seen": true to those that are, or delete the file and run this again',
                novel,
            )
        elif novel:
            findings.tolerated(
                f"{path}: {len(novel)} {kind} have labels in train.json but are novel, so "
                "training does not see them; add "
                '"seen": true if that is not meant',
                novel,
            )


def _check_words(
    vocabulary: Vocabulary, contents: dict[str, CustomFile], findings: Findings
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
                f"{split}.json says of no word that it does not hold, so AP would be 1 for any "
                "model; list negatives too, "
                'or add "unlisted_attributes": "negative" if the lists are complete'
            )
