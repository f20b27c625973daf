import copy
import math

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from ovarnet.data.captions import CaptionedImage
from ovarnet.modeling.clip.clip import load_clip
from ovarnet.training.clip.bag_of_words_init import (
    inverse_document_frequency,
    start_as_bag_of_words,
)
from ovarnet.training.clip.stage import CaptionPairDataset


@pytest.fixture
def pairs(tmp_path, small_clip):
    records = []
    for index, shape in enumerate([(20, 40, 3), (64, 64, 3), (30, 10, 3)]):
        file = tmp_path / f"{index}.png"
        cv2.imwrite(str(file), np.full(shape, 60 * index + 40, np.uint8))
        records.append(
            CaptionedImage(str(file), str(index), [f"a red car {index}", f"a blue dog {index}"])
        )
    return CaptionPairDataset(records, small_clip, seed=1)


def test_pictures_are_letterboxed_with_zeros_after_normalisation(pairs, small_clip):
    pictures, tokens = pairs.__getitems__([(0, 0), (0, 1), (0, 2)])
    assert pictures.shape == (3, 3, 64, 64)
    assert len(tokens) == 3
    assert (pictures[0, :, :16] == 0).all()
    assert (pictures[0, :, 48:] == 0).all()
    assert (pictures[0, :, 16:48] != 0).all()
    grey = small_clip.normalise(torch.full((1, 3, 32, 64), 40 / 255))[0]
    assert torch.allclose(pictures[0, :, 16:48], grey, atol=2e-3)


def test_captions_are_drawn_anew_and_reproducibly(pairs):
    drawn = [pairs.__getitems__([(iteration, 0)])[1][0] for iteration in range(20)]
    assert {tuple(row) for row in drawn} == {tuple(row) for row in pairs.tokens[0]}
    assert drawn == [pairs.__getitems__([(iteration, 0)])[1][0] for iteration in range(20)]


@pytest.mark.parametrize(("start", "bounded"), [(9.0, math.log(100)), (-1.0, 0.0), (2.0, 2.0)])
def test_the_temperature_is_bounded_by_one_hundred(small_clip, start, bounded):
    clip = copy.deepcopy(small_clip)
    with torch.no_grad():
        clip.logit_scale.fill_(start)
    clip.bound_logit_scale()
    assert clip.logit_scale.item() == pytest.approx(bounded)


def test_document_frequency_counts_a_caption_once():
    weights = inverse_document_frequency([[5, 5, 7], [5, 8], [5], [5]])
    assert weights[5] == 0.0
    assert weights[7] == weights[8] == pytest.approx(math.log(4) / 3)
    assert inverse_document_frequency([[1]] * 999 + [[2]])[2] == 1.0


def test_the_start_is_a_bag_of_words_that_hears_rare_words_most():
    torch.manual_seed(0)
    clip = load_clip("ovarnet-scenes", None, random_weights=True)
    captions = [
        "a photo of a red car",
        "a photo of a blue dog",
        "a photo of a green mug",
        "a photo of a pink key",
    ] * 5
    start_as_bag_of_words(clip, clip.tokenize(captions))

    def similarity(a, b):
        with torch.no_grad():
            return F.cosine_similarity(clip.encode_text([a]), clip.encode_text([b])).item()

    assert similarity("a red car", "car red a") == pytest.approx(
        1, abs=0.01
    )  # order plays next to no part
    assert similarity("a photo of a red car", "red car") > 0.8  # common words weigh little
    assert similarity("a photo of a red car", "a photo of a blue dog") < 0.5
