import json

import pytest
import torch
from PIL import Image

from ovarnet.data.vaw import load_vaw, merge_annotations, vaw_vocabulary
from ovarnet.errors import InputError
from ovarnet.io.skipped import Skipped
from ovarnet.structures import NEGATIVE, NO_CATEGORY, POSITIVE, UNKNOWN, Annotations
from ovarnet.vocabulary import Vocabulary, Word

WORDS = Vocabulary.of(["dog"], ["red", "wet", "old"])


def record(
    instance="2373241004",
    image="2373241",
    bbox=(1.0, 2.0, 10.0, 20.0),
    name="dog",
    positive=("red",),
    negative=("wet",),
    **more,
):
    return {
        "image_id": image,
        "instance_id": instance,
        "instance_bbox": list(bbox),
        "instance_polygon": None,
        "object_name": name,
        "positive_attributes": list(positive),
        "negative_attributes": list(negative),
        **more,
    }


def written(path, records):
    path.write_text(json.dumps(records))
    return path


@pytest.fixture
def images(tmp_path):
    """Visual Genome's two folders; the second image is stored turned by EXIF: shown 30 high, 50
    wide."""
    for name in ("VG_100K", "VG_100K_2"):
        (tmp_path / "images" / name).mkdir(parents=True)
    Image.new("RGB", (60, 40)).save(tmp_path / "images/VG_100K/2373241.jpg")
    turned = Image.new("RGB", (30, 50))
    exif = turned.getexif()
    exif[0x0112] = 8
    turned.save(tmp_path / "images/VG_100K_2/11.jpg", exif=exif)
    return tmp_path / "images"


def test_records_become_labels_per_image_over_both_parts(tmp_path, images):
    one = written(
        tmp_path / "train_part1.json",
        [record(), record("110", 11, name="cloud", positive=[], negative=["old"])],
    )
    two = written(
        tmp_path / "train_part2.json",
        [record("2373241005", bbox=(0.5, 0, 5, 5), positive=["old", "red"], negative=[])],
    )
    first, second = load_vaw([one, two], images, WORDS)
    assert (first.image_id, first.height, first.width) == ("2373241", 40, 60)
    assert first.file == str(images / "VG_100K/2373241.jpg")
    assert first.boxes.tolist() == [[1, 2, 11, 22], [0.5, 0, 5.5, 5]]
    assert first.categories.tolist() == [0, 0]
    assert second.categories.tolist() == [NO_CATEGORY]
    assert first.attributes.tolist() == [
        [POSITIVE, NEGATIVE, UNKNOWN],
        [POSITIVE, UNKNOWN, POSITIVE],
    ]
    assert second.attributes.tolist() == [[UNKNOWN, UNKNOWN, NEGATIVE]]
    assert first.instance_ids == ["2373241004", "2373241005"]
    assert (second.height, second.width) == (30, 50)


def test_sizes_may_be_given(tmp_path):
    (image,) = load_vaw(written(tmp_path / "v.json", [record()]), None, WORDS, {"2373241": (10, 8)})
    assert (image.file, image.height, image.width) == ("2373241.jpg", 10, 8)
    assert image.boxes.tolist() == [[1, 2, 8, 10]]
    with pytest.raises(InputError, match="no image sizes"):
        load_vaw(tmp_path / "v.json", None, WORDS)


def test_everything_left_out_is_counted(tmp_path, images):
    Image.new("RGB", (4, 4)).save(images / "half.jpg")
    (images / "half.jpg").write_bytes(b"not an image")
    broken = record("b1")
    del broken["positive_attributes"]
    path = written(
        tmp_path / "v.json",
        [
            record("1", positive=["red", "wet", "nameless"], negative=["wet", "other"]),
            record("2", bbox=(0, 0, 0, 4)),
            record("3", "404"),
            record("4", "half"),
            broken,
            "text",
            record("5", positive=[3]),
            record("6", bbox=(100, 100, 4, 4)),
            record(None),
        ],
    )
    skipped = Skipped()
    (image,) = load_vaw(path, images, WORDS, skipped=skipped)
    assert image.instance_ids == ["1"]
    assert image.attributes.tolist() == [
        [POSITIVE, UNKNOWN, UNKNOWN]
    ]  # wet is in both lists: unknown
    assert skipped.counts == {
        "attribute not in the vocabulary": 2,
        "attribute both positive and negative, taken as unknown": 1,
        "box has no area": 1,
        "image file missing": 1,
        "image unreadable": 1,
        "record with a missing or wrong positive_attributes": 1,
        "record is not an object": 1,
        "record with an attribute that is not a string": 1,
        "box lies outside the image": 1,
        "record with a missing or wrong instance_id": 1,
    }
    assert skipped.items["attribute not in the vocabulary"] == [
        "'nameless' of instance 1",
        "'other' of instance 1",
    ]


def test_files_that_cannot_be_used(tmp_path, images):
    path = written(tmp_path / "v.json", [record()])
    with pytest.raises(InputError, match="instance id 2373241004 occurs 2 times"):
        load_vaw([path, path], images, WORDS)
    with pytest.raises(InputError, match="holds dict at its top level; expected a list"):
        load_vaw(written(tmp_path / "d.json", {"images": []}), images, WORDS)
    with pytest.raises(
        InputError, match="none of its 1 images can be used: 1 x image file missing"
    ):
        load_vaw(written(tmp_path / "m.json", [record(image="404")]), images, WORDS)


def annotations(
    boxes, instance_ids, categories, labels, image_id="1", size=(40, 60), file="coco.jpg"
):
    return Annotations(
        file,
        image_id,
        *size,
        boxes,
        categories,
        torch.tensor(labels).reshape(len(boxes), 3),
        instance_ids=instance_ids,
    )


def test_merge_joins_by_image_and_instance():
    none = [UNKNOWN] * 3
    coco = [
        annotations([[0, 0, 4, 4], [5, 5, 9, 9]], ["a", "b"], [0, 0], [none, none]),
        annotations([], [], [], [], "2"),
    ]
    vaw = [
        annotations(
            [[1, 1, 3, 3], [5, 5, 9, 9.5]],
            ["c", "b"],
            [NO_CATEGORY, NO_CATEGORY],
            [[1, 0, 2], [0, 1, 2]],
            file="vaw.jpg",
        ),
        annotations([[0, 0, 1, 1]], ["d"], [NO_CATEGORY], [[2, 2, 1]], "3"),
    ]
    first, second, third = merge_annotations(coco, vaw)
    assert first.file == "coco.jpg"
    assert first.instance_ids == ["a", "b", "c"]
    assert first.categories.tolist() == [0, 0, NO_CATEGORY]
    assert first.attributes.tolist() == [none, [0, 1, 2], [1, 0, 2]]
    assert first.boxes.tolist() == [[0, 0, 4, 4], [5, 5, 9, 9], [1, 1, 3, 3]]
    assert second is coco[1]
    assert third is vaw[1]
    assert coco[0].attributes.tolist() == [none, none], "the input is not changed"


def test_merge_catches_ids_that_agree_by_chance():
    one = annotations([[0, 0, 4, 4]], ["a"], [0], [[2, 2, 2]])
    with pytest.raises(InputError, match="different images"):
        merge_annotations(
            [one], [annotations([[0, 0, 4, 4]], ["a"], [0], [[2, 2, 2]], size=(60, 40))]
        )
    with pytest.raises(InputError, match="instance a of image 1 has box"):
        merge_annotations([one], [annotations([[9, 9, 12, 12]], ["a"], [0], [[2, 2, 2]])])


def vaw_folder(tmp_path, **changed):
    files = {
        "attribute_index": {"dark": 1, "orange": 0, "odd": 3, "striped": 2},
        "attribute_types": {
            "hair color": ["dark"],
            "tone": ["dark"],
            "color": ["orange", "not in the index"],
            "pattern": ["striped"],
        },
        "attribute_parent_types": {
            "color": ["color", "tone", "hair color"],
            "texture": ["pattern"],
        },
        "head_tail": {"head": ["dark", "odd"], "medium": ["orange"], "tail": ["striped"]},
    }
    for name, content in {**files, **changed}.items():
        written(tmp_path / f"{name}.json", content)
    return tmp_path


def test_from_vaw(tmp_path):
    vocabulary = vaw_vocabulary(vaw_folder(tmp_path))
    assert vocabulary.attributes == (
        Word("orange", "color", False, group="medium", family="color"),  # one of the 79 novel names
        Word(
            "dark", "hair color", True, group="head", family="color"
        ),  # in two subtypes: the first one counts
        Word("striped", "pattern", True, group="tail", family="texture"),
        Word("odd", "other", True, group="head", family="other"),
    )
    split = written(
        tmp_path / "common2rare_att2id.json",
        {"common": {"dark": 0, "odd": 1}, "rare": {"orange": 2}, "common_len": 2},
    )
    named = vaw_vocabulary(tmp_path, split)
    assert named.attribute_names == ["orange", "dark", "odd"]
    assert named.attribute_seen.tolist() == [
        False,
        True,
        True,
    ]


def test_from_vaw_bad_input(tmp_path):
    with pytest.raises(InputError, match=r"attribute_index\.json: no such file"):
        vaw_vocabulary(tmp_path)
    with pytest.raises(InputError, match=r"columns must be 0\.\.1"):
        vaw_vocabulary(vaw_folder(tmp_path, attribute_index={"a": 0, "b": 2}))
    full = {
        f"word {i}": i for i in range(620)
    }  # a full-size index that spells the novel words otherwise would leak them into base
    with pytest.raises(InputError, match="'active' of the split is not among the 620"):
        vaw_vocabulary(vaw_folder(tmp_path, attribute_index=full))


@pytest.mark.parametrize("name", ["head_tail", "attribute_types", "attribute_parent_types"])
@pytest.mark.parametrize(
    "wrong", ["dark orange", 3, None, {"dark": 1}, ["dark", 3]]
)  # a string would match every word inside it
def test_from_vaw_lists_that_are_none(tmp_path, name, wrong):
    with pytest.raises(InputError, match=rf"{name}\.json: 'color' is not a list of words"):
        vaw_vocabulary(vaw_folder(tmp_path, **{name: {"color": wrong}}))


def test_from_vaw_names_the_folder_of_a_bad_word(tmp_path):
    with pytest.raises(InputError, match=r"has 201 characters") as raised:
        vaw_vocabulary(vaw_folder(tmp_path, attribute_index={"a" * 201: 0}))
    assert str(raised.value).startswith(f"{tmp_path}: ")


def test_clear_values_of_other_types_are_read_and_fractions_refused(tmp_path, images):
    loose = record(110.0, "11 ", bbox=("1", 2, 10.0, "20"), negative=[], negative_attributes=None)
    skipped = Skipped()
    (image,) = load_vaw(written(tmp_path / "a.json", [loose]), images, WORDS, skipped=skipped)
    assert not skipped
    assert (image.image_id, image.instance_ids) == ("11", ["110"])
    assert image.boxes.tolist() == [[1, 2, 11, 22]]
    assert image.attributes.tolist() == [[POSITIVE, UNKNOWN, UNKNOWN]]
    for key in ("image_id", "instance_id"):
        wrong = written(tmp_path / "a.json", [record(), {**record(), key: True}])
        skipped = Skipped()
        load_vaw(wrong, images, WORDS, skipped=skipped)
        assert skipped.counts == {f"record with a missing or wrong {key}": 1}
    normalised = written(tmp_path / "a.json", [record(bbox=(0.1, 0.2, 0.5, 0.5))])
    with pytest.raises(InputError, match=r"a\.json: all boxes lie within 0\.\.1"):
        load_vaw(normalised, images, WORDS)


def test_vaw_describes_some_objects_only(tmp_path, images):
    (image,) = load_vaw(written(tmp_path / "a.json", [record()]), images, WORDS)
    assert image.labelled_categories.tolist() == [False]
