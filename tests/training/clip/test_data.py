"""Images at the tower's size, their captions, and what cannot be read."""

import logging

import cv2
import numpy as np
import pytest
import torch

from ovarnet.data.captions import CaptionedImage
from ovarnet.errors import InputError
from ovarnet.training.clip.data import CaptionPairDataset


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


def test_images_are_letterboxed_with_zeros_after_normalisation(pairs, small_clip):
    batch = pairs.__getitems__([(0, 0), (0, 1), (0, 2)])
    images = batch.images
    assert images.shape == (3, 3, 64, 64)
    assert len(batch.tokens) == 3
    assert (images[0, :, :16] == 0).all()
    assert (images[0, :, 48:] == 0).all()
    assert (images[0, :, 16:48] != 0).all()
    grey = small_clip.normalise(torch.full((1, 3, 32, 64), 40 / 255))[0]
    assert torch.allclose(images[0, :, 16:48], grey, atol=2e-3)


def test_captions_are_drawn_anew_and_reproducibly(pairs):
    drawn = [pairs.__getitems__([(iteration, 0)]).tokens[0] for iteration in range(20)]
    assert {tuple(row) for row in drawn} == {tuple(row) for row in pairs.tokens[0]}
    assert drawn == [pairs.__getitems__([(iteration, 0)]).tokens[0] for iteration in range(20)]


def test_half_of_the_images_are_flipped(tmp_path, small_clip):
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:, 32:] = 255
    cv2.imwrite(str(tmp_path / "x.png"), picture)
    pairs = CaptionPairDataset(
        [CaptionedImage(str(tmp_path / "x.png"), "x", ["a car"])], small_clip, seed=0
    )
    images = pairs.__getitems__([(0, 0)] * 40).images
    is_white_left = images[:, 0, 32, 2] > images[:, 0, 32, -3]
    assert 10 < is_white_left.sum() < 30


@pytest.fixture
def one_broken(tmp_path):
    cv2.imwrite(str(tmp_path / "good.png"), np.full((8, 8, 3), 9, np.uint8))
    (tmp_path / "bad.png").write_bytes(b"no image")
    return [
        CaptionedImage(str(tmp_path / f"{name}.png"), name, ["a car"]) for name in ("bad", "good")
    ]


def test_what_cannot_be_read_is_left_out_and_logged(one_broken, small_clip, caplog):
    with caplog.at_level(logging.WARNING):
        pairs = CaptionPairDataset(one_broken, small_clip, seed=0)
    assert [record.image_id for record in pairs.records] == ["good"]
    assert "images with captions" in caplog.text
    with pytest.raises(InputError, match="none of the 1 images can be read"):
        CaptionPairDataset(one_broken[:1], small_clip, seed=0)


def test_a_corpus_that_does_not_fit_is_read_at_every_visit(one_broken, small_clip):
    pairs = CaptionPairDataset(one_broken, small_clip, seed=0, megabytes=0)
    kept = CaptionPairDataset(one_broken[1:], small_clip, seed=0)
    assert len(pairs) == 2
    again = pairs.__getitems__([(3, 1)]).images
    assert torch.allclose(again, kept.__getitems__([(3, 0)]).images, atol=2e-3)
    with pytest.raises(InputError, match=r"bad\.png"):
        pairs.__getitems__([(0, 0)])


def test_without_flips_an_image_is_the_same_at_every_visit(pairs, small_clip):
    plain = CaptionPairDataset(pairs.records, small_clip, seed=1, flip=False)
    for iteration in range(8):
        seen = plain.__getitems__([(iteration, 0), (iteration, 2)]).images
        assert torch.equal(seen, pairs.pixels[[0, 2]].float())
