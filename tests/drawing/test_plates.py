"""Plates: their size and what is drawn."""

import numpy as np
from PIL import Image, ImageDraw

from ovarnet.drawing.fonts import BOLD, REGULAR, font
from ovarnet.drawing.plates import Label, Plate, draw_plates, plate_sizes

TEXT = ([("mug", "0.83")], [("red", "0.91"), ("striped", "0.72")])


def test_a_plate_is_as_large_as_its_text():
    plate = Label(TEXT, (0, 0, 200), 7).plate(20, prefix="7 ")
    bold, regular = font(BOLD, 20), font(REGULAR, 17)
    assert plate.lines == [[("7 mug 0.83", bold)], [("red 0.91, striped 0.72", regular)]]
    assert plate.width == np.ceil(regular.getlength("red 0.91, striped 0.72")) + 2 * 4
    assert plate.height == sum(bold.getmetrics()) + sum(regular.getmetrics()) + 2 * 4
    assert plate_sizes([plate, plate]).tolist() == [[plate.width, plate.height]] * 2
    assert plate_sizes([]).shape == (0, 2)


def test_a_tag_is_the_number_alone():
    assert Label(TEXT, (0, 0, 200), 7).tag(20).lines == [[("7", font(BOLD, 20))]]


def test_ink_is_black_on_bright_grounds_and_white_on_dark_ones():
    for ground, ink in (((0, 0, 200), 255), ((255, 255, 0), 0)):
        plate = Plate.of(["HHHH"], [], ground, 40)
        picture = Image.new("RGB", (plate.width, plate.height), "grey")
        plate.draw(ImageDraw.Draw(picture), 0, 0)
        pixels = np.asarray(picture).reshape(-1, 3)
        assert (pixels == ink).all(axis=1).mean() > 0.1
        assert (pixels == ground).all(axis=1).mean() > 0.4


def test_a_line_leads_from_a_plate_that_does_not_touch_its_box():
    canvas = np.full((100, 200, 3), 255, np.uint8)
    plate = Plate.of(["a"], [], (200, 0, 0), 13)
    near, far = np.array([[20.0, 20, 20 + plate.width, 20 + plate.height]]), np.array([[0.0] * 4])
    far[0] = near[0] + [120, 0, 120, 0]
    box = np.array([[0.0, 0, 20, 90]])
    touching = draw_plates(canvas, [plate], near, box)
    apart = draw_plates(canvas, [plate], far, box)
    assert (touching[:, 60:] == 255).all()
    row = 20 + plate.height  # the lower rim, which is the nearest to the centre of the box
    assert (apart[row - 1 : row + 2, 25:135] != 255).any(axis=2).any(axis=0).all()
