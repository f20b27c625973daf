import json
import subprocess
import sys
from collections import Counter

import pytest

from ovarnet.errors import InputError
from ovarnet.io.images import read_image
from ovarnet.io.word_files import read_vocabulary
from ovarnet.scenes.world import write as write_module
from ovarnet.scenes.world.render import render_scene
from ovarnet.scenes.world.words import ATTRIBUTE_NAMES, CATEGORIES, NOVEL_ATTRIBUTES, applies
from ovarnet.scenes.world.write import write_world

COUNTS = {"train": 40, "val": 12, "test": 8, "captions": 9, "photos": 20}
NOVEL_CATEGORIES = {c.name for c in CATEGORIES if not c.seen}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp("world") / "scenes"
    write_world(root, COUNTS, seed=4)
    return root


def load(world, name):
    return json.loads((world / "annotations" / name).read_text())


def test_the_tree_is_complete(world):
    for split in ("train", "val", "test", "captions"):
        assert len(list((world / "images" / split).iterdir())) == COUNTS[split]
    assert len(list((world / "photos").iterdir())) == COUNTS["photos"]
    assert read_vocabulary(world / "vocabulary.json").attribute_names == list(ATTRIBUTE_NAMES)
    assert sorted(p.name for p in world.parent.iterdir()) == ["scenes"]


def test_images_are_what_was_rendered_and_the_records_know_their_size(world):
    record = load(world, "instances_val.json")["images"][3]
    image = read_image(world / "images" / "val" / record["file_name"])
    scene = render_scene(4, "val", 3)
    assert image.shape == scene.image.shape == (record["height"], record["width"], 3)
    assert abs(image.astype(int) - scene.image.astype(int)).mean() < 5


def test_training_files_hold_nothing_novel(world):
    instances, attributes = (
        load(world, "instances_train.json"),
        load(world, "attributes_train.json"),
    )
    base_ids = {c["id"] for c in instances["categories"]}
    assert len(base_ids) == 30
    assert {a["category_id"] for a in instances["annotations"]} <= base_ids
    text = json.dumps(instances) + json.dumps(attributes)
    for word in NOVEL_CATEGORIES | NOVEL_ATTRIBUTES:
        assert f'"{word}"' not in text, word
    rendered = [o for i in range(COUNTS["train"]) for o in render_scene(4, "train", i).objects]
    assert any(not o.thing.category.seen for o in rendered), "the check above would be empty"
    assert any(o.thing.attributes & NOVEL_ATTRIBUTES for o in rendered)
    assert (
        len(instances["annotations"])
        == len(attributes)
        == sum(o.thing.category.seen for o in rendered)
    )


def test_about_half_of_the_training_labels_are_unknown(world):
    by_name = {c.name: c for c in CATEGORIES}
    asked = possible = 0
    for record in load(world, "attributes_train.json"):
        asked += len(record["positive_attributes"]) + len(record["negative_attributes"])
        possible += sum(
            applies(w, by_name[record["object_name"]]) and w not in NOVEL_ATTRIBUTES
            for w in ATTRIBUTE_NAMES
        )
    assert 0.45 < asked / possible < 0.55


def test_val_labels_are_complete(world):
    by_name = {c.name: c for c in CATEGORIES}
    records = load(world, "attributes_val.json")
    objects = [o for i in range(COUNTS["val"]) for o in render_scene(4, "val", i).objects]
    assert len(records) == len(objects)
    for record, item in zip(records, objects, strict=True):
        positive, negative = record["positive_attributes"], record["negative_attributes"]
        assert set(positive) == item.thing.attributes
        assert not set(positive) & set(negative)
        assert {*positive, *negative} == {
            w for w in ATTRIBUTE_NAMES if applies(w, by_name[record["object_name"]])
        }
        x1, y1, x2, y2 = item.box
        assert record["instance_bbox"] == [x1, y1, x2 - x1, y2 - y1]


def test_instances_and_records_belong_together_and_ids_are_unique(world):
    image_ids, annotation_ids = [], []
    for split in ("train", "val", "test"):
        instances, records = (
            load(world, f"instances_{split}.json"),
            load(world, f"attributes_{split}.json"),
        )
        image_ids += [image["id"] for image in instances["images"]]
        annotation_ids += [a["id"] for a in instances["annotations"]]
        assert [
            (str(a["id"]), str(a["image_id"]), a["bbox"]) for a in instances["annotations"]
        ] == [(r["instance_id"], r["image_id"], r["instance_bbox"]) for r in records]
    for name in ("captions_scenes.json", "captions_photos.json"):
        image_ids += [image["id"] for image in load(world, name)["images"]]
    assert len(set(image_ids)) == len(image_ids) == sum(COUNTS.values())
    assert len(set(annotation_ids)) == len(annotation_ids)


def test_caption_files_hold_five_captions_per_image_and_no_boxes(world):
    for name, split in (("captions_scenes.json", "captions"), ("captions_photos.json", "photos")):
        content = load(world, name)
        assert set(Counter(c["image_id"] for c in content["annotations"]).values()) == {5}
        assert len(content["images"]) == COUNTS[split]
        assert all(set(c) == {"id", "image_id", "caption"} for c in content["annotations"])
        assert len({c["id"] for c in content["annotations"]}) == 5 * COUNTS[split]


@pytest.mark.slow
def test_two_workers_write_the_same_bytes(world, tmp_path, monkeypatch):
    monkeypatch.setattr(write_module, "_CHUNK", 7)
    write_world(tmp_path / "again", COUNTS, seed=4, workers=2)
    files = sorted(p.relative_to(world) for p in world.rglob("*") if p.is_file())
    assert files == sorted(
        p.relative_to(tmp_path / "again") for p in (tmp_path / "again").rglob("*") if p.is_file()
    )
    for file in files:
        assert (world / file).read_bytes() == (tmp_path / "again" / file).read_bytes(), file


def test_a_rendering_process_starts_without_torch():
    code = "import sys, ovarnet.scenes.world.write; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "False\n", done.stderr


def test_an_existing_root_is_refused_and_replaced_only_on_demand(tmp_path):
    few = dict.fromkeys(COUNTS, 1)
    root = tmp_path / "scenes"
    write_world(root, few)
    before = (root / "photos" / "000000.jpg").read_bytes()
    with pytest.raises(InputError, match="exists already"):
        write_world(root, few, seed=1)
    assert (root / "photos" / "000000.jpg").read_bytes() == before
    write_world(root, few, seed=1, overwrite=True)
    assert (root / "photos" / "000000.jpg").read_bytes() != before


def test_overwrite_never_deletes_a_folder_that_is_not_a_world(tmp_path):
    (tmp_path / "precious.txt").write_text("x")
    with pytest.raises(InputError, match="not a generated world"):
        write_world(tmp_path, dict.fromkeys(COUNTS, 1), overwrite=True)
    assert (tmp_path / "precious.txt").exists()


def test_a_failure_leaves_nothing_behind(tmp_path, monkeypatch):
    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr(write_module, "jpeg_bytes", broken)
    with pytest.raises(OSError, match="disk full"):
        write_world(tmp_path / "scenes", dict.fromkeys(COUNTS, 1))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "seed"), [({"train": -1}, 0), ({"photos": 2_000_000}, 0), ({}, -3)]
)
def test_bad_numbers_are_refused(tmp_path, changes, seed):
    with pytest.raises(InputError):
        write_world(tmp_path / "scenes", {**COUNTS, **changes}, seed=seed)
    assert list(tmp_path.iterdir()) == []


def test_a_root_that_cannot_be_made_is_an_input_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot be written"):
        write_world(tmp_path / "file" / "scenes", dict.fromkeys(COUNTS, 1))
