"""Photos are cut at the product, as in training; other weights are refused."""

import pytest
import torch
from tiny_shop import tiny_shop

from ovarnet.catalogue.data.prepared import open_catalogue
from ovarnet.catalogue.modeling.crop_encoder import open_crop_encoder
from ovarnet.catalogue.photo_patches import PhotoPatches
from ovarnet.config.catalogue_bert import MatcherDesign
from ovarnet.errors import InputError

CPU = torch.device("cpu")


def design(**more):
    given = {
        "tasks": ["match"],
        "network": "scenes-clip-attr",
        "side": 64,
        "digest": open_crop_encoder("scenes-clip-attr", 64).digest,
        "features": 128,
        "vocabulary": 20,
        "hidden": 8,
        "layers": 1,
        "heads": 2,
        "feed_forward": 16,
        "positions": 16,
        "tokens": 16,
        **more,
    }
    return MatcherDesign(**given)


def test_the_box_of_the_product_or_the_whole_photo(tmp_path):
    photo = open_catalogue(tiny_shop(tmp_path / "shop", 4))[0].image
    patches, locations = PhotoPatches(design(), "x", CPU)([photo])
    assert patches.shape == (1, 55, 128)
    x1, x2, y1, y2, _ = locations[0, 0].tolist()
    assert (x1, y1) == pytest.approx((8 / 60, 14 / 80), abs=0.02)
    assert (x2, y2) == pytest.approx((46 / 60, 62 / 80), abs=0.03)
    encode = PhotoPatches(design(patches="grid", grid=2, foreground=False), "x", CPU)
    patches, locations = encode([photo])
    assert locations[0].tolist()[3] == pytest.approx([0.5, 1, 0.5, 1, 0.25])
    assert encode([])[0].shape == (0, 4, 128)


def test_other_weights_are_refused():
    with pytest.raises(InputError, match=r"m was trained on features .* with other weights"):
        PhotoPatches(design(digest="0"), "m", CPU)
