"""`ovarnet prepare` on small files of the exact real formats, and on real COCO photos where they
are at hand."""

import io
import json
import os
import tarfile
from pathlib import Path

import pytest
from PIL import Image

from ovarnet.cli.main import main
from ovarnet.data.datasets import open_dataset
from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.preparation import coco_ovd
from ovarnet.structures import NEGATIVE, POSITIVE, UNKNOWN

COCO128 = (
    Path(os.environ.get("OVARNET_TEST_PHOTOS", Path(__file__).parents[3] / "shared" / "data"))
    / "coco128"
)


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def write_image(path, color=(0, 0, 0), size=(60, 40)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, color).save(path)


def prepare(capsys, *arguments):
    code = main(["prepare", *map(str, arguments)])
    return code, capsys.readouterr().out


def snapshot(root):
    return {path: path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def coco_box(number, image, category, **more):
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "bbox": [1, 2, 10, 20],
        "area": 200,
        "iscrowd": 0,
        "segmentation": [[1, 2, 3.5, 4]],
        **more,
    }


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


def vaw_record(instance, image, positive, negative, name="mug"):
    return {
        "image_id": str(image),
        "instance_id": str(instance),
        "instance_bbox": [0.0, 0.0, 5.0, 5.0],
        "instance_polygon": [[[0, 0], [5, 0], [5, 5]]],
        "object_name": name,
        "positive_attributes": positive,
        "negative_attributes": negative,
    }


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


def test_files_of_another_kind_do_not_stand_for_an_image(vaw, capsys):
    for number in (1, 2, 3, 4):
        (vaw / f"images/{number}.txt").write_text("a label")
        (vaw / f"images/VG_100K{'_2' * (number % 2)}/{number}.xml").write_text("a label")
    assert prepare(capsys, "vaw", "--root", vaw)[0] == 0


def test_ovad_counts(tmp_path, capsys):
    attributes = [
        {
            "id": 0,
            "name": "color:red",
            "type": "color",
            "parent_type": "color",
            "is_has_att": "is",
            "freq_set": "head",
        },
        {
            "id": 1,
            "name": "state:wet/damp",
            "type": "state",
            "parent_type": "state",
            "is_has_att": "is",
            "freq_set": "tail",
        },
    ]
    write_json(
        tmp_path / "ovad2000.json",
        {
            "images": [{"id": 139, "width": 60, "height": 40, "file_name": "000000000139.jpg"}],
            "attributes": attributes,
            "categories": [
                {
                    "supercategory": "animal",
                    "isthing": 1,
                    "id": 18,
                    "name": "dog",
                    "ov_set": "novel",
                }
            ],
            "annotations": [
                {**coco_box(1, 139, 18), "att_vec": [1, -1]},
                {**coco_box(2, 139, 18), "att_vec": [1, 0, 0]},
            ],
        },
    )
    code, out = prepare(capsys, "ovad", "--root", tmp_path)
    assert code == 2
    assert "missing" in out
    assert "1 objects (the release has about 14,300), 1 positive and 0 negative labels" in out
    assert "1 x att_vec is not 2 values" in out
    assert "note     1 images; the full release has 2,000" in out


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


def test_lsa_reports_sources_and_the_reading_of_boxes(lsa, capsys):
    code, out = prepare(capsys, "lsa", "--root", lsa, "--splits", "train", "test")
    assert code == 2  # two sources of images and a split list are not there
    assert f"missing  {lsa}/images/flickr: get Flickr30k" in out
    assert f"missing  {lsa}/images/oi: get Open Images" in out
    assert f"missing  {lsa}/common2rare.json" in out
    assert "note     1 base words in common2common.json; the full release has 4,921" in out
    assert (
        "vg boxes are read as x, y, width, height: of 1, 1 are impossible as corners and 0 as x, y"
        in out
    )


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


def test_captions_of_coco_and_of_tables(tmp_path, capsys):
    write_json(
        tmp_path / "annotations/captions_val2017.json",
        {
            "images": [{"id": 1, "file_name": "1.jpg"}, {"id": 2, "file_name": "2.jpg"}],
            "annotations": [{"id": n, "image_id": 1, "caption": "a dog"} for n in (1, 2)],
        },
    )
    write_image(tmp_path / "val2017/1.jpg")
    (tmp_path / "cc3m.tsv").write_text("a red mug\thttp://x.org/1.jpg\nno tab\n")
    code, out = prepare(capsys, "captions", "--root", tmp_path, "--splits", "val")
    assert code == 2
    assert "2 captions of 1 images, 2.00 each" in out
    assert "1 x image without a caption" in out
    assert "cc3m.tsv: 1 captions of 1 images" in out
    assert "1 x no TAB" in out


def test_files_beside_the_captions_are_not_taken_for_some(tmp_path, capsys):
    (tmp_path / "cc3m.TSV").write_text("a red mug\thttp://x.org/1.jpg\n")
    (tmp_path / "cc3m.tsv.bak").write_text("x")
    (tmp_path / "flickr.txt").write_text("1.jpg\ta dog\n2.jpg a cat\n")
    (tmp_path / "README.txt").write_text("These are captions.\n")
    (tmp_path / "LICENSE.txt.gz").write_bytes(b"x")
    code, out = prepare(capsys, "captions", "--root", tmp_path)
    assert code == 2
    assert "README.txt: no TAB in its first line, so no table of captions; not used" in out
    assert ".bak" not in out
    assert "cc3m.TSV: 1 captions of 1 images" in out
    assert "flickr.txt: 1 x no TAB" in out
    for name in ("flickr.txt", "LICENSE.txt.gz"):
        (tmp_path / name).unlink()
    assert prepare(capsys, "captions", "--root", tmp_path)[0] == 0


def test_images_inside_shards_are_opened(tmp_path, capsys):
    write_image(tmp_path / "a.png")
    for name, content in (
        ("00000.tar", (tmp_path / "a.png").read_bytes()),
        ("00001.tar", b"no picture"),
    ):
        with tarfile.open(tmp_path / name, "w") as shard:
            for member, data in (("1.png", content), ("1.txt", b"a red mug")):
                info = tarfile.TarInfo(member)
                info.size = len(data)
                shard.addfile(info, io.BytesIO(data))
    code, out = prepare(capsys, "captions", "--root", tmp_path)
    assert code == 2
    assert "00000.tar: 1 captions of 1 images" in out
    assert "1 of 1 images opened, all decode" in out
    assert "problem  1 of 1 images opened cannot be decoded" in out
    assert "00001.tar@" in out


def custom_file(*annotations, **more):
    return {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "categories": [{"id": 1, "name": "shirt"}],
        "annotations": [
            {"id": n, "image_id": 1, "category_id": 1, "bbox": [0, 0, 60, 40], **record}
            for n, record in enumerate(annotations)
        ],
        **more,
    }


def test_custom_writes_a_vocabulary_and_keeps_what_the_user_changed(tmp_path, capsys):
    write_image(tmp_path / "images/a.jpg")
    write_json(
        tmp_path / "train.json",
        custom_file({"attributes": {"positive": ["white"], "negative": ["red"]}}),
    )
    code, out = prepare(capsys, "custom", "--root", tmp_path)
    assert code == 0
    assert "2 attributes, 2 of them base words" in out
    words = json.loads((tmp_path / "vocabulary.json").read_text())
    words["attributes"][1] = {
        "name": "red",
        "parent": "color",
        "synonyms": ["crimson"],
    }  # now novel
    write_json(tmp_path / "vocabulary.json", words)
    write_json(
        tmp_path / "train.json", custom_file({"attributes": {"white": 1, "blue": 1, "red": 0}})
    )
    code, out = prepare(capsys, "custom", "--root", tmp_path)
    assert code == 0
    assert "1 attributes have labels in train.json but are novel" in out
    assert f"{'':11}red\n" in out
    vocabulary, (image,) = open_dataset("custom", tmp_path, "train")
    assert [(word.name, word.parent, word.seen) for word in vocabulary.attributes] == [
        ("white", "other", True),
        ("red", "color", False),
        ("blue", "other", True),
    ]
    assert image.attributes.tolist() == [[POSITIVE, UNKNOWN, POSITIVE]], (
        "red has been made novel: training does not see it"
    )


@pytest.fixture
def two_splits(tmp_path):
    for name, color in (("a", (9, 0, 0)), ("b", (0, 9, 0))):
        write_image(tmp_path / f"images/{name}.jpg", color)
    content = custom_file({"attributes": {"positive": ["white"], "negative": ["red"]}})
    write_json(tmp_path / "train.json", content)
    write_json(tmp_path / "val.json", {**content, "images": [{"id": 1, "file_name": "b.jpg"}]})
    return tmp_path


def seen_words(root):
    words = json.loads((root / "vocabulary.json").read_text())
    return {
        word["name"]: word.get("seen", False)
        for kind in ("categories", "attributes")
        for word in words[kind]
    }


def test_custom_writes_no_vocabulary_without_the_training_file(two_splits, capsys):
    """Its words would be novel, and stay so."""
    whole = (two_splits / "train.json").read_text()
    (two_splits / "train.json").write_text(whole[:-1] + ",}")
    code, out = prepare(capsys, "custom", "--root", two_splits)
    assert code == 2
    assert "vocabulary.json: has not all words and is not written without train.json" in out
    (two_splits / "train.json").write_text(whole)
    assert prepare(capsys, "custom", "--root", two_splits, "--splits", "val")[0] == 2
    assert not (two_splits / "vocabulary.json").exists()
    assert prepare(capsys, "custom", "--root", two_splits)[0] == 0
    assert seen_words(two_splits) == {"shirt": True, "white": True, "red": True}
    assert prepare(capsys, "custom", "--root", two_splits, "--splits", "val")[0] == 0, (
        "all words are there already"
    )


def test_custom_words_that_training_could_not_see(two_splits, capsys):
    """train.json comes when the vocabulary has been written."""
    whole = json.loads((two_splits / "train.json").read_text())
    (two_splits / "train.json").unlink()
    assert prepare(capsys, "custom", "--root", two_splits)[0] == 0
    assert seen_words(two_splits) == {"shirt": False, "white": False, "red": False}
    write_json(two_splits / "train.json", whole)
    code, out = prepare(capsys, "custom", "--root", two_splits)
    assert code == 2
    assert all(
        f"no word of the {kind} in train.json is a base word" in out
        for kind in ("categories", "attributes")
    )
    whole["annotations"][0]["attributes"]["negative"].append("blue")
    write_json(two_splits / "train.json", whole)
    code, out = prepare(capsys, "custom", "--root", two_splits)
    assert "2 attributes have labels in train.json but are novel" in out
    assert seen_words(two_splits)["blue"]


def test_custom_reports_all_problems_and_meaningless_labels(tmp_path, capsys):
    write_image(tmp_path / "images/a.jpg")
    write_json(
        tmp_path / "train.json",
        custom_file({"attributes": ["white"]}, {"bbox": [0, 0, 0, 9]}, {"category_id": 8}),
    )
    write_json(tmp_path / "test.json", custom_file({"attributes": ["White"]}))
    code, out = prepare(capsys, "custom", "--root", tmp_path)
    assert code == 2
    assert "annotations[1] (line 1): bbox" in out
    assert "annotations[2] (line 1): category_id 8" in out
    assert "'white' = 'White'" in out
    assert "AP would be 1 for any model" in out
    assert "1 pictures lie in more than one split" in out
    assert "images/a.jpg" in out


def test_custom_half_characters_are_named_and_not_written(tmp_path, capsys):
    write_image(tmp_path / "images/a.jpg")
    write_json(
        tmp_path / "train.json",
        custom_file({"attributes": {"positive": ["white", "great \ud83d"], "negative": ["red"]}}),
    )
    code, out = prepare(capsys, "custom", "--root", tmp_path)
    assert code == 2
    assert "annotations[0] (line 1): 'great \\ud83d'" in out
    content = custom_file({"attributes": {"white": 1, "red": 0}})
    content["images"].append({"id": 2, "file_name": "\ud83d.jpg"})
    write_json(tmp_path / "train.json", content)
    code, out = prepare(capsys, "custom", "--root", tmp_path)
    assert code == 2
    assert "images[1] (line 1): \\ud83d.jpg" in out
    assert "\\ud83d.jpg" in (tmp_path / "prepared/problems.txt").read_text()
    assert [
        word["name"]
        for word in json.loads((tmp_path / "vocabulary.json").read_text())["attributes"]
    ] == ["white", "red"]
    assert not list(tmp_path.rglob("*.part"))


def test_custom_says_what_to_do_at_the_start(tmp_path, capsys):
    code, out = prepare(capsys, "custom", "--root", tmp_path)
    assert code == 2
    assert "none of train.json, val.json, test.json is there; docs/own_data.md" in out
    assert "put your images there" in out
    write_json(tmp_path / "train.json", custom_file({}))
    assert main(["prepare", "custom", "--root", str(tmp_path / "none")]) == 2
    assert main(["prepare", "custom", "--root", str(tmp_path), "--splits", "dev"]) == 2


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
