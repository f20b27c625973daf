"""Positions of plates."""

import numpy as np

from ovarnet.drawing.label_placement import (
    MAX_COVERED,
    MAX_HIDDEN,
    area,
    candidates,
    overlap,
    place,
    place_some,
)


def test_plates_lie_inside_and_never_overlap():
    generator = np.random.default_rng(0)
    corners = generator.uniform(0, 500, (12, 2))
    boxes = np.concatenate([corners, corners + generator.uniform(20, 140, (12, 2))], axis=1)
    placed = place(boxes, np.full((12, 2), (90.0, 30.0)), 640, 640)
    shared = overlap(placed, placed)
    assert (placed >= 0).all()
    assert (placed <= 640).all()
    assert np.count_nonzero(shared) == 12
    assert np.allclose(np.diag(shared), 90 * 30)


def test_a_lone_plate_stands_above_its_box_and_below_at_the_upper_rim():
    size = np.array([[40.0, 10.0]])
    assert place(np.array([[100.0, 100, 200, 200]]), size, 640, 640).tolist() == [
        [100, 90, 140, 100]
    ]
    assert place(np.array([[100.0, 0, 200, 200]]), size, 640, 640).tolist() == [
        [100, 200, 140, 210]
    ]


def test_no_place_for_a_plate_larger_than_the_canvas():
    assert place(np.array([[0.0, 0, 10, 10]]), np.array([[50.0, 10.0]]), 40, 40) is None
    assert (candidates(np.array([0.0, 0, 10, 10]), np.array([50.0, 10.0]))[:, 2:] >= 0).any()


def test_plates_that_find_no_place_are_left_out_and_the_others_stay_on_the_canvas():
    boxes = np.array([[90.0, 90, 100, 100]] * 80)
    kept, placed = place_some(boxes, np.full((80, 2), (22.0, 20.0)), 100, 100)
    shared = overlap(placed, placed)
    assert kept[0] == 0
    assert 2 <= len(kept) == len(placed) < 20
    assert kept == sorted(kept)
    assert (placed >= 0).all()
    assert (placed <= 100).all()
    assert np.count_nonzero(shared) == len(kept)
    assert np.allclose(np.diag(shared), 22 * 20)
    assert place(boxes, np.full((80, 2), (22.0, 20.0)), 100, 100) is None


def test_positions_beyond_the_rim_are_moved_onto_the_canvas():
    assert place_some(np.array([[90.0, 40, 100, 60]]), np.array([[22.0, 20]]), 100, 100)[
        1
    ].tolist() == [[78, 20, 100, 40]]
    kept, placed = place_some(
        np.array([[0.0, 0, 16, 60]]), np.array([[22.0, 20]]), 16, 100
    )  # wider than the canvas
    assert kept == []
    assert placed.shape == (0, 4)


def test_plates_that_would_cover_more_than_a_sixth_of_the_canvas_have_no_place():
    boxes = np.array([[x, y, x + 10, y + 10] for x in (100.0, 400) for y in (100.0, 400)])
    share = MAX_COVERED * 600 * 600 / 4
    width = np.sqrt(share)
    assert place(boxes, np.full((4, 2), width - 0.01), 600, 600) is not None
    assert place(boxes, np.full((4, 2), width + 0.01), 600, 600) is None


def test_all_plates_together_hide_at_most_half_of_a_box():
    box = np.array([[0.0, 0, 100, 100]])
    kept, _ = place_some(np.repeat(box, 3, axis=0), np.full((3, 2), (100.0, 30.0)), 100, 100)
    assert kept == [0]  # a second one would hide 60 %
    kept, placed = place_some(np.repeat(box, 3, axis=0), np.full((3, 2), (100.0, 25.0)), 100, 100)
    assert kept == [0, 1]
    assert overlap(placed, box).sum() / area(box)[0] == MAX_HIDDEN
