"""The table and the JSON of a report."""

import json
import math

import pytest

from ovarnet.evaluation.report import Report, Row


def report_of(*rows, **fields):
    return Report({"model": "x", "images": 3}, [Row(*row) for row in rows], **fields)


MAP = ("box-given", "attribute mAP", "vaw rule")


def test_what_repeats_is_blank_and_values_are_percent():
    lines = (
        report_of(
            (*MAP, "all", 0.90278, 0.625, 3, 1),
            (*MAP, "base", 1.0, 0.5, 2),
            ("box-given", "attribute mA", "vaw rule", "all", 0.5, None, 3),
            notes=["one note"],
        )
        .table()
        .splitlines()
    )
    assert lines[0] == "model x, images 3"
    assert lines[2].split() == [
        "setting",
        "measure",
        "protocol",
        "group",
        "value",
        "chance",
        "of",
        "skipped",
    ]
    assert lines[4].split() == [
        "box-given",
        *["attribute", "mAP", "vaw", "rule", "all", "90.28", "62.50", "3", "1"],
    ]
    assert lines[5].split() == ["base", "100.00", "50.00", "2"]
    assert lines[6].split() == ["attribute", "mA", "vaw", "rule", "all", "50.00", "3"]
    assert lines[7:] == ["", "one note"]
    assert lines[4].index("all") == lines[5].index("base")


def test_undefined_values_are_a_dash():
    lines = report_of((*MAP, "all", math.nan, math.nan)).table().splitlines()
    assert lines[4].split()[-3:] == ["-", "-", "0"]


def test_one_value_by_its_names():
    report = report_of((*MAP, "all", 0.5), ("box-given", "attribute mAP", "other", "all", 0.6))
    assert report.value("box-given", "attribute mAP", protocol="other") == 0.6
    with pytest.raises(KeyError, match="2 rows"):
        report.value("box-given", "attribute mAP")
    with pytest.raises(KeyError, match="0 rows"):
        report.value("box-free", "attribute mAP")


def test_json_has_fractions_and_null(tmp_path):
    report = report_of(
        (*MAP, "all", math.nan, 0.5, 3, 1),
        words=[{"attribute": "odd", "ap": math.nan}],
        notes=["one note"],
        official={"box-given": {"words": [{"recall": -1.0, "ap": math.nan}]}},
    )
    report.write(tmp_path / "out" / "metrics.json")
    content = json.loads(
        (tmp_path / "out" / "metrics.json").read_text(),
        parse_constant=lambda name: pytest.fail(f"{name} in JSON"),
    )
    assert content == {
        "about": {"model": "x", "images": 3},
        "rows": [
            {
                "setting": "box-given",
                "measure": "attribute mAP",
                "protocol": "vaw rule",
                "group": "all",
                "value": None,
                "chance": 0.5,
                "of": 3,
                "skipped": 1,
            }
        ],
        "words": [{"attribute": "odd", "ap": None}],
        "notes": ["one note"],
        "official": {"box-given": {"words": [{"recall": -1.0, "ap": None}]}},
    }
    report_of().write(tmp_path / "plain.json")
    assert "official" not in json.loads((tmp_path / "plain.json").read_text())
