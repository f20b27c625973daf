"""Pictures, charts and HTML of the report: what they must hold; how they look was judged by eye."""

import io
import re
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from ovarnet.evaluation.protocols import AUTHORS
from ovarnet.scenes.report import figures, page
from ovarnet.scenes.report.numbers import Metrics
from ovarnet.scenes.report.pictures import CROP, WIDTH, colour, numbered_boxes, surroundings
from ovarnet.scenes.report.side_by_side import OPEN, RIGHT, WRONG, Column, Found, Said
from ovarnet.scenes.report.timing import milliseconds_per_image
from ovarnet.vocabulary import Word

BOX = np.array([10, 20, 30, 60], dtype=np.float32)


def opened(content):
    return np.asarray(Image.open(io.BytesIO(content)))


def test_boxes_of_a_non_square_image_stand_where_they_are():
    picture = opened(numbered_boxes(np.zeros((80, 40, 3), np.uint8), [BOX], [1])).astype(int)
    assert picture.shape == (WIDTH * 2, WIDTH, 3)
    scale = WIDTH // 40
    red = np.array([int(colour(1)[place : place + 2], 16) for place in (1, 3, 5)])
    assert (
        np.abs(picture[40 * scale, 10 * scale + 2] - red).max() < 60
    )  # the left edge, halfway down
    assert picture[40 * scale, 20 * scale].max() < 20  # the inside


def test_a_crop_is_square_and_grey_outside_of_the_image():
    crop = opened(surroundings(np.zeros((100, 100, 3), np.uint8), (0, 0, 20, 10)))
    assert crop.shape == (CROP, CROP, 3)
    assert crop[5, 5].min() > 220
    assert crop[CROP // 2 + 8, CROP // 2].max() < 20


def test_colours_repeat_and_nothing_has_grey():
    assert colour(1) == colour(7) != colour(2)
    assert colour(0) == "#6b7280"


def test_one_image_at_two_stages():
    truth = Column(
        [Found(1, BOX, 1.0, Said("key", 1.0, OPEN, True), [Said("red", 1.0, RIGHT, False)])]
    )
    found = Column(
        [
            Found(0, BOX, 0.6, Said("mug", 0.9, OPEN, False), []),
            Found(2, BOX, 0.5, Said("<hat>", 0.9, WRONG, False), [Said("gray", 0.71, RIGHT, True)]),
        ],
        missed=[1],
        left_out=3,
    )
    picture = numbered_boxes(np.zeros((8, 8, 3), np.uint8), [], [])
    text = page.stages({"annotated": (picture, truth), "OvarNet": (picture, found)})
    left, right = text.split("<h4>OvarNet</h4>")
    assert '<b><span class="truth isnovel">key</span></b><br><span class="truth">red</span>' in left
    words = re.sub(r"<img[^>]*>", "", right)
    assert (
        words.index("not found")
        < words.index("&lt;hat&gt; 0.50")
        < words.index("mug 0.60")
        < words.index("and 3 more")
    )
    assert '<span class="right isnovel">gray 0.71</span>' in words
    assert '<span class="wrong">&lt;hat&gt; 0.50</span>' in words


def test_the_page_is_one_file_that_loads_nothing():
    png = io.BytesIO()
    Image.new("RGB", (2, 2)).save(png, format="PNG")
    figure = page.figure(figures.minutes({"CLIP": 1.5, "OvarNet": 2.0}), 'a "chart"')
    crops = page.crops([(numbered_boxes(np.zeros((8, 8, 3), np.uint8), [], []), "mug 0.9", "key")])
    text = page.page(
        "T", [figure, page.picture(png.getvalue(), "x"), crops, page.cards([("1", "one")])]
    )
    assert re.findall(r'src="([^"]{14})', text) == [
        "data:image/svg",
        "data:image/png",
        "data:image/jpe",
    ]
    assert not re.search(r"<script|<link|url\(|src=\"http|href", text)
    assert "&quot;chart&quot;" in text
    assert '<span class="wrong">mug 0.9</span><br><span class="right">key</span>' in text
    assert page.crops([]) == "<p>None.</p>"
    table = page.plain_table(["a", "b"], [["x", "1"]], amounts=[1])
    assert "<tr><td>x</td><td class=amount>1</td></tr>" in table


def test_running_mean_takes_a_tenth_around():
    assert figures.running_mean(np.array([0.0, 3.0, 6.0])).tolist() == [1.5, 3.0, 4.5]
    assert figures.running_mean(np.array([5.0])).tolist() == [5.0]


@pytest.mark.parametrize("groups", [{}, {"base": {"value": 0.5, "chance": 0.1}}])
def test_charts_are_drawn_whatever_is_undefined(groups):
    rows = {
        ("box-given", "attribute mAP", "vaw rule"): groups,
        ("box-given", "category accuracy", "arg-max"): {},
        ("box-free", "COCO-OVD AP50", "one label per box"): {},
        ("box-free", "attribute mAP", AUTHORS): {},
    }
    words = (
        Word("red", "color", seen=True),
        Word("gray", "color"),
        Word("striped", "pattern", seen=True),
    )
    entries = [
        {
            "setting": "box-given",
            "protocol": "vaw rule",
            "attribute": word.name,
            "ap": 0.5,
            "chance": None,
        }
        for word in words
    ]
    models = {"CLIP-Attr, step I": Metrics(rows, entries), "OvarNet": Metrics(rows, entries)}
    for chart in (
        figures.by_stage(models),
        figures.attribute_words(models, words),
        figures.category_words(models, words),
        figures.losses(
            {"CLIP": {"total": [(20, 3.0)]}, "OvarNet": {"total": [(20, 3.0), (40, 2.0)]}}
        ),
    ):
        assert chart.startswith(b"<?xml")
        assert b"</svg>" in chart


def test_models_take_turns_and_the_first_image_does_not_count(tmp_path, monkeypatch):
    files = [str(tmp_path / f"{number}.png") for number in range(3)]
    for file in files:
        Image.new("RGB", (8, 6)).save(file)
    clock = iter([0, 9, 9, 18, 18, 18.1, 20, 20.4, 21, 21.3, 22, 22.4])
    monkeypatch.setattr("ovarnet.scenes.report.timing.time.perf_counter", lambda: next(clock))
    seen = []
    models = {
        name: SimpleNamespace(detect=lambda image, name=name: seen.append((name, image.shape)))
        for name in ("a", "b")
    }
    times = milliseconds_per_image(models, files)
    assert seen == [("a", (6, 8, 3)), ("b", (6, 8, 3))] * 3
    assert times == {"a": pytest.approx(200), "b": pytest.approx(400)}
