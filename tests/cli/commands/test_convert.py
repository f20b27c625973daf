"""`ovarnet convert`: detections and data sets from one format to another."""

import json

import pytest
import torch
from fake_model import picture

from ovarnet.cli import main as cli
from ovarnet.cli.commands.convert import IMAGE_FOLDERS
from ovarnet.io.files import read_json, write_json
from ovarnet.io.results import image_record
from ovarnet.structures import Detections


@pytest.fixture
def out(tmp_path, monkeypatch):
    """The current folder, with out/ as `ovarnet detect` writes it."""
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        file = picture(tmp_path / "photos" / f"{name}.png", 100, 60)
        found = Detections(
            [[10, 20, 50, 60], [0, 0, 100, 30]],
            torch.tensor([0.9, 0.4]),
            torch.tensor([[0.8, 0.1], [0.3, 0.4]]),
            torch.tensor([[0.9, 0.3], [0.1, 0.6]]),
            ["mug", "car"],
            ["red", "old"],
        )
        write_json(tmp_path / "out" / f"{name}.json", image_record(file, 100, 60, found))
    write_json(tmp_path / "out" / "detections.json", [])
    return tmp_path


def convert(*words) -> int:
    return cli.main(["convert", *words])


@pytest.mark.parametrize("name", IMAGE_FOLDERS)
def test_detections_to_each_format_and_back_to_coco(out, name, capsys):
    assert convert("out", "--to", name, "--output", "there", "--copy-images") == 0
    assert ": 4 boxes of 2 images" in capsys.readouterr().out
    source = {
        "coco": "there/train.json",
        "cvat": "there/annotations.xml",
        "label-studio": "there/train.json",
        "fiftyone": "there/labels.json",
    }.get(name, "there")
    assert convert(source, "--from", name, "--to", "coco", "--output", "back") == 0
    back = read_json(out / "back" / "train.json")
    assert [image["file_name"] for image in back["images"]] == ["a.png", "b.png"]
    names = {category["id"]: category["name"] for category in back["categories"]}
    rows = [
        (names[row["category_id"]], row["bbox"], row["attributes"]) for row in back["annotations"]
    ]
    kept = name != "yolo"
    expected = [
        ("mug", [10, 20, 40, 40], {"red": 1} if kept else {}),
        ("car", [0, 0, 100, 30], {"old": 1} if kept else {}),
    ]
    assert rows == expected * 2


def test_thresholds_of_detections(out, capsys):
    line = ("out", "--to", "coco", "--output", "there", "--split", "val")
    assert convert(*line, "--threshold", "0.5", "--attribute-threshold", "0.3") == 0
    found = read_json(out / "there" / "val.json")["annotations"]
    assert [row["attributes"] for row in found] == [{"red": 1, "old": 1}] * 2
    assert not (out / "there" / "images").exists()


def test_what_cannot_be_used_is_named_and_the_rest_converted(out, capsys):
    (out / "photos" / "b.png").unlink()
    assert convert("out", "--to", "yolo", "--output", "there", "--copy-images") == 2
    printed = capsys.readouterr()
    assert ": 2 boxes of 1 images" in printed.out
    assert "note: yolo has no attributes; they are left out" in printed.err
    assert "left out: 1 x image cannot be copied (e.g. " in printed.err
    assert [file.name for file in (out / "there" / "labels").iterdir()] == ["a.txt"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["nowhere", "--to", "coco", "--output", "x"], "nowhere: no such folder; give the one"),
        (["photos", "--to", "coco", "--output", "x"], "photos: holds no NAME.json"),
        (["out", "--to", "coco", "--output", "out"], "--output out: is where out lies"),
        (["a.xml", "--from", "cvat", "--to", "coco", "--output", "x"], "a.xml: no such file"),
        (["out", "--to", "coco", "--output", "photos/a.png"], "photos/a.png: is a file"),
        (
            ["n.json", "--from", "coco", "--images", "photos", "--to", "yolo", "--output", "x"],
            "n.json: nothing to convert: 1 x image file missing",
        ),
    ],
)
def test_refusals_write_nothing(out, line, message, capsys):
    image = {"id": 1, "file_name": "c.png", "width": 9, "height": 9}
    box = {"id": 1, "image_id": 1, "bbox": [0, 0, 9, 9]}
    (out / "n.json").write_text(json.dumps({"images": [image], "annotations": [box]}))
    assert convert(*line) == 2
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith("error: ")
    assert message in error
    assert not (out / "x").exists()
