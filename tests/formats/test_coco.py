"""COCO files: read by pycocotools, by supervision and by ovarnet's own reader."""

import json

import supervision as sv
from label_sets import annotated, boxes_of, detected
from pycocotools.coco import COCO

from ovarnet.data.custom import read_custom
from ovarnet.formats.coco import write_coco
from ovarnet.io.skipped import Skipped


def test_round_trip_with_attributes(tmp_path):
    labels = annotated(tmp_path / "images")
    path = write_coco(labels, tmp_path, "val")
    assert path == tmp_path / "val.json"
    skipped = Skipped()
    content = read_custom(path, tmp_path / "images", skipped)
    assert str(skipped) == "nothing"
    assert boxes_of(content) == [
        ("1", [10, 20, 50, 60], "teddy bear", {"red & white": 1, "old": 0}),
        ("1", [0, 0, 100, 30], "mug", {}),
    ]
    assert list(content.categories) == ["mug", "teddy bear"]
    assert content.background_images == {"2"}


def test_pycocotools_reads_it(tmp_path):
    coco = COCO(write_coco(annotated(tmp_path / "images"), tmp_path, "val"))
    assert [category["name"] for category in coco.loadCats(coco.getCatIds())] == [
        "mug",
        "teddy bear",
    ]
    first, second = coco.loadAnns(coco.getAnnIds(imgIds=[1]))
    assert (first["bbox"], first["area"], first["category_id"]) == ([10, 20, 40, 40], 1600, 2)
    assert (second["bbox"], second["category_id"]) == ([0, 0, 100, 30], 1)
    assert coco.getAnnIds(imgIds=[2]) == []


def test_supervision_reads_it(tmp_path):
    path = write_coco(annotated(tmp_path / "images"), tmp_path, "val")
    data = sv.DetectionDataset.from_coco(str(tmp_path / "images"), str(path))
    assert data.classes == ["mug", "teddy bear"]
    found = data.annotations[str(tmp_path / "images" / "a.png")]
    assert found.xyxy.tolist() == [[10, 20, 50, 60], [0, 0, 100, 30]]
    assert found.class_id.tolist() == [1, 0]


def test_scores_of_detections_are_kept(tmp_path):
    path = write_coco(detected(tmp_path / "images"), tmp_path, "train")
    (annotation,) = json.loads(path.read_text())["annotations"]
    assert annotation["score"] == 0.75
    assert annotation["attributes"] == {"red": 1}
    assert annotation["attribute_scores"] == {"red": 0.9, "old": 0.2}
