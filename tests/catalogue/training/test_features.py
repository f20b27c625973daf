"""Crops of a photo, their order, and the cache."""

import numpy as np
import pytest
import torch
from tiny_shop import tiny_shop

from ovarnet.catalogue.data.prepared import open_catalogue
from ovarnet.catalogue.modeling.crop_encoder import CropEncoder, grey, warp_boxes
from ovarnet.catalogue.modeling.patches import KALEIDO_LEVELS, PatchLayout, locate
from ovarnet.catalogue.training.features import (
    cached_features,
    cut_rows,
    encode_photos,
    product_box,
    row_count,
)
from ovarnet.errors import InputError

KALEIDO, GRID = PatchLayout(KALEIDO_LEVELS), PatchLayout((2,))


class MeanColor(CropEncoder):
    """Features that can be computed by hand: the mean of every channel."""

    def __init__(self, digest="mean"):
        super().__init__((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
        self.width, self.side, self.digest, self.calls = 3, 16, digest, 0

    def features(self, crops):
        self.calls += 1
        return crops.mean(dim=(2, 3))


def test_rows_are_clean_patches_then_turns_then_grey():
    pixels = torch.rand(3, 40, 30)
    crops, locations = cut_rows(pixels, (5, 5, 25, 35), KALEIDO, 16)
    boxes = KALEIDO.boxes((5, 5, 25, 35))
    assert crops.shape == (row_count(KALEIDO), 3, 16, 16) == (74, 3, 16, 16)
    assert torch.equal(crops[:55], warp_boxes(pixels, boxes, 16))
    assert torch.equal(crops[55], crops[0].rot90(1, dims=(1, 2)))
    assert torch.equal(crops[57], crops[0].rot90(3, dims=(1, 2)))
    assert torch.equal(crops[58:], grey(crops[14:30]))
    assert torch.equal(locations, locate(boxes, 30, 40))
    assert cut_rows(pixels, (0, 0, 30, 40), GRID, 16)[0].shape == (4, 3, 16, 16)


def test_the_box_is_the_product_or_the_whole_photo(tmp_path):
    product = open_catalogue(tiny_shop(tmp_path / "shop", 4))[0]
    assert product_box(product, 60, 80, foreground=True) == (10, 16, 44, 60)
    assert product_box(product, 60, 80, foreground=False) == (0, 0, 60, 80)


def test_features_are_computed_once_and_anew_for_another_network_or_photo(tmp_path):
    shop = tiny_shop(tmp_path / "shop", 4)
    products, cache = list(open_catalogue(shop)), tmp_path / "cache"
    encoder = MeanColor()
    first = cached_features(products, GRID, encoder, cache, foreground=True)
    assert encoder.calls == 1
    photos = [torch.from_numpy(np.full((3, 80, 60), 0.5, np.float32))] * 4
    assert first.row(0).shape == (4, 3)
    assert first.location(0).shape == (4, 5)
    again = cached_features(products, GRID, encoder, cache, foreground=True)
    assert encoder.calls == 1
    assert np.array_equal(first.rows, again.rows)
    cached_features(products, GRID, encoder, cache, foreground=False)
    assert encoder.calls == 2
    other = MeanColor("other")
    cached_features(products, GRID, other, cache, foreground=True)
    assert other.calls == 1
    path = shop / "images" / "0.png"
    path.write_bytes((shop / "images" / "1.png").read_bytes())
    cached_features(products, GRID, encoder, cache, foreground=True)
    assert encoder.calls == 3
    rows, _ = encode_photos(photos, [(0, 0, 60, 80)] * 4, GRID, encoder)
    assert torch.allclose(rows, torch.full((4, 4, 3), 0.5))


def test_a_damaged_file_is_named(tmp_path):
    products = list(open_catalogue(tiny_shop(tmp_path / "shop", 4)))
    cached_features(products, GRID, MeanColor(), tmp_path / "cache", foreground=True)
    file = next((tmp_path / "cache").glob("patches-*.npy"))
    file.write_bytes(b"12")
    with pytest.raises(InputError, match="is damaged"):
        cached_features(products, GRID, MeanColor(), tmp_path / "cache", foreground=True)
