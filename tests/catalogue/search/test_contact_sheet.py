"""The contact sheet has a square for each hit and a row for each query."""

import numpy as np
from PIL import Image

from ovarnet.catalogue.product import Product
from ovarnet.catalogue.search.contact_sheet import MARGIN, SIDE, contact_sheet
from ovarnet.catalogue.search.index import Hit


def test_photos_lie_on_their_squares(tmp_path):
    Image.new("RGB", (40, 80), (200, 0, 0)).save(tmp_path / "red.png")
    hit = Hit(Product("1", (str(tmp_path / "red.png"),), "A red mug"), 0.5)
    one = contact_sheet([("red", [hit])])
    two = contact_sheet([("red", [hit, hit, hit]), ("again", [hit])])
    assert one.shape[1] == SIDE + 2 * MARGIN
    assert two.shape[1] == 3 * (SIDE + MARGIN) + MARGIN
    assert two.shape[0] == 2 * one.shape[0] - MARGIN
    is_red = (one == [200, 0, 0]).all(axis=2)
    assert is_red.sum() == 40 * 80
    assert np.flatnonzero(is_red.any(axis=0))[0] == MARGIN + (SIDE - 40) // 2


def test_a_query_without_hits_has_its_heading():
    sheet = contact_sheet([("nothing", [])])
    assert (sheet < 128).any()
