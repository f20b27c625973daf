"""The numbers of the report, from metrics.json files written by hand."""

import math

import pytest
from report_objects import written_metrics

from ovarnet.evaluation.protocols import AUTHORS, OVAD


@pytest.fixture
def metrics(tmp_path):
    return lambda *numbers: written_metrics(tmp_path / "metrics.json", *numbers)


def test_values_are_percent_and_nan_where_they_are_undefined(metrics):
    one = metrics(0.5, float("nan"))
    assert one.value("box-given", "category accuracy", "base") == 50
    assert one.value("box-given", "category accuracy", "base", of="chance") == 2.5
    assert one.value("box-free", "attribute mAP", "novel", OVAD) == 30
    assert one.value("box-free", "attribute mAP", "novel", AUTHORS) == 31
    assert math.isnan(one.value("box-given", "attribute mAP", "novel"))  # null in the file
    assert math.isnan(one.value("box-free", "COCO-OVD AP50", "novel", of="chance"))
    assert math.isnan(one.value("box-given", "attribute mAP", "tail"))  # no word of that group
    assert one.types() == ["color"]
    assert one.of_words("box-given", "attribute", "ap") == {"red": 50}
    assert one.of_words("box-free", "attribute", "ap", AUTHORS) == {"red": 40}
    assert math.isnan(one.of_words("box-free", "category", "ap50")["mug"])


@pytest.mark.parametrize(
    ("setting", "measure", "protocol"),
    [
        ("box-given", "category precision", None),
        ("box-given", "attribute mAP", OVAD),
        ("box-free", "attribute mAP", None),
    ],
)
def test_a_measure_that_is_not_there_or_not_the_only_one_is_no_nan(
    metrics, setting, measure, protocol
):
    with pytest.raises(KeyError, match=f"measures {setting}, {measure}"):
        metrics(0.5, 0.5).value(setting, measure, "novel", protocol)
