import pytest

from ovarnet.data.image_folder import ImageRecord
from ovarnet.data.labelled import (
    LabelledBox,
    LabelledSplit,
    labelled_annotations,
    labelled_vocabulary,
    load_labelled,
    open_vocabulary,
)
from ovarnet.errors import InputError
from ovarnet.io.skipped import Skipped
from ovarnet.io.word_files import write_vocabulary
from ovarnet.structures import NEGATIVE, NO_CATEGORY, POSITIVE, UNKNOWN
from ovarnet.vocabulary import Vocabulary, Word

WORDS = Vocabulary.of(["mug", "key"], ["red", "old"])


def split(*boxes, images=("1", "2"), **more):
    records = {name: ImageRecord(f"{name}.jpg", name, 40, 60) for name in images}
    fields = {"categories": {"mug": "kitchen"}, "annotated": {box.image_id for box in boxes}}
    return LabelledSplit(records, annotations=list(boxes), **{**fields, **more})


def box(category="mug", labels=None, image="1", **more):
    fields = {"is_crowd": False, "is_difficult": False, "instance_id": "x", **more}
    return LabelledBox(image, [1, 2, 3, 4], category, labels or {}, **fields)


def test_boxes_become_rows_of_their_image_and_the_rest_is_background():
    skipped = Skipped()
    content = split(
        box(labels={"old": NEGATIVE, "new": POSITIVE}), box("cup"), box(None, is_difficult=True)
    )
    first, second = labelled_annotations(content, WORDS, skipped, "a.json", "custom")
    assert first.categories.tolist() == [0, NO_CATEGORY, NO_CATEGORY]
    assert first.attributes.tolist() == [[UNKNOWN, NEGATIVE], *[[UNKNOWN] * 2] * 2]
    assert first.is_difficult.tolist() == [False, False, True]
    assert first.labelled_categories.tolist() == [True, False]
    assert len(second) == 0
    assert skipped.items == {
        "category not in the vocabulary": ["'cup' of annotation x"],
        "attribute not in the vocabulary": ["'new' of annotation x"],
    }


def test_a_loaded_split_notes_or_logs_what_was_left_out(caplog):
    def read(skipped):
        skipped.add("box has no area", "line 3")
        return split(box("cup"))

    skipped = Skipped()
    (image, _) = load_labelled(read, WORDS, skipped, "a.json", "custom")
    assert image.categories.tolist() == [NO_CATEGORY]
    assert list(skipped.items) == ["box has no area", "category not in the vocabulary"]
    assert caplog.messages == []

    load_labelled(read, WORDS, None, "a.json", "custom")
    assert caplog.messages == [f"a.json: left out: {skipped}"]


def test_images_are_background_only_if_something_is_labelled_completely():
    assert split(box()).background_images == {"2"}
    assert split(box(), annotated={"1", "2"}).background_images == set()
    assert split(box(), labelled_categories=[]).background_images == set()
    assert split(box(), categories={}).background_images == set()


def test_a_split_without_a_usable_box():
    with pytest.raises(InputError, match=r"a\.json: none of its annotations can be used: nothing"):
        labelled_annotations(split(), WORDS, Skipped(), "a.json", "custom")


def test_words_with_labels_in_training_are_seen():
    splits = {
        "test": split(box("key", {"old": NEGATIVE}), categories={"key": "other", "mug": "other"}),
        "train": split(box(labels={"red": POSITIVE})),
    }
    assert labelled_vocabulary(splits) == Vocabulary(
        (Word("key"), Word("mug", seen=True)), (Word("old"), Word("red", seen=True))
    )


def test_words_come_from_the_file(tmp_path):
    with pytest.raises(InputError, match=r"vocabulary\.json: no such file; `ovarnet prepare voc"):
        open_vocabulary(tmp_path, "voc")
    write_vocabulary(tmp_path / "vocabulary.json", WORDS)
    assert open_vocabulary(tmp_path, "voc") == WORDS
