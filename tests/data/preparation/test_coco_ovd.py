import json
import os
from pathlib import Path

import pytest
from dataset_files import (
    coco_box,
    prepare,
    snapshot,
    write_image,
    write_json,
)

from ovarnet.data.datasets import open_dataset
from ovarnet.data.preparation import coco_ovd

COCO128 = (
    Path(os.environ.get("OVARNET_TEST_PHOTOS", Path(__file__).parents[4] / "shared" / "data"))
    / "coco128"
)


@pytest.fixture
def coco(tmp_path):
    """Images 1 dog (novel) and person (base), 2 only a dog, 3 only a traffic light (of the 15), 4
    nothing."""
    images = [
        {"id": n, "file_name": f"{n:012d}.jpg", "height": 40, "width": 60} for n in (1, 2, 3, 4)
    ]
    categories = [
        {"id": n, "name": name, "supercategory": "x"}
        for n, name in ((1, "person"), (10, "traffic light"), (18, "dog"))
    ]
    boxes = [
        coco_box(1, 1, 18),
        coco_box(2, 1, 1, iscrowd=1),
        coco_box(3, 2, 18),
        coco_box(4, 3, 10),
    ]
    for number, split in enumerate(("train", "val")):
        write_json(
            tmp_path / f"annotations/instances_{split}2017.json",
            {
                "info": {"year": 2017},
                "licenses": [],
                "images": images,
                "annotations": boxes,
                "categories": categories,
            },
        )
        for image in images:
            write_image(
                tmp_path / f"{split}2017" / image["file_name"], (60 * image["id"], 200 * number, 0)
            )
    return tmp_path


def test_coco_ovd_files_follow_the_rule_and_are_the_same_again(coco, capsys):
    code, out = prepare(capsys, "coco-ovd", "--root", coco)
    assert code == 0
    assert "8 of 8 images opened, all decode" in out
    assert "note     1 images with a base box; the full release has 107,761" in out

    def built(name):
        data = json.loads((coco / "annotations" / f"instances_{name}.json").read_text())
        assert data["info"] == {"year": 2017}
        assert data["licenses"] == []
        return [
            [record["id"] for record in data[key]]
            for key in ("images", "annotations", "categories")
        ]

    assert built("train2017_base") == [[1], [2], [1]]
    assert built("val2017_base_novel17") == [[1, 2], [1, 2, 3], [1, 18]]
    assert built("val2017_base_novel32") == [[1, 2, 3], [1, 2, 3, 4], [1, 10, 18]]
    kept = json.loads((coco / "annotations/instances_train2017_base.json").read_text())[
        "annotations"
    ][0]
    assert kept == coco_box(2, 1, 1, iscrowd=1), (
        "records are copied whole, crowds and polygons included"
    )
    before = snapshot(coco)
    assert prepare(capsys, "coco-ovd", "--root", coco)[0] == 0
    assert snapshot(coco) == before


def test_what_is_missing_is_named_with_its_address(coco, capsys):
    (coco / "annotations/instances_train2017.json").unlink()
    for file in (coco / "val2017").iterdir():
        file.unlink()
    code, out = prepare(capsys, "coco-ovd", "--root", coco)
    assert code == 2
    assert (
        f"missing  {coco}/annotations/instances_train2017.json: get "
        "http://images.cocodataset.org/annotations/" in out
    )
    assert f"missing  {coco}/val2017: get http://images.cocodataset.org/zips/val2017.zip" in out
    assert (coco / "annotations/instances_val2017_base_novel17.json").is_file(), (
        "the annotations are prepared without images too"
    )
    assert "2 missing, 0 kinds of problems" in out


def test_problems_of_images_are_found(coco, capsys):
    (coco / "train2017/000000000002.jpg").unlink()
    write_image(coco / "train2017/000000000003.jpg", size=(50, 40))
    (coco / "val2017/000000000001.jpg").write_bytes(
        (coco / "train2017/000000000001.jpg").read_bytes()
    )
    whole = (coco / "val2017/000000000002.jpg").read_bytes()
    (coco / "val2017/000000000002.jpg").write_bytes(whole[:-30])
    write_image(coco / "val2017/extra.jpg")
    code, out = prepare(capsys, "coco-ovd", "--root", coco)
    assert code == 2
    assert "1 x image file missing" in out
    assert "1 x image of another size than its record says" in out
    assert "of 6 images opened cannot be decoded" in out
    assert "1 pictures lie in more than one split" in out
    assert f"{coco / 'val2017'}: 1 files that no record names" in out
    listed = (coco / "prepared/problems.txt").read_text()
    assert "image file missing: 000000000002.jpg" in listed
    assert "50 x 40, the record says 60 x 40" in listed
    _, images = open_dataset("coco-ovd:48/32", coco, "val")
    assert [len(image) for image in images] == [2, 1, 1]


def test_boxes_of_no_area_do_not_keep_coco_from_being_ready(coco, capsys):
    """train2017 has two; the counts of the release are those of all records."""
    file = coco / "annotations/instances_train2017.json"
    content = json.loads(file.read_text())
    content["annotations"].append({**coco_box(918, 3, 1), "bbox": [9.98, 18.56, 15.52, 0.0]})
    write_json(file, content)
    code, out = prepare(capsys, "coco-ovd", "--root", coco, "--splits", "train")
    assert code == 0
    assert "1 x box has no area" in out
    assert "annotation 918" in out
    assert "2 images with a base box" in out
    assert "2 base boxes" in out
    assert "usable are 3 boxes in 2 images" in out


def test_counts_of_the_full_release_are_recognised(coco, capsys, monkeypatch):
    monkeypatch.setattr(
        coco_ovd,
        "RELEASE",
        {
            "train": {"images with a base box": 1, "base boxes": 1},
            "val": {"images with a base or novel box": 2, "base boxes": 1, "novel boxes": 2},
        },
    )
    out = prepare(capsys, "coco-ovd", "--root", coco)[1]
    assert out.count("as in the full release") == 5
    assert "the full release has" not in out


def test_a_category_without_id_is_named(coco, capsys):
    file = coco / "annotations/instances_val2017.json"
    content = json.loads(file.read_text())
    del content["categories"][1]["id"]
    write_json(file, content)
    code, out = prepare(capsys, "coco-ovd", "--root", coco, "--splits", "val")
    assert code == 2
    assert f"problem  {file}: the category 'traffic light' has no id; give each" in out


@pytest.mark.skipif(not COCO128.is_dir(), reason="no coco128 photos")
def test_real_photos(tmp_path, capsys):
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations/instances_val2017.json").write_bytes(
        (COCO128 / "instances_val.json").read_bytes()
    )
    (tmp_path / "val2017").symlink_to(COCO128 / "images_val")
    code, out = prepare(capsys, "coco-ovd", "--root", tmp_path, "--splits", "val", "--sample", 8)
    assert code == 0
    assert "8 of 128 images opened, all decode" in out
    built = json.loads((tmp_path / "annotations/instances_val2017_base_novel17.json").read_text())
    _, images = open_dataset("coco-ovd", tmp_path, "val")
    assert [str(image["id"]) for image in built["images"]] == [image.image_id for image in images]
    assert len(built["annotations"]) == sum(map(len, images)) == 809
