import json

import pytest
from dataset_files import (
    custom_file,
    prepare,
    snapshot,
    vaw_record,
    write_image,
    write_json,
)

from ovarnet.data.datasets import open_dataset
from ovarnet.structures import NEGATIVE, UNKNOWN


@pytest.fixture
def vaw(tmp_path):
    """orange is one of the 79 novel words; red has 101 training labels, the others fewer."""
    write_json(tmp_path / "attribute_index.json", {"orange": 0, "red": 1, "wet": 2})
    write_json(tmp_path / "attribute_types.json", {"color": ["red", "orange"], "state": ["wet"]})
    write_json(tmp_path / "attribute_parent_types.json", {"color": ["color"], "state": ["state"]})
    write_json(
        tmp_path / "head_tail.json", {"head": ["red"], "medium": ["wet"], "tail": ["orange"]}
    )
    write_json(tmp_path / "train_part1.json", [vaw_record(n, 1, ["red"], []) for n in range(60)])
    write_json(
        tmp_path / "train_part2.json",
        [vaw_record(n, 2, ["orange"], ["red"]) for n in range(60, 101)],
    )
    write_json(tmp_path / "val.json", [vaw_record(200, 3, ["wet"], ["orange", "nameless"])])
    write_json(tmp_path / "test.json", [vaw_record(300, 4, ["orange"], ["wet"], "cup")])
    for number in (1, 2, 3, 4):
        write_image(
            tmp_path / f"images/VG_100K{'_2' * (number % 2)}/{number}.jpg", (60 * number, 0, 0)
        )
    return tmp_path


def test_vaw_splits_and_index(vaw, capsys):
    code, out = prepare(capsys, "vaw", "--root", vaw)
    assert code == 0
    assert "note     101 instances in train; the full release has 216,790" in out
    assert "usable are 101 instances in 2 images, 101 positive and 41 negative" in out
    assert "1 x attribute not in the vocabulary" in out
    assert "489/52" in out
    assert json.loads((vaw / "splits/base2novel.json").read_text()) == {
        "base": {"red": 0, "wet": 1},
        "novel": {"orange": 2},
    }
    assert json.loads((vaw / "splits/common2rare.json").read_text()) == {
        "common": {"red": 0},
        "rare": {"orange": 1, "wet": 2},
    }
    assert json.loads((vaw / "prepared/image_sizes.json").read_text())["images/VG_100K/2.jpg"][
        :2
    ] == [40, 60]
    vocabulary, images = open_dataset("vaw:common/rare", vaw, "train")
    assert vocabulary.attribute_names == [
        "orange",
        "red",
        "wet",
    ]
    assert vocabulary.attribute_seen.tolist() == [False, True, False]
    assert images[1].attributes[0].tolist() == [UNKNOWN, NEGATIVE, UNKNOWN]
    before = snapshot(vaw)
    assert prepare(capsys, "vaw", "--root", vaw)[0] == 0
    assert snapshot(vaw) == before


def test_files_of_another_kind_do_not_stand_for_an_image(vaw, capsys):
    for number in (1, 2, 3, 4):
        (vaw / f"images/{number}.txt").write_text("a label")
        (vaw / f"images/VG_100K{'_2' * (number % 2)}/{number}.xml").write_text("a label")
    assert prepare(capsys, "vaw", "--root", vaw)[0] == 0


def test_boxes_of_no_area_are_a_note_in_published_sets_only(vaw, tmp_path, capsys):
    flat = {**vaw_record(301, 4, ["wet"], []), "instance_bbox": [1, 1, 9, 0]}
    write_json(vaw / "test.json", [vaw_record(300, 4, ["orange"], ["wet"]), flat])
    code, out = prepare(capsys, "vaw", "--root", vaw)
    assert code == 0
    assert "note     test.json: 1 x box has no area" in out
    write_image(tmp_path / "mine/images/a.jpg")
    write_json(
        tmp_path / "mine/train.json",
        custom_file({"attributes": {"white": 1, "red": 0}}, {"bbox": [0, 0, 9, 0]}),
    )
    code, out = prepare(capsys, "custom", "--root", tmp_path / "mine")
    assert code == 2
    assert f"problem  {tmp_path / 'mine/train.json'}: 1 x box has no area" in out
