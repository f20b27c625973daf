"""Crops without an annotated object, by hand-made boxes."""

import pytest
import torch

from ovarnet.structures import Annotations
from ovarnet.training.concept_clip.background import MOST_COVERED, TRIES, background_boxes
from ovarnet.training.engine.seeds import seeded


def photo(name, *boxes, width=100, height=60):
    none = torch.zeros(len(boxes), 0, dtype=torch.int8)
    return Annotations(name, name, height, width, list(boxes), [0] * len(boxes), none)


def draws(seed, number):
    """The candidates of a photo of 100 x 60 pixels, by the rule stated: sides, then the place."""
    rows = torch.rand(TRIES, 4, generator=seeded(seed, number)).tolist()
    boxes = []
    for across, down, left, top in rows:
        width, height = (0.2 + 0.5 * across) * 100, (0.2 + 0.5 * down) * 60
        x, y = left * (100 - width), top * (60 - height)
        boxes.append([x, y, x + width, y + height])
    return boxes


def covered(candidate, box):
    """Share of the candidate that the box covers."""
    sides = [
        min(candidate[axis + 2], box[axis + 2]) - max(candidate[axis], box[axis]) for axis in (0, 1)
    ]
    area = (candidate[2] - candidate[0]) * (candidate[3] - candidate[1])
    return max(sides[0], 0) * max(sides[1], 0) / area


def test_without_objects_it_is_the_first_draw_of_the_photo():
    files, boxes = background_boxes([photo("a"), photo("b")], seed=4)
    assert files == ["a", "b"]
    assert boxes.tolist() == [pytest.approx(draws(4, number)[0]) for number in (0, 1)]


def test_it_is_the_first_draw_that_no_object_covers():
    objects = [[0, 0, 50, 60], [70, 30, 100, 60]]
    later = 0
    for seed in range(20):
        allowed = [
            candidate
            for candidate in draws(seed, 0)
            if max(covered(candidate, box) for box in objects) <= MOST_COVERED
        ]
        files, boxes = background_boxes([photo("a", *objects)], seed)
        assert len(files) == len(boxes) == min(1, len(allowed))
        if allowed:
            assert boxes[0].tolist() == pytest.approx(allowed[0], abs=1e-4)
            later += allowed[0] != draws(seed, 0)[0]
    assert later > 5, "some first draws were covered"


def test_a_photo_without_room_is_left_out_and_changes_no_other():
    full = photo("full", [0, 0, 100, 60])
    files, boxes = background_boxes([full, photo("b")], seed=4)
    assert files == ["b"]
    assert boxes.tolist() == [pytest.approx(draws(4, 1)[0])]
    files, boxes = background_boxes([full], seed=4)
    assert files == []
    assert boxes.shape == (0, 4)
