"""Pictures: what must hold of them; how they look was judged by eye."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from ovarnet.label_placement import candidates, overlap, place
from ovarnet.structures import Detections
from ovarnet.visualization import curves, draw, grid, summary, write_image


def detections(boxes, categories=("mug", "car"), attributes=("red", "striped", "tiny")):
    count = len(boxes)
    category_scores = torch.eye(len(categories)).repeat(count, 1)[:count] if categories else torch.zeros(count, 0)
    attribute_scores = torch.tensor([0.9, 0.6, 0.2]).repeat(count, 1)[:, :len(attributes)]
    return Detections(boxes, torch.linspace(0.9, 0.5, count), category_scores, attribute_scores, list(categories), list(attributes))


def test_summary_names_the_best_words_only():
    found = detections([[0, 0, 9, 9], [0, 0, 5, 5]])
    assert summary(found) == ["mug 0.90: red 0.90, striped 0.60", "car 0.50: red 0.90, striped 0.60"]
    assert summary(found, top_attributes=1) == ["mug 0.90: red 0.90", "car 0.50: red 0.90"]
    assert summary(detections([[0, 0, 9, 9]], categories=(), attributes=())) == ["object 0.90"]


def test_small_images_are_enlarged_and_boxes_with_them():
    picture = draw(np.zeros((80, 160, 3), np.uint8), detections([[20, 10, 60, 50]], categories=(), attributes=()))
    assert picture.shape == (640, 1280, 3) and picture.dtype == np.uint8
    assert picture[240, 160].any() and picture[240, 480].any()   # the left and right edge: x = 20 and 60, times 8
    assert not picture[240, 320].any()                           # the inside stays as it is


def test_the_image_given_is_left_alone():
    image = np.zeros((700, 700, 3), np.uint8)
    assert draw(image, detections([[20, 10, 60, 50]])).any()
    assert not image.any()


@pytest.mark.parametrize("shape", [(1, 1), (20, 20000), (20000, 20)])
def test_extreme_images_can_be_drawn_and_written(shape, tmp_path):
    image = np.zeros((*shape, 3), np.uint8)
    for found in (detections([[0, 0, 1, 1]]), detections([])):
        picture = draw(image, found)
        assert max(picture.shape) <= 4700
        write_image(tmp_path / "x.jpg", picture)
    assert [file.name for file in tmp_path.iterdir()] == ["x.jpg"]


def test_crowded_boxes_get_numbers_and_a_list_beside_the_image():
    image = np.zeros((640, 640, 3), np.uint8)
    few, many = detections([[100, 100, 300, 300]]), detections([[x, x, x + 60, x + 60] for x in range(200, 280, 2)])
    assert draw(image, few).shape == (640, 640, 3)
    crowded = draw(image, many)
    assert crowded.shape[1] > 900
    assert (crowded[:, 640:] == 255).all(axis=2).mean() > 0.1   # the list stands on white


def test_long_words_in_any_script_can_be_drawn():
    attributes = ("made of brushed stainless steel", "ярко-красный", "é")
    found = detections([[10, 10, 200, 200]], categories=("a" * 200, "杯子"), attributes=attributes)
    assert draw(np.zeros((640, 640, 3), np.uint8), found).shape == (640, 640, 3)


def test_plates_lie_inside_and_never_overlap():
    generator = np.random.default_rng(0)
    corners = generator.uniform(0, 500, (12, 2))
    boxes = np.concatenate([corners, corners + generator.uniform(20, 140, (12, 2))], axis=1)
    placed = place(boxes, np.full((12, 2), (90.0, 30.0)), 640, 640)
    shared = overlap(placed, placed)
    assert (placed >= 0).all() and (placed <= 640).all()
    assert np.count_nonzero(shared) == 12 and np.allclose(np.diag(shared), 90 * 30)


def test_a_lone_plate_stands_above_its_box_and_below_at_the_upper_rim():
    size = np.array([[40.0, 10.0]])
    assert place(np.array([[100.0, 100, 200, 200]]), size, 640, 640).tolist() == [[100, 90, 140, 100]]
    assert place(np.array([[100.0, 0, 200, 200]]), size, 640, 640).tolist() == [[100, 200, 140, 210]]


def test_no_place_for_a_plate_larger_than_the_canvas():
    assert place(np.array([[0.0, 0, 10, 10]]), np.array([[50.0, 10.0]]), 40, 40) is None
    assert (candidates(np.array([0.0, 0, 10, 10]), np.array([50.0, 10.0]))[:, 2:] >= 0).any()


def test_grid_keeps_the_aspect_and_the_order():
    wide, high = np.full((10, 20, 3), 10, np.uint8), np.full((20, 10, 3), 99, np.uint8)
    sheet = grid([wide, high], columns=2, cell=40, gap=2)
    assert sheet.shape == (44, 86, 3)
    assert (sheet == 10).all(axis=2).sum() == 40 * 20 and (sheet[:, :43] == 10).any()
    assert (sheet == 99).all(axis=2).sum() == 20 * 40 and (sheet[:, 43:] == 99).any()


def drawn(path):
    """(rows, columns) bool: in which of the plots of a figure a curve is seen, each 440 x 286 pixels."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    blue = np.abs(pixels - (31, 119, 180)).sum(axis=2) < 30       # matplotlib's first colour
    rows, columns = blue.shape[0] // 286, blue.shape[1] // 440
    assert blue.shape == (286 * rows, 440 * columns)
    return (blue.reshape(rows, 286, columns, 440).sum(axis=(1, 3)) > 50).tolist()


def test_curves_of_no_one_and_four_names(tmp_path):
    history = {"loss": [(0, 2.0), (10, 1.0)], "AP": [(5, 0.3)], "none yet": [], "lr": [(0, 0.1), (10, 0.2)]}
    expected = {"empty": [[False]], "one": [[True]], "four": [[True, False, False], [True, False, False]]}     # a point is no curve
    for name, part in (("empty", {}), ("one", {"loss": history["loss"]}), ("four", json.loads(json.dumps(history)))):
        curves(part, tmp_path / "new" / f"{name}.png")
        assert drawn(tmp_path / "new" / f"{name}.png") == expected[name]
    assert len(list((tmp_path / "new").iterdir())) == 3
