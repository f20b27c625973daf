"""Detections as a table."""

import sys

import numpy as np
import pytest
import torch

from ovarnet.errors import InputError
from ovarnet.integrations.pandas import columns, to_pandas
from ovarnet.structures import Detections

FOUND = Detections(
    [[0, 1, 10, 12], [5, 6, 20, 30]],
    torch.tensor([0.75, 0.5]),
    torch.tensor([[0.125, 0.5], [0.75, 0.25]]),
    torch.tensor([[0.25], [1.0]]),
    ["orange", "car"],
    ["orange"],
)
TABLE = {
    "x1": [0, 5],
    "y1": [1, 6],
    "x2": [10, 20],
    "y2": [12, 30],
    "score": [0.75, 0.5],
    "category": ["car", "orange"],
    "category_scores.orange": [0.125, 0.75],
    "category_scores.car": [0.5, 0.25],
    "attribute_scores.orange": [0.25, 1.0],
}


def test_columns_hold_every_number_of_the_boxes():
    table = columns(FOUND)
    assert {name: list(values) for name, values in table.items()} == TABLE
    assert list(table) == list(TABLE)
    assert table["score"].dtype == np.float32


def test_without_boxes_and_without_categories():
    assert {name: len(values) for name, values in columns(FOUND[:0]).items()} == dict.fromkeys(
        TABLE, 0
    )
    without = Detections(
        FOUND.boxes, FOUND.scores, torch.zeros(2, 0), FOUND.attribute_scores, [], ["red"]
    )
    assert list(columns(without)) == [*list(TABLE)[:6], "attribute_scores.red"]
    assert columns(without)["category"] == [None, None]


def test_the_table_of_pandas():
    pytest.importorskip("pandas")
    table = to_pandas(FOUND)
    assert table.to_dict("list") == TABLE
    assert len(table[table["attribute_scores.orange"] > 0.5]) == 1
    assert to_pandas(FOUND[:0]).shape == (0, 9)


def test_without_pandas_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputError) as raised:
        to_pandas(FOUND)
    assert str(raised.value) == "a table needs pandas, which is not installed: pip install pandas"
