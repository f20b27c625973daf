import json

import pytest
from dataset_files import (
    prepare,
    vaw_record,
    write_image,
    write_json,
)

from ovarnet.data.image_sizes import ImageSizes


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


def test_the_index_of_sizes_is_used_and_outdated_entries_are_not(vaw, capsys):
    prepare(capsys, "vaw", "--root", vaw, "--sample", 0)
    file = vaw / "images/VG_100K/2.jpg"
    size = file.stat().st_size
    file.write_bytes(b"x" * size)
    assert ImageSizes(vaw)(str(file)) == (40, 60)
    write_image(file, size=(70, 90))
    assert ImageSizes(vaw)(str(file)) == (90, 70)


def test_the_index_keeps_the_other_splits_and_forgets_what_is_gone(vaw, capsys):
    prepare(capsys, "vaw", "--root", vaw, "--sample", 0)
    index = vaw / "prepared/image_sizes.json"
    whole = json.loads(index.read_text())
    assert list(whole) == [
        "images/VG_100K/2.jpg",
        "images/VG_100K/4.jpg",
        "images/VG_100K_2/1.jpg",
        "images/VG_100K_2/3.jpg",
    ]
    prepare(capsys, "vaw", "--root", vaw, "--sample", 0, "--splits", "test")
    assert json.loads(index.read_text()) == whole
    (vaw / "images/VG_100K_2/3.jpg").unlink()
    prepare(capsys, "vaw", "--root", vaw, "--sample", 0, "--splits", "test")
    assert list(json.loads(index.read_text())) == [
        "images/VG_100K/2.jpg",
        "images/VG_100K/4.jpg",
        "images/VG_100K_2/1.jpg",
    ]


@pytest.mark.parametrize(
    "entry",
    [None, 7, "x", [], [1, 1], {}, [[], 1, 1], [40, 60, "700"], [40.5, 60, 700], [-1, 60, 700]],
)
def test_an_entry_of_the_index_of_another_form_is_as_good_as_none(tmp_path, entry):
    write_image(tmp_path / "a.jpg")
    if isinstance(entry, list) and len(entry) == 3 and entry[2] == 700:
        entry[2] = (tmp_path / "a.jpg").stat().st_size
    write_json(tmp_path / "prepared/image_sizes.json", {"a.jpg": entry})
    assert ImageSizes(tmp_path)(tmp_path / "a.jpg") == (40, 60)
