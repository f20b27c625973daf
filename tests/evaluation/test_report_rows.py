"""Rows of a report."""

import numpy as np
import pytest

from ovarnet.evaluation.attributes import attribute_metrics
from ovarnet.evaluation.box_given import category_metrics
from ovarnet.evaluation.coco_ovd import CocoOvdResult
from ovarnet.evaluation.proposal_recall import BoxRecall
from ovarnet.evaluation.report import Row
from ovarnet.evaluation.report_rows import (
    attribute_rows,
    attribute_words,
    category_rows,
    category_words,
    coco_rows,
    recall_rows,
    word_groups,
)
from ovarnet.vocabulary import Word

WORDS = [Word("red", parent="hue", family="color", seen=True), Word("odd")]
METRICS = attribute_metrics(
    np.array([[0.9, 0.8], [0.1, 0.4]]),
    np.array([[1, 0], [0, 2]]),
    top_k=1,
    groups={"base": [0], "type color": [0]},
)


def test_groups_of_words():
    words = [
        Word("a", seen=True, synonyms=("x", "y")),
        Word("b", parent="p", group="head"),
        Word("c", parent="p", family="f"),
    ]
    assert word_groups(words) == {
        "base": [0],
        "novel": [1, 2],
        "head": [1],
        "type other": [0],
        "type p": [1],
        "type f": [2],
    }
    assert word_groups(words, synonyms=True)["multiple"] == [0]
    assert word_groups(words, synonyms=True)["single"] == [1, 2]


def test_attributes_have_map_by_group_and_the_headline_numbers():
    rows = attribute_rows("box-given", "vaw rule", METRICS)
    assert [(row.measure, row.group, row.of, row.skipped) for row in rows] == [
        ("attribute mAP", "all", 2, 1),
        ("attribute mAP", "base", 1, 0),
        ("attribute mAP", "type color", 1, 0),
        ("attribute mR@1", "all", 2, 0),
        ("attribute mA", "all", 2, 0),
        ("attribute F1@1", "all", 2, 0),
    ]
    assert rows[0] == Row("box-given", "attribute mAP", "vaw rule", "all", 1.0, 0.5, 2, 1)
    brief = attribute_rows("box-given", "vaw rule", METRICS, brief=True)
    assert brief == rows[:2]


def test_every_attribute_word_for_the_json():
    red, odd = attribute_words("box-given", "vaw rule", METRICS, WORDS)
    assert red == {
        "setting": "box-given",
        "protocol": "vaw rule",
        "attribute": "red",
        "type": "color",
        "seen": True,
        "ap": 1.0,
        "chance": 0.5,
        "positives": 1,
        "negatives": 1,
    }
    assert (odd["type"], odd["seen"], odd["negatives"]) == ("other", False, 1)
    assert np.isnan(odd["ap"])


def test_categories_of_given_boxes():
    metrics = category_metrics(np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([0, 1]))
    rows = category_rows("box-given", metrics, np.array([True, False]))
    assert [(row.measure, row.group, row.value, row.chance, row.of) for row in rows[:3]] == [
        ("category accuracy", "all", 0.5, 0.5, 2),
        ("category accuracy", "base", 1.0, 0.5, 1),
        ("category accuracy", "novel", 0.0, 0.5, 1),
    ]
    assert [(row.measure, row.value, row.skipped) for row in rows[3:]] == [
        ("category AP", 0.75, 0),
        ("category AP", 1.0, 0),
        ("category AP", 0.5, 0),
    ]


def test_coco_rows_leave_out_and_count_categories_without_boxes():
    result = CocoOvdResult(np.array([0.5, np.nan]), np.array([3, 0]), np.array([True, False]))
    rows = coco_rows("box-free", "one label per box", result)
    assert [(row.group, row.of, row.skipped) for row in rows] == [
        ("all", 2, 1),
        ("base", 1, 0),
        ("novel", 1, 1),
    ]
    assert [row.value for row in rows] == pytest.approx([0.5, 0.5, np.nan], nan_ok=True)


def test_recall_rows_of_every_k():
    recall = BoxRecall({1: np.float32([0.6]), 2: np.float32([0.9])}, np.array(["base"]))
    rows = recall_rows("box-free", "proposals", recall)
    assert {row.measure for row in rows} == {
        f"proposals {name}@{k}" for name in ("R", "AR") for k in (1, 2)
    }
    first = rows[0]
    assert (first.protocol, first.group, first.value, first.of) == (
        "one-to-one, IoU 0.5",
        "all",
        1.0,
        1,
    )
    assert rows[3].protocol == "one-to-one, IoU 0.5:0.95"


def test_every_category_word_for_the_json():
    (cat,) = category_words("box-free", "p", [Word("cat")], np.array([3]), ap50=np.array([0.5]))
    assert cat == {
        "setting": "box-free",
        "protocol": "p",
        "category": "cat",
        "seen": False,
        "boxes": 3,
        "ap50": 0.5,
    }
