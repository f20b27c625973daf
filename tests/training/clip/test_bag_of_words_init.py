"""A text tower that begins as a weighted bag of words."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import load_clip
from ovarnet.training.clip.bag_of_words_init import (
    init_as_bag_of_words,
    inverse_document_frequency,
)


def test_document_frequency_counts_a_caption_once():
    weights = inverse_document_frequency([[5, 5, 7], [5, 8], [5], [5]])
    assert weights[5] == 0.0
    assert weights[7] == weights[8] == pytest.approx(math.log(4) / 3)
    assert inverse_document_frequency([[1]] * 999 + [[2]])[2] == 1.0


def test_the_initial_tower_is_a_bag_of_words_that_hears_rare_words_most():
    torch.manual_seed(0)
    clip = load_clip("ovarnet-scenes", None, random_weights=True)
    captions = [
        "a photo of a red car",
        "a photo of a blue dog",
        "a photo of a green mug",
        "a photo of a pink key",
    ] * 5
    init_as_bag_of_words(clip, clip.tokenize(captions))

    def similarity(a, b):
        with torch.no_grad():
            return F.cosine_similarity(clip.encode_text([a]), clip.encode_text([b])).item()

    assert similarity("a red car", "car red a") == pytest.approx(
        1, abs=0.01
    )  # order plays next to no part
    assert similarity("a photo of a red car", "red car") > 0.8  # common words weigh little
    assert similarity("a photo of a red car", "a photo of a blue dog") < 0.5


def test_another_text_tower_is_refused():
    clip = SimpleNamespace(name="SigLIP", require_text_tower=lambda: object())
    with pytest.raises(
        InputError, match="needs the text tower of OpenAI's CLIP, which SigLIP lacks"
    ):
        init_as_bag_of_words(clip, [[1]])
