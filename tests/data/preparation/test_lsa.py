import json
import shutil

import pytest
from dataset_files import prepare, write_image, write_json

from ovarnet.data.datasets import open_dataset
from ovarnet.structures import POSITIVE, UNKNOWN


@pytest.fixture
def lsa(tmp_path):
    def thing(box, *words, **more):
        return {
            "instance_id": "1",
            "object": "dog",
            "attributes": list(words),
            "box": box,
            "ground": "box",
            **more,
        }

    write_json(
        tmp_path / "train.json",
        [{"image_id": "vg_77", "objects": [thing([30, 20, 25, 15], "red", "in front of door")]}],
    )
    write_json(
        tmp_path / "test.json",
        [{"image_id": "coco_139", "objects": [thing([1, 2, 11, 22], "red", "in front of door")]}],
    )
    write_json(
        tmp_path / "common2common.json",
        {
            "common1": {"red": 0},
            "common1_len": 1,
            "common2": {"in front of door": 1},
            "common2_len": 1,
        },
    )
    write_image(tmp_path / "images/vg/77.jpg")
    write_image(tmp_path / "images/coco/000000000139.jpg", (9, 9, 9))
    return tmp_path


def test_lsa_opens_by_name_and_training_has_no_novel_label(lsa):
    vocabulary, (image,) = open_dataset("lsa", lsa, "train")
    assert vocabulary.attribute_names == [
        "red",
        "in front of door",
    ]
    assert vocabulary.attribute_seen.tolist() == [True, False]
    assert image.attributes.tolist() == [[POSITIVE, UNKNOWN]]
    assert image.boxes.tolist() == [[30, 20, 55, 35]]
    _, images = open_dataset("lsa", lsa, "test")
    assert images[0].attributes.tolist() == [[POSITIVE, POSITIVE]]
    assert len(images[:1]) == 1
    assert len(images[1:]) == 0


def test_some_of_the_sources_and_one_division_are_enough(lsa, capsys):
    code, out = prepare(capsys, "lsa", "--root", lsa, "--splits", "train", "test")
    assert code == 0
    assert "is ready" in out
    assert (
        f"note     {lsa}/images/flickr: not there, so the images of flickr are left out; to use "
        "them, get Flickr30k" in out
    )
    assert f"note     {lsa}/images/oi: not there" in out
    assert f"note     {lsa}/common2rare.json: not there, so lsa:common/rare cannot be used" in out
    assert "note     1 base words in common2common.json; the full release has 4,921" in out
    assert (
        "vg boxes are read as x, y, width, height: of 1, 1 are impossible as corners and 0 as x, y"
        in out
    )


def test_images_of_a_source_that_is_not_there_are_counted_but_no_problem(lsa, capsys):
    records = json.loads((lsa / "train.json").read_text())
    write_json(lsa / "train.json", [*records, {**records[0], "image_id": "oi_1"}])
    code, out = prepare(capsys, "lsa", "--root", lsa, "--splits", "train")
    assert code == 0
    assert "train.json: 1 x no image folder given for oi, left out (e.g. oi_1)" in out


def test_what_every_use_needs_is_missing(lsa, capsys):
    shutil.rmtree(lsa / "images")
    (lsa / "common2common.json").unlink()
    code, out = prepare(capsys, "lsa", "--root", lsa, "--splits", "train")
    assert code == 2
    for name in ("vg", "flickr", "coco", "oi"):
        assert f"missing  {lsa}/images/{name}: get " in out
    for name in ("common2common.json", "common2rare.json"):
        assert f"missing  {lsa}/{name}: get OvarNet's list" in out
