"""FiftyOne's documented detection format: round trip, numbered classes, and refusals."""

import json

import pytest
from label_sets import annotated, boxes_of, detected

from ovarnet.errors import InputError
from ovarnet.formats.fiftyone import read_fiftyone, write_fiftyone
from ovarnet.io.files import write_json
from ovarnet.io.skipped import Skipped


def test_round_trip_with_attributes(tmp_path):
    path = write_fiftyone(annotated(tmp_path / "data"), tmp_path, "val")
    skipped = Skipped()
    content = read_fiftyone(path, tmp_path / "data", skipped)
    assert str(skipped) == "nothing"
    assert boxes_of(content) == [
        ("a", [10, 20, 50, 60], "teddy bear", {"red & white": 1, "old": 0}),
        ("a", [0, 0, 100, 30], "mug", {}),
    ]
    assert content.background_images == {"b"}


def test_the_documented_form(tmp_path):
    path = write_fiftyone(detected(tmp_path / "data"), tmp_path, "val")
    assert json.loads(path.read_text()) == {
        "labels": {
            "a": [
                {
                    "label": "mug",
                    "bounding_box": [0.1, 0.333333, 0.4, 0.666667],
                    "confidence": 0.75,
                    "attributes": {"red": True},
                }
            ]
        }
    }


def test_labels_may_be_numbers_of_classes(tmp_path):
    annotated(tmp_path / "data")
    labels = {
        "a": [
            {"label": 1, "bounding_box": [0, 0, 0.5, 0.5], "attributes": {"color": "red"}},
            {"label": 7, "bounding_box": [0, 0, 0.5, 0.5]},
            {"label": 0, "bounding_box": [0, 0, 0.5]},
        ],
        "b": None,
        "c": [],
    }
    write_json(tmp_path / "labels.json", {"classes": ["mug", "lamp"], "labels": labels})
    skipped = Skipped()
    content = read_fiftyone(tmp_path / "labels.json", tmp_path / "data", skipped)
    assert boxes_of(content) == [("a", [0, 0, 50, 30], "lamp", {"red": 1})]
    assert list(content.categories) == ["mug", "lamp"]
    assert content.background_images == {"b"}
    assert skipped.items == {
        "detection without a label or a box": ["a: detection 2", "a: detection 3"],
        "image file missing": ["c"],
    }


def test_refusals(tmp_path):
    write_json(tmp_path / "labels.json", {"labels": {}})
    with pytest.raises(InputError, match="give their folder with --images"):
        read_fiftyone(tmp_path / "labels.json", None, Skipped())
    write_json(tmp_path / "labels.json", {})
    with pytest.raises(InputError, match="has no 'labels'; export from FiftyOne as"):
        read_fiftyone(tmp_path / "labels.json", tmp_path, Skipped())
