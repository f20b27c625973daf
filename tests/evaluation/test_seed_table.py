"""Means and deviations of a table, by hand."""

from ovarnet.evaluation.seed_table import cell, markdown


def test_table_has_mean_and_sample_deviation():
    assert cell([50.0]) == "50.0"
    assert cell([50.0, 54.0]) == "52.0 ± 2.8"
    text = markdown(
        {"a row": [{"attributes/base": 50.0, "x": 1.0}, {"attributes/base": 54.0, "x": 1.0}]},
        ["attributes/base", "x"],
    )
    assert text == "| | mAP base | x |\n|---|---|---|\n| a row | 52.0 ± 2.8 | 1.0 ± 0.0 |\n"


def test_a_column_that_a_row_lacks_stays_empty():
    assert markdown({"a": [{"x": 1.0}], "b": [{"y": 2.0}]}, ["x", "y"]).splitlines()[2:] == [
        "| a | 1.0 | – |",
        "| b | – | 2.0 |",
    ]
