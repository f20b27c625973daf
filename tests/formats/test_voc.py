"""VOC files: read by supervision and by ovarnet's own reader, with attributes."""

from importlib.metadata import version

import supervision as sv
from label_sets import annotated, boxes_of

from ovarnet.data.voc import read_voc
from ovarnet.formats.labels import LabelledImage, LabelledObject, LabelSet
from ovarnet.formats.voc import write_voc
from ovarnet.io.skipped import Skipped


def test_round_trip_with_attributes(tmp_path):
    labels = annotated(tmp_path / "JPEGImages")
    path = write_voc(labels, tmp_path, "val")
    assert path == tmp_path / "ImageSets/Main/val.txt"
    assert path.read_text() == "a\nb\n"
    skipped = Skipped()
    content = read_voc(tmp_path, "val", skipped)
    assert str(skipped) == "nothing"
    assert boxes_of(content) == [
        ("a", [10, 20, 50, 60], "teddy bear", {"red & white": 1, "old": 0}),
        ("a", [0, 0, 100, 30], "mug", {}),
    ]
    assert content.background_images == {"b"}


def test_supervision_reads_it(tmp_path):
    write_voc(annotated(tmp_path / "JPEGImages"), tmp_path, "train")
    data = sv.DetectionDataset.from_pascal_voc(
        str(tmp_path / "JPEGImages"), str(tmp_path / "Annotations")
    )
    found = data.annotations[str(tmp_path / "JPEGImages" / "a.png")]
    names = [data.classes[number] for number in found.class_id]
    assert names == ["teddy bear", "mug"]
    # before 0.31.2, supervision took the last pixel inside a box for the first one outside
    less = int(tuple(map(int, version("supervision").split(".")[:3])) < (0, 31, 2))
    assert found.xyxy.tolist() == [
        [10, 20, 50 - less, 60 - less],
        [0, 0, 100 - less, 30 - less],
    ]


def test_corners_are_whole_pixels_of_the_image(tmp_path):
    thin = LabelledObject((99.8, 10.4, 100, 10.45), "mug")
    write_voc(
        LabelSet([LabelledImage("a.png", "a.png", 100, 60, [thin])], ["mug"]), tmp_path, "val"
    )
    text = (tmp_path / "Annotations" / "a.xml").read_text()
    for side, value in (("xmin", 100), ("ymin", 11), ("xmax", 100), ("ymax", 11)):
        assert f"<{side}>{value}</{side}>" in text
