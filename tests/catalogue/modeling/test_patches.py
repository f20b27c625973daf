"""Boxes that tile, and locations, by hand."""

import pytest
import torch

from ovarnet.catalogue.modeling.patches import KALEIDO_LEVELS, PatchLayout, locate

KALEIDO, GRID = PatchLayout(KALEIDO_LEVELS), PatchLayout((8,))


def test_counts_and_levels():
    assert (KALEIDO.count, GRID.count) == (55, 64)
    assert [(rows.start, rows.stop) for rows in KALEIDO.slices] == [
        (0, 1),
        (1, 5),
        (5, 14),
        (14, 30),
        (30, 55),
    ]
    assert torch.bincount(KALEIDO.level_of).tolist() == [1, 4, 9, 16, 25]


@pytest.mark.parametrize("layout", [KALEIDO, GRID])
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (192, 256), (37, 101)])
def test_every_level_covers_every_pixel_once(layout, size):
    width, height = size
    boxes = layout.boxes((2, 1, 2 + width, 1 + height))
    for rows in layout.slices:
        covered = torch.zeros(height + 1, width + 2, dtype=torch.int)
        for x1, y1, x2, y2 in boxes[rows].tolist():
            covered[y1:y2, x1:x2] += 1
        assert covered[1:, 2:].eq(1).all()
        assert covered.sum() == width * height


def test_raster_order():
    boxes = PatchLayout((2,)).boxes((10, 20, 20, 40))
    assert boxes.tolist() == [
        [10, 20, 15, 30],
        [15, 20, 20, 30],
        [10, 30, 15, 40],
        [15, 30, 20, 40],
    ]


def test_location_of_a_patch_of_a_photo_that_is_not_square():
    found = locate(torch.tensor([[10, 20, 30, 60]]), width=100, height=200)
    assert found.tolist() == [pytest.approx([0.1, 0.3, 0.1, 0.3, 0.04])]
