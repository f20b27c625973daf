"""Thresholds of single words: kept boxes, attributes that hold, and their file."""

import json

import pytest
import torch

from ovarnet.errors import InputError
from ovarnet.io.word_thresholds import WordThresholds, read_word_thresholds, write_word_thresholds
from ovarnet.structures import Detections


def detections(categories=("mug", "car")):
    return Detections(
        [[0, 0, 9, 9]] * 4,
        torch.tensor([0.9, 0.6, 0.5, 0.2]),
        torch.tensor([[0.9, 0.1], [0.1, 0.9], [0.9, 0.1], [0.1, 0.9]])[:, : len(categories)],
        torch.zeros(4, 0),
        list(categories),
    )


def test_each_box_has_the_threshold_of_its_category():
    def kept(thresholds, threshold):
        found = WordThresholds(thresholds).keep(detections(), threshold)
        return [round(score, 1) for score in found.scores.tolist()]

    assert kept({}, 0.5) == [0.9, 0.6, 0.5]
    assert kept({"car": 0.7}, 0.5) == [0.9, 0.5]
    assert kept({"car": 0.1, "mug": 0.6}, 0.5) == [0.9, 0.6, 0.2]
    without = WordThresholds({"mug": 0.9}).keep(detections(()), 0.55)
    assert len(without) == 2


def test_attributes_without_one_take_that_of_all():
    thresholds = WordThresholds({}, {"red": 0.7})
    assert thresholds.of_attributes(["old", "red"], 0.5) == {"old": 0.5, "red": 0.7}


def test_file_there_and_back(tmp_path):
    thresholds = WordThresholds({"mug": 0.4}, {"red": 1})
    write_word_thresholds(tmp_path / "t.json", thresholds, about={"model": "mine"})
    assert json.loads((tmp_path / "t.json").read_text()) == {
        "categories": {"mug": 0.4},
        "attributes": {"red": 1},
        "about": {"model": "mine"},
    }
    assert read_word_thresholds(tmp_path / "t.json") == thresholds


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"categories": {"mug": 1.5}}', "the threshold of 'mug' is 1.5; it must be from 0 to 1"),
        ('{"attributes": {"red": "0.5"}}', "the threshold of 'red' is '0.5'"),
        ('{"attributes": {"red": true}}', "the threshold of 'red' is True"),
        ('{"mug": 0.5}', "unknown key 'mug'; thresholds of words stand under"),
        ('{"categories": [0.5]}', "'categories' must be an object such as"),
    ],
)
def test_refusals(content, message, tmp_path):
    (tmp_path / "t.json").write_text(content)
    with pytest.raises(InputError) as error:
        read_word_thresholds(tmp_path / "t.json")
    assert str(error.value).startswith(f"{tmp_path / 't.json'}: {message}")
