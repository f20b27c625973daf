import json

import pytest
from PIL import Image

from ovarnet.data.ovad import load_ovad, ovad_vocabulary
from ovarnet.errors import InputError
from ovarnet.io.skipped import Skipped
from ovarnet.structures import NEGATIVE, POSITIVE, UNKNOWN
from ovarnet.vocabulary import Word

ATTRIBUTES = [
    {
        "id": 2,
        "name": "maturity:young/baby",
        "type": "maturity",
        "parent_type": "maturity",
        "is_has_att": "is",
        "freq_set": "head",
    },
    {
        "id": 0,
        "name": "color:red",
        "type": "color",
        "parent_type": "color",
        "is_has_att": "is",
        "freq_set": "medium",
    },
    {
        "id": 1,
        "name": "hair tone:dark",
        "type": "hair tone",
        "parent_type": "tone",
        "is_has_att": "has",
        "freq_set": "tail",
    },
]
CATEGORIES = [
    {"supercategory": "person", "isthing": 1, "id": 1, "name": "person", "ov_set": "base"},
    {"supercategory": "animal", "isthing": 1, "id": 18, "name": "dog", "ov_set": "novel"},
]
IMAGES = [
    {
        "id": 139,
        "width": 60,
        "height": 40,
        "file_name": "000000000139.jpg",
        "license": 1,
        "date_captured": "",
    },
    {"id": 285, "width": 20, "height": 30, "file_name": "000000000285.jpg"},
]


def box(number, image=139, category=18, vector=(1, 0, -1), bbox=(1, 2, 10, 20)):
    return {
        "id": number,
        "image_id": image,
        "bbox": list(bbox),
        "area": 200,
        "iscrowd": 0,
        "category_id": category,
        "att_vec": list(vector),
    }


@pytest.fixture
def write(tmp_path):
    def write(annotations, attributes=ATTRIBUTES):
        for image in IMAGES:
            Image.new("RGB", (image["width"], image["height"])).save(tmp_path / image["file_name"])
        data = {
            "info": {},
            "licenses": [],
            "images": IMAGES,
            "categories": CATEGORIES,
            "attributes": attributes,
            "annotations": annotations,
        }
        (tmp_path / "ovad2000.json").write_text(json.dumps(data))
        return tmp_path / "ovad2000.json"

    return write


def test_labels_are_columns_by_attribute_id_and_categories_by_coco_id(write):
    file = write([box(5), box(6, category=1, vector=(-1, -1, 1))])
    vocabulary, (first, second) = load_ovad(file, file.parent)
    assert vocabulary.attribute_names == ["color:red", "hair tone:dark", "maturity:young/baby"]
    assert vocabulary.attributes[2].strings == ("young", "baby")
    assert (first.image_id, first.height, first.width, first.file) == (
        "139",
        40,
        60,
        str(file.parent / "000000000139.jpg"),
    )
    assert first.boxes.tolist() == [[1, 2, 11, 22]] * 2
    assert first.categories.tolist() == [1, 0]
    assert first.attributes.tolist() == [
        [POSITIVE, NEGATIVE, UNKNOWN],
        [UNKNOWN, UNKNOWN, POSITIVE],
    ]
    assert first.instance_ids == ["5", "6"]
    assert len(second) == 0
    assert second.attributes.shape == (0, 3)


def test_unusable_annotations_are_counted(write):
    file, skipped = (
        write(
            [
                box(1),
                box(2, vector=(1, 0)),
                box(3, vector=(1, 0, 2)),
                box(4, category=0),
                box(5, image=1),
                box(6, bbox=(0, 0, 0, 3)),
                box(7, vector=(True, 0, 1)),
            ]
        ),
        Skipped(),
    )
    _, (first, _) = load_ovad(file, file.parent, skipped)
    assert first.instance_ids == ["1"]
    assert skipped.counts == {
        "att_vec is not 3 values of 1, 0, -1": 3,
        "category_id not among the categories": 1,
        "annotation of an image left out": 1,
        "box has no area": 1,
    }


def test_files_that_cannot_be_used(write):
    with pytest.raises(InputError, match=r"attribute ids must be 0\.\.1"):
        load_ovad(write([], attributes=ATTRIBUTES[:2]), None)
    with pytest.raises(InputError, match="annotation id 1 occurs 2 times"):
        load_ovad(write([box(1), box(1)]), None)
    file = write([])
    file.write_text(
        json.dumps(
            {"images": IMAGES, "annotations": [], "categories": [{"id": 1, "name": "person"}]}
        )
    )
    with pytest.raises(InputError, match="'attributes' must be a list"):
        load_ovad(file, None)


def test_clear_values_of_other_types_are_read(write):
    loose = box("5", image="139", category=18.0, vector=(1.0, "0", -1.0), bbox=("1", 2, 10, 20))
    attributes = [{**entry, "id": float(entry["id"])} for entry in ATTRIBUTES]
    file = write([{**loose, "iscrowd": "0"}], attributes)
    skipped = Skipped()
    _, (image, _) = load_ovad(file, file.parent, skipped)
    assert not skipped
    assert image.attributes.tolist() == [[POSITIVE, NEGATIVE, UNKNOWN]]
    assert image.boxes.tolist() == [[1, 2, 11, 22]]
    assert image.categories.tolist() == [1]
    assert image.is_crowd.tolist() == [False]
    with pytest.raises(InputError, match=r"all boxes lie within 0\.\.1"):
        load_ovad(write([box(1, bbox=(0.1, 0.1, 0.5, 0.5))]), file.parent)


def written(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_from_ovad(tmp_path):
    data = {
        "categories": [
            {"id": 1, "name": "person", "supercategory": "person", "ov_set": "base"},
            {"id": 18, "name": "dog", "supercategory": "animal", "ov_set": "novel"},
        ],
        "attributes": [
            {
                "id": 1,
                "name": "clothes color:red",
                "type": "clothes color",
                "parent_type": "color",
                "freq_set": "tail",
            },
            {
                "id": 0,
                "name": "maturity:young/baby",
                "type": "maturity",
                "parent_type": "maturity",
                "freq_set": "head",
            },
        ],
    }
    vocabulary = ovad_vocabulary(written(tmp_path / "o.json", data))
    assert vocabulary.categories == (Word("person", "person", True), Word("dog", "animal", False))
    assert vocabulary.attributes == (
        Word("maturity:young/baby", "maturity", False, ("young", "baby"), "head", "maturity"),
        Word("clothes color:red", "clothes color", False, ("red",), "tail", "color"),
    )
    for wrong in (["head"], {}, 2):
        changed = {**data, "attributes": [{**data["attributes"][0], "id": 0, "freq_set": wrong}]}
        with pytest.raises(
            InputError, match=r"o\.json: word 'clothes color:red': .* is not a string"
        ):
            ovad_vocabulary(written(tmp_path / "o.json", changed))
    del data["attributes"][0]["freq_set"]
    with pytest.raises(InputError, match="lacks 'freq_set'"):
        ovad_vocabulary(written(tmp_path / "o.json", data))
