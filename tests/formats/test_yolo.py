"""YOLO files: read by supervision and by ovarnet's own reader."""

import pytest
import supervision as sv
from label_sets import annotated, boxes_of

from ovarnet.data.yolo import read_yolo
from ovarnet.formats.yolo import write_yolo
from ovarnet.io.skipped import Skipped


def test_round_trip_without_attributes(tmp_path):
    labels = annotated(tmp_path / "images")
    assert write_yolo(labels, tmp_path, "val") == tmp_path / "data.yaml"
    assert (tmp_path / "labels" / "a.txt").read_text() == (
        "1 0.300000 0.666667 0.400000 0.666667\n0 0.500000 0.250000 1.000000 0.500000\n"
    )
    assert (tmp_path / "labels" / "b.txt").read_text() == ""
    skipped = Skipped()
    content = read_yolo(tmp_path, "val", skipped)
    assert str(skipped) == "nothing"
    assert boxes_of(content) == [
        ("images/a.png", [10, 20, 50, 60], "teddy bear", {}),
        ("images/a.png", [0, 0, 100, 30], "mug", {}),
    ]
    assert content.background_images == {"images/b.png"}


def test_supervision_reads_it(tmp_path):
    path = write_yolo(annotated(tmp_path / "images"), tmp_path, "train")
    data = sv.DetectionDataset.from_yolo(
        str(tmp_path / "images"), str(tmp_path / "labels"), str(path)
    )
    assert data.classes == ["mug", "teddy bear"]
    found = data.annotations[str(tmp_path / "images" / "a.png")]
    assert found.class_id.tolist() == [1, 0]
    assert found.xyxy[0].tolist() == pytest.approx([10, 20, 50, 60], abs=0.01)
