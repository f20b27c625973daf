"""Which annotations OvarNet learns from."""

import pytest

from ovarnet.config import OvarnetTraining
from ovarnet.errors import InputError
from ovarnet.structures import UNKNOWN, Annotations
from ovarnet.training.distillation.data import (
    DistillationData,
    training_image,
)
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


@pytest.mark.parametrize("half", [{"captions": "absent/*.tar"}, {"captions_per_batch": 2}])
def test_half_of_the_caption_settings_is_refused_before_anything_is_read(half):
    with pytest.raises(InputError, match=r"captions is .* and captions_per_batch is"):
        DistillationData.open(OvarnetTraining(**half))
