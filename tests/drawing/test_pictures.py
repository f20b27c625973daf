"""Pictures: what must hold of them; how they look was judged by eye."""

import json
import random
import re

import numpy as np
import pytest
import torch
from PIL import Image

from ovarnet.drawing import fonts
from ovarnet.drawing.label_placement import candidates, overlap, place, place_some
from ovarnet.drawing.pictures import (
    MOST_LINES,
    _entry,
    _names,
    _wrapped,
    curves,
    draw,
    summary,
    write_image,
)
from ovarnet.errors import InputError
from ovarnet.io.images import read_image
from ovarnet.structures import Detections


def detections(boxes, categories=("mug", "car"), attributes=("red", "striped", "tiny")):
    count = len(boxes)
    category_scores = (
        torch.eye(len(categories)).repeat(count, 1)[:count] if categories else torch.zeros(count, 0)
    )
    attribute_scores = torch.tensor([0.9, 0.6, 0.2]).repeat(count, 1)[:, : len(attributes)]
    return Detections(
        boxes,
        torch.linspace(0.9, 0.5, count),
        category_scores,
        attribute_scores,
        list(categories),
        list(attributes),
    )


def test_summary_names_the_best_words_only():
    found = detections([[0, 0, 9, 9], [0, 0, 5, 5]])
    assert summary(found) == [
        "mug 0.90: red 0.90, striped 0.60",
        "car 0.50: red 0.90, striped 0.60",
    ]
    assert summary(found, top_attributes=1) == ["mug 0.90: red 0.90", "car 0.50: red 0.90"]
    assert summary(detections([[0, 0, 9, 9]], categories=(), attributes=())) == ["object 0.90"]


def test_small_images_are_enlarged_and_boxes_with_them():
    picture = draw(
        np.zeros((80, 160, 3), np.uint8),
        detections([[20, 10, 60, 50]], categories=(), attributes=()),
    )
    assert picture.shape == (640, 1280, 3)
    assert picture.dtype == np.uint8
    assert picture[240, 160].any()
    assert picture[240, 480].any()
    assert not picture[240, 320].any()  # the inside stays as it is


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
    few, many = (
        detections([[100, 100, 300, 300]]),
        detections([[x, x, x + 60, x + 60] for x in range(200, 280, 2)]),
    )
    assert draw(image, few).shape == (640, 640, 3)
    crowded = draw(image, many)
    assert crowded.shape[1] > 900
    assert (crowded[:, 640:] == 255).all(axis=2).mean() > 0.1  # the list stands on white


def test_what_is_beyond_the_best_100_boxes_is_only_counted(tmp_path):
    image = np.zeros((640, 640, 3), np.uint8)
    generator = np.random.default_rng(0)
    corners = generator.uniform(0, 560, (6500, 2))
    found = detections(np.concatenate([corners, corners + 60], axis=1).tolist())
    best, all_of_them = draw(image, found[:100]), draw(image, found)
    assert (all_of_them[:, :640] == best[:, :640]).all()
    assert best[:, :640].any()
    assert best.shape[1] <= all_of_them.shape[1] < 2200  # as many plates, and one line more
    last = (
        (all_of_them[:, 640:] == 0).all(axis=2).any(axis=0)
    )  # the only black text is that of "and 6,400 more"
    assert last.any()
    assert not (best[:, 640:] == 0).all(axis=2).any()
    write_image(tmp_path / "x.jpg", all_of_them)


def test_the_list_beside_a_low_image_does_not_become_a_ribbon():
    attributes = [f"made of {name} and some more words" for name in ("steel", "wood", "glass")]
    found = detections(
        [[0, 0, 9, 9]] * 100, categories=["a phrase of several words"] * 2, attributes=attributes
    )
    height, width = draw(np.zeros((100, 1000, 3), np.uint8), found).shape[:2]
    assert height > 640
    assert 1000 < width - 4096 < 3 * height


@pytest.mark.parametrize(
    ("shape", "canvas"), [((5000, 20), (4096, 160)), ((20, 5000), (160, 4096))]
)
def test_a_very_narrow_image_gets_room_for_its_numbers(shape, canvas):
    boxes = [
        [0, 0, shape[1] // 2, shape[0] // 2],
        [shape[1] // 2, shape[0] // 2, shape[1], shape[0]],
    ]
    picture = draw(np.zeros((*shape, 3), np.uint8), detections(boxes))
    beyond = picture[: canvas[0], : canvas[1]] if shape[0] < shape[1] else picture[:, : canvas[1]]
    strip = beyond[16:] if shape[0] < shape[1] else beyond[:, 16:]
    assert (
        0 < (strip != 255).any(axis=2).sum() < 2 * 30 * 30
    )  # two tags, or what of them does not stand on the image


def test_scores_are_never_cut():
    phrase = (
        "thing that goes on and on and still goes on some more and then goes on again until "
        "it is a hundred long"
    )
    assert _wrapped([(phrase, "0.83")]) == ["thing that goes on and on", "and still goes on … 0.83"]
    assert _wrapped([("a" * 200, "0.83")], "7 ") == ["7 " + "a" * 26, "a" * 17 + " … 0.83"]
    assert _wrapped([("a" * 30, "0.83")]) == ["a" * 22, "a" * 8 + " 0.83"]
    assert _wrapped([("red, white and blue", "0.91"), ("dotted", "0.52")]) == [
        "red, white and blue 0.91,",
        "dotted 0.52",
    ]
    assert _wrapped([("very long word for a colour", "0.91")] * 9) == [
        "very long word for a",
        "colour 0.91, very long word",
        "for a colour 0.91, very long",
        "word for a colour 0.91, …",
    ]
    draws = random.Random(0)
    for _ in range(2000):
        word = " ".join("x" * draws.randint(1, 30) for _ in range(draws.randint(1, 12)))
        lines = _wrapped([(word, "0.83")], draws.choice(["", "7 ", "100  "]))
        assert len(lines) <= MOST_LINES
        assert all(len(line) <= 28 for line in lines)
        assert lines[-1].endswith("0.83")
        lines = _wrapped([(word, "0.83")] * draws.randint(1, 5))
        assert len(lines) <= MOST_LINES
        assert all(len(line) <= 28 for line in lines)
        assert re.search("(0.83|0.83, …|^…)$", lines[-1])
    assert _entry("mug", "0.83") == "mug\xa00.83"


def test_words_that_no_font_has_are_named_by_their_number_and_told_once(monkeypatch, caplog):
    monkeypatch.setattr(fonts, "_system_fonts", lambda: [])
    fonts.font_of.cache_clear()
    _names.cache_clear()
    categories, attributes = ("mug", "木", "🌲"), ("हिन्दी", "red")
    assert _names(categories, attributes) == (
        ["mug", "category\xa02", "category\xa03"],
        ["attribute\xa01", "red"],
    )
    assert _names(("mug",), ()) == (["mug"], [])
    found = detections([[100, 100, 200, 200]], categories[1:], attributes)
    other = detections([[100, 100, 200, 200]], ("category 1", "x"), ("attribute 1", "red"))
    image = np.zeros((640, 640, 3), np.uint8)
    assert (draw(image, found) == draw(image, other)).all()
    assert (draw(image, found) == draw(image, other)).all()
    assert summary(found) == ["木 0.90: हिन्दी 0.90, red 0.60"]  # the words themselves
    assert caplog.messages == [
        "no font here can draw 木 (category 2), 🌲 (category 3), हिन्दी (attribute 1): pictures "
        "show the names in brackets; install a font "
        "for them, such as Noto",
        "no font here can draw 木 (category 1), 🌲 (category 2), हिन्दी (attribute 1): pictures "
        "show the names in brackets; install a font "
        "for them, such as Noto",
    ]
    _names(tuple("木林森火水金土"), ())
    assert (
        "木 (category 1), 林 (category 2), 森 (category 3), 火 (category 4), 水 (category 5) and 2 "
        "more: pictures" in caplog.messages[-1]
    )
    fonts.font_of.cache_clear()
    _names.cache_clear()


def test_draw_takes_what_detect_takes(tmp_path):
    found = detections([[2, 2, 20, 20]])
    grey = Image.fromarray(np.arange(900, dtype=np.uint8).reshape(30, 30))
    grey.save(tmp_path / "grey.png")
    expected = draw(read_image(grey), found)
    assert expected.shape == (640, 640, 3)
    for image in (grey, tmp_path / "grey.png", str(tmp_path / "grey.png")):
        assert (draw(image, found) == expected).all()
    with pytest.raises(InputError, match="no such file"):
        draw(tmp_path / "none.png", found)
    with pytest.raises(InputError, match=r"shape \(30, 30\)"):
        draw(np.zeros((30, 30), np.uint8), found)


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


def drawn(path):
    """(rows, columns) bool: in which of the plots of a figure a curve is seen, each 440 x 286
    pixels."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    blue = np.abs(pixels - (31, 119, 180)).sum(axis=2) < 30  # matplotlib's first colour
    rows, columns = blue.shape[0] // 286, blue.shape[1] // 440
    assert blue.shape == (286 * rows, 440 * columns)
    return (blue.reshape(rows, 286, columns, 440).sum(axis=(1, 3)) > 50).tolist()


def test_curves_of_no_one_and_four_names(tmp_path):
    history = {
        "loss": [(0, 2.0), (10, 1.0)],
        "AP": [(5, 0.3)],
        "none yet": [],
        "lr": [(0, 0.1), (10, 0.2)],
    }
    expected = {
        "empty": [[False]],
        "one": [[True]],
        "four": [[True, False, False], [True, False, False]],
    }  # a point is no curve
    for name, part in (
        ("empty", {}),
        ("one", {"loss": history["loss"]}),
        ("four", json.loads(json.dumps(history))),
    ):
        curves(part, tmp_path / "new" / f"{name}.png")
        assert drawn(tmp_path / "new" / f"{name}.png") == expected[name]
    assert len(list((tmp_path / "new").iterdir())) == 3
