"""Which annotations OvarNet is trained on."""

import pytest
import torch

from ovarnet.config import OvarnetTraining
from ovarnet.errors import InputError
from ovarnet.structures import UNKNOWN, Annotations
from ovarnet.training.distillation.data import _with_columns, check_captions, training_image
from ovarnet.vocabulary import Vocabulary, Word


@pytest.mark.parametrize(
    ("category", "label", "what"), [(1, UNKNOWN, "novel category 'key'"), (0, 1, "novel attribute")]
)
def test_novel_annotations_are_refused(category, label, what):
    words = Vocabulary(
        (Word("mug", seen=True), Word("key")), (Word("red", seen=True), Word("gray"))
    )
    image = Annotations("a.png", "1", 20, 20, [[1, 1, 9, 9]], [category], [[UNKNOWN, label]])
    with pytest.raises(InputError, match=what):
        training_image(image, words, 1, exhaustive=True)


def test_difficult_boxes_and_categories_without_complete_labels():
    """Difficult boxes are ignored like crowds; an image that labels only some of the base
    categories has no background."""
    words = Vocabulary((Word("mug", seen=True), Word("key"), Word("car", seen=True)), ())

    def made(labelled):
        image = Annotations(
            "a.png",
            "1",
            20,
            20,
            [[1, 1, 9, 9], [2, 2, 8, 8]],
            [0, 2],
            torch.zeros(2, 0),
            is_difficult=[True, False],
            labelled_categories=labelled,
        )
        return training_image(image, words, 0, exhaustive=True)

    assert made(None).is_ignored.tolist() == [True, False]
    assert made(None).all_annotated
    assert made([True, False, True]).all_annotated, "novel categories have no column"
    assert not made([True, True, False]).all_annotated
    assert made([True, True, False]).labelled.tolist() == [True, False]


@pytest.mark.parametrize("half", [{"captions": "absent/*.tar"}, {"captions_per_batch": 2}])
def test_half_of_the_caption_settings_is_refused(half):
    with pytest.raises(InputError, match=r"captions is .* and captions_per_batch is"):
        check_captions(OvarnetTraining(**half))


def test_attribute_labels_of_detection_data_get_the_columns_of_the_attribute_data():
    """The detection data know (striped, red), the attribute data (red, furry)."""
    image = Annotations("a.png", "1", 20, 20, [[1, 1, 9, 9]], [0], [[0, 1]])
    own, wanted = (
        Vocabulary.of(["mug"], words) for words in (["striped", "red"], ["red", "furry"])
    )
    assert _with_columns(image, own, wanted).attributes.tolist() == [[1, UNKNOWN]]
    assert image.attributes.tolist() == [[0, 1]]
