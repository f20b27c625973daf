"""Label Studio's tasks: round trip, the interface they need, an export, and refusals."""

import json
from xml.etree import ElementTree

import pytest
from label_sets import annotated, boxes_of, detected

from ovarnet.errors import InputError
from ovarnet.formats.label_studio import read_label_studio, write_label_studio
from ovarnet.io.files import write_json
from ovarnet.io.skipped import Skipped


def test_round_trip_with_the_attributes_that_hold(tmp_path):
    path = write_label_studio(annotated(tmp_path / "images"), tmp_path, "val")
    skipped = Skipped()
    content = read_label_studio(path, tmp_path / "images", skipped)
    assert boxes_of(content) == [
        ("images/a.png", [10, 20, 50, 60], "teddy bear", {"red & white": 1}),
        ("images/a.png", [0, 0, 100, 30], "mug", {}),
    ]
    # a task without a box does not say how large its image is
    assert skipped.items == {"image without a box": ["images/b.png"]}


def test_detections_are_predictions_in_the_interface_of_the_file(tmp_path):
    path = write_label_studio(detected(tmp_path / "images"), tmp_path, "train")
    (task,) = json.loads(path.read_text())
    assert task["data"] == {"image": "/data/local-files/?d=images/a.png"}
    (prediction,) = task["predictions"]
    box, words = prediction["result"]
    assert (box["type"], box["score"], box["value"]["rectanglelabels"]) == (
        "rectanglelabels",
        0.75,
        ["mug"],
    )
    assert {side: box["value"][side] for side in ("x", "y", "width", "height")} == {
        "x": 10,
        "y": 33.33333,
        "width": 40,
        "height": 66.66667,
    }
    assert (box["original_width"], box["original_height"]) == (100, 60)
    assert words["id"] == box["id"]
    assert (words["type"], words["value"]["choices"]) == ("choices", ["red"])

    view = ElementTree.parse(tmp_path / "labeling_config.xml").getroot()
    controls = {tag.get("name"): tag for tag in view}
    assert controls["image"].get("value") == "$image"
    for region in (box, words):
        control = controls[region["from_name"]]
        assert control.get("toName") == region["to_name"] == "image"
        assert control.tag.lower() == region["type"]
    assert [label.get("value") for label in controls["label"]] == ["mug", "teddy bear"]
    assert controls["attributes"].get("perRegion") == "true"


def test_an_export_of_label_studio(tmp_path):
    place = {"x": 10, "y": 50, "width": 20, "height": 25}
    size = {"original_width": 200, "original_height": 100}
    regions = [
        {**size, "id": "r1", "type": "rectanglelabels", "from_name": "tag",
         "value": {**place, "rotation": 0, "rectanglelabels": ["mug"]}},
        {**size, "id": "r1", "type": "choices", "value": {**place, "choices": ["red", "old"]}},
        {**size, "id": "r2", "type": "rectanglelabels",
         "value": {**place, "rotation": 12.5, "rectanglelabels": ["mug"]}},
        {"id": "r3", "type": "choices", "value": {"choices": ["sharp photo"]}},
    ]  # fmt: skip
    task = {
        "id": 7,
        "data": {"img": "/data/upload/3/1f2e-a%20b.png"},
        "annotations": [{"was_cancelled": True, "result": []}, {"result": regions}],
        "predictions": [{"result": []}],
    }
    write_json(tmp_path / "export.json", [task])
    skipped = Skipped()
    content = read_label_studio(tmp_path / "export.json", None, skipped)
    assert boxes_of(content) == [("1f2e-a b.png", [20, 50, 60, 75], "mug", {"red": 1, "old": 1})]
    assert skipped.counts == {"region that is no upright box with a label": 1}


def test_other_files_are_refused(tmp_path):
    write_json(tmp_path / "x.json", [{"data": {"image": "a.png"}, "annotations": 7}])
    skipped = Skipped()
    assert read_label_studio(tmp_path / "x.json", None, skipped).images == {}
    assert skipped.items == {"image without a box": ["a.png"]}

    write_json(tmp_path / "x.json", [{"image": "a.png"}])
    with pytest.raises(InputError, match="entry 1 is no task; export from Label Studio as JSON"):
        read_label_studio(tmp_path / "x.json", None, Skipped())
