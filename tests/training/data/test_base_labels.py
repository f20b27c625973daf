"""Labels of base words: what is unknown stays unknown, what is novel is refused."""

from dataclasses import replace

import pytest
import torch

from ovarnet.errors import InputError
from ovarnet.structures import NEGATIVE, NO_CATEGORY, POSITIVE, UNKNOWN, Annotations
from ovarnet.training.data.base_labels import base_labels
from ovarnet.vocabulary import Vocabulary, Word

WORDS = Vocabulary(
    (Word("mug", seen=True), Word("key"), Word("car", seen=True)),
    (Word("gray"), Word("red", seen=True)),
)


def image(categories, attributes):
    boxes = torch.tensor([[0.0, 0, 5, 5]]).repeat(len(categories), 1)
    return Annotations("x.jpg", "1", 10, 10, boxes, categories, attributes)


def test_a_box_without_a_category_is_negative_of_none():
    images = [image([2], [[UNKNOWN, 1]]), image([NO_CATEGORY, 0], [[UNKNOWN, UNKNOWN]] * 2)]
    words, labels = base_labels("category", WORDS, images)
    assert [word.name for word in words] == ["mug", "car"]
    assert labels.tolist() == [[NEGATIVE, POSITIVE], [UNKNOWN, UNKNOWN], [POSITIVE, NEGATIVE]]
    words, labels = base_labels("attribute", WORDS, images)
    assert [word.name for word in words] == ["red"]
    assert labels.tolist() == [[1], [UNKNOWN], [UNKNOWN]]


@pytest.mark.parametrize(
    ("kind", "categories", "attributes", "named"),
    [("category", [1], [[UNKNOWN, 1]], "categories"), ("attribute", [0], [[0, 1]], "attributes")],
)
def test_labels_of_novel_words_are_refused(kind, categories, attributes, named):
    """Else a box of a novel category would be a negative of every base category."""
    with pytest.raises(InputError, match=f"the data have labels of novel {named}; training may"):
        base_labels(kind, WORDS, [image(categories, attributes)])


def test_a_vocabulary_without_novel_or_without_any_words():
    seen = Vocabulary((Word("mug", seen=True),), ())
    words, labels = base_labels("category", seen, [image([0], [[]])])
    assert (len(words), labels.tolist()) == (1, [[POSITIVE]])
    words, labels = base_labels("attribute", seen, [image([0], [[]])])
    assert (words, labels.shape) == ([], (1, 0))


def test_ignored_boxes_have_no_label():
    one = replace(image([0, 2], [[UNKNOWN, 1], [UNKNOWN, 0]]), is_crowd=[True, False])
    assert base_labels("category", WORDS, [one])[1].tolist() == [[UNKNOWN] * 2, [0, 1]]
    assert base_labels("attribute", WORDS, [one])[1].tolist() == [[UNKNOWN], [0]]
    assert one.attributes.tolist() == [[UNKNOWN, 1], [UNKNOWN, 0]], "the annotations stay"
