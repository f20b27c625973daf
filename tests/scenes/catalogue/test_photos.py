"""Drawn product photos: the same seed gives the same pixels, and the foreground is the object."""

import numpy as np
import pytest

from ovarnet.catalogue.modeling.foreground import PADDING, foreground_mask, mask_to_box
from ovarnet.scenes.catalogue.photos import draw_photo, product_photos
from ovarnet.scenes.catalogue.words import product_words


def test_the_same_seed_gives_the_same_photos():
    first, again = (product_photos(product_words(0, 19), 0, 19) for _ in range(2))
    assert len(first) in (1, 2)
    for photo, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(photo.image, other.image)
        assert photo.box == other.box


def test_the_box_lies_inside():
    for index in range(40):
        photo = draw_photo(product_words(0, index), np.random.default_rng(index))
        x1, y1, x2, y2 = photo.box
        assert 0 < x1 < x2 < photo.image.shape[1]
        assert 0 < y1 < y2 < photo.image.shape[0]


def test_the_foreground_of_a_drawn_product_is_found():
    """Of matte and shiny products on near-white; see-through ones and halos have soft edges."""
    overlaps = []
    for index in range(0, 400):
        words = product_words(0, index)
        if words.labels["finish"] not in ("matte", "shiny") or words.labels["color"] == "white":
            continue
        photo = draw_photo(words, np.random.default_rng([7, index]))
        if photo.image[0, 0].min() < 244:
            continue
        found = np.array(unpadded(mask_to_box(foreground_mask(photo.image))))
        true = np.array(photo.box)
        inter = np.minimum(found[2:], true[2:]) - np.maximum(found[:2], true[:2])
        areas = [np.prod(box[2:] - box[:2]) for box in (found, true)]
        overlaps.append(np.prod(inter) / (sum(areas) - np.prod(inter)))
    assert len(overlaps) > 50
    assert np.median(overlaps) == pytest.approx(1, abs=0.08)


def unpadded(box):
    x1, y1, x2, y2 = box
    pads = [PADDING * side / (1 + 2 * PADDING) for side in (x2 - x1, y2 - y1)]
    return x1 + pads[0], y1 + pads[1], x2 - pads[0], y2 - pads[1]
