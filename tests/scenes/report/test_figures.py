"""Charts of the report: what they must hold; how they look was judged by eye."""

import numpy as np
import pytest

from ovarnet.evaluation.protocols import AUTHORS
from ovarnet.scenes.report import figures
from ovarnet.scenes.report.numbers import Metrics
from ovarnet.vocabulary import Word


def test_running_mean_takes_a_tenth_around():
    assert figures.running_mean(np.array([0.0, 3.0, 6.0])).tolist() == [1.5, 3.0, 4.5]
    assert figures.running_mean(np.array([5.0])).tolist() == [5.0]


@pytest.mark.parametrize(
    "groups", [{}, pytest.param({"base": {"value": 0.5, "chance": 0.1}}, marks=pytest.mark.slow)]
)
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
