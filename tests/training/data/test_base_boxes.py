"""Boxes of base words: targets, what is left out, and what stops training."""

from dataclasses import replace

import pytest
import torch

from ovarnet.errors import InputError
from ovarnet.structures import NO_CATEGORY, UNKNOWN, Annotations
from ovarnet.training.data.base_boxes import (
    TrainingBoxes,
    attribute_boxes,
    base_vocabulary,
    detection_boxes,
)
from ovarnet.vocabulary import Vocabulary, Word

WORDS = Vocabulary(
    (Word("mug", seen=True), Word("key"), Word("car", seen=True)),
    (Word("gray"), Word("red", seen=True), Word("striped", seen=True)),
)
BOX = [0.0, 0, 10, 10]


def image(categories, attributes, crowd=None):
    return Annotations("a.jpg", "7", 20, 20, [BOX] * len(categories), categories, attributes, crowd)


def test_base_words_keep_their_order():
    base = base_vocabulary(WORDS)
    assert base.category_names == ["mug", "car"]
    assert base.attribute_names == ["red", "striped"]


def test_categories_are_columns_of_the_base_words_without_crowds():
    found = detection_boxes(
        [image([2, 0, NO_CATEGORY, 0], torch.zeros(4, 3), [False, False, False, True])], WORDS
    )
    assert found.targets.tolist() == [1, 0]
    assert found.boxes.tolist() == [BOX] * 2
    assert found.files == ["a.jpg"] * 2


def test_attribute_labels_are_columns_of_the_base_words_without_unlabelled_boxes():
    labels = torch.tensor([[UNKNOWN, 1, 0], [UNKNOWN] * 3, [UNKNOWN, UNKNOWN, 1], [UNKNOWN, 1, 1]])
    crowd = [False, False, False, True]
    found = attribute_boxes([image([0, 0, NO_CATEGORY, 0], labels, crowd)], WORDS)
    assert found.targets.tolist() == [[1, 0], [UNKNOWN, 1]]


def test_difficult_boxes_are_left_out():
    difficult = replace(image([2, 0], torch.ones(2, 3) * UNKNOWN), is_difficult=[True, False])
    assert detection_boxes([difficult], WORDS).targets.tolist() == [0]
    known = replace(difficult, attributes=[[UNKNOWN, 1, 0], [UNKNOWN, 0, 1]])
    assert attribute_boxes([known], WORDS).targets.tolist() == [[0, 1]]


def test_a_novel_category_or_attribute_label_stops_training():
    with pytest.raises(InputError, match="image 7 has a box of the novel category 'key'"):
        detection_boxes([image([0, 1], torch.full((2, 3), UNKNOWN))], WORDS)
    with pytest.raises(InputError, match="image 7 has a label of the novel attribute 'gray'"):
        attribute_boxes([image([0], torch.tensor([[0, 1, 1]]))], WORDS)


def test_no_boxes_at_all():
    assert len(detection_boxes([], WORDS)) == 0
    assert attribute_boxes([], WORDS).targets.shape == (0, 2)


def test_the_first_boxes():
    boxes = TrainingBoxes(["a", "b"], torch.tensor([BOX, [1.0, 1, 2, 2]]), torch.tensor([4, 5]))
    first = boxes.first(1)
    assert (first.files, first.boxes.tolist(), first.targets.tolist()) == (["a"], [BOX], [4])
