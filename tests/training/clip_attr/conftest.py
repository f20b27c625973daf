"""CLIP and classifier that tests of this folder may change."""

import copy

import pytest

from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.prompts import LearnedPrompts


@pytest.fixture
def parts(small_clip):
    clip = copy.deepcopy(small_clip)
    return clip, TextClassifier(clip, LearnedPrompts(clip.text_width, (1, 1, 1)), bias=0.0)
