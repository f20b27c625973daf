"""The HTML of the report: what it must hold; how it looks was judged by eye."""

import io
import re

import numpy as np
from PIL import Image

from ovarnet.scenes.report import figures, page
from ovarnet.scenes.report.pictures import numbered_boxes
from ovarnet.scenes.report.side_by_side import (
    OPEN,
    RIGHT,
    WRONG,
    Column,
    PredictedWord,
    ShownObject,
)

word, BOX = PredictedWord, np.array([10, 20, 30, 60], dtype=np.float32)


def test_one_image_at_two_stages():
    truth = Column(
        [
            ShownObject(
                1,
                BOX,
                1.0,
                PredictedWord("key", 1.0, OPEN, True),
                [PredictedWord("red", 1.0, RIGHT, False)],
            )
        ]
    )
    found = Column(
        [
            ShownObject(0, BOX, 0.6, word("mug", 0.9, OPEN, False), []),
            ShownObject(
                2,
                BOX,
                0.5,
                PredictedWord("<hat>", 0.9, WRONG, False),
                [PredictedWord("gray", 0.71, RIGHT, True)],
            ),
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
