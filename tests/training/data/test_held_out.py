from pathlib import Path

import pytest

from ovarnet.config import Validation
from ovarnet.config.sources import DataSource
from ovarnet.data.captions import CaptionedImage
from ovarnet.errors import InputError
from ovarnet.training.data.held_out import (
    best_by_loss,
    check_held_out,
    check_held_out_captions,
    check_same_words,
    whole_batches,
)
from ovarnet.vocabulary import Vocabulary


class Numbers:
    """A batch is the sum of its keys."""

    def __init__(self, length):
        self.length = length

    def __len__(self):
        return self.length

    def __getitems__(self, keys):
        return sum(keys)


def test_a_split_that_is_trained_on_is_refused():
    sources = DataSource(split="train"), DataSource(split="extra")
    check_held_out("val", *sources)
    with pytest.raises(InputError, match=r"validation\.split extra is trained on; give a split"):
        check_held_out("extra", *sources)


def test_other_base_words_are_refused():
    words = Vocabulary.of(["mug"], [])
    check_same_words("val", Vocabulary.of(["mug"], []), words)
    with pytest.raises(InputError, match=r"validation\.split val has other base words"):
        check_same_words("val", Vocabulary.of(["mug", "car"], []), words)


def test_the_batches_are_the_same_at_every_measurement():
    best = best_by_loss(
        Numbers(4), iter([[1, 2], [3]]), Validation(split="val"), Path("run"), is_main=True
    )
    assert [list(best.batches()) for _ in range(2)] == [[3, 3], [3, 3]]


def test_an_empty_split_is_refused():
    with pytest.raises(InputError, match=r"validation\.split val has no box to measure"):
        best_by_loss(Numbers(0), [], Validation(split="val"), Path("run"), is_main=True)


def captioned(*files):
    return [CaptionedImage(file, file, ["a mug"]) for file in files]


def test_captions_of_images_that_are_trained_on_are_refused():
    trained = captioned("i/a.png", "i/b.png", "i/c.png")
    check_held_out_captions("val.json", captioned("i/d.png", "a.png"), trained)
    with pytest.raises(InputError) as error:
        check_held_out_captions("val.json", captioned("i/d.png", "i/c.png", "i/b.png"), trained)
    assert str(error.value) == (
        "validation.captions val.json: 2 of its 3 images are trained on, such as i/b.png; give "
        "captions of other images"
    )


def test_captions_without_an_image_are_refused():
    with pytest.raises(InputError, match=r"val\.json has no image with a caption; add some"):
        check_held_out_captions("val.json", [], captioned("a.png"))


def test_batches_hold_every_image_once():
    assert [whole_batches("val.json", images, 4, most=3) for images in (4, 7, 8, 12, 99)] == [
        1,
        1,
        2,
        3,
        3,
    ]
    with pytest.raises(InputError) as error:
        whole_batches("val.json", 3, 4, most=3)
    assert str(error.value) == (
        "validation.captions val.json has 3 images that can be used, fewer than "
        "optimisation.batch_size, 4; add images or lower the batch size"
    )
