"""A box whose object is a novel category of the run is no training box, whatever data set it lies
in and whatever it is labelled with."""

import json

import pytest
from PIL import Image

from ovarnet.config import DataSource, OvarnetTraining
from ovarnet.data.datasets import ignored_categories, open_dataset
from ovarnet.io.word_files import write_vocabulary
from ovarnet.splits import COCO_BASE, COCO_EXTRA_15, COCO_NOVEL_17
from ovarnet.training.data.base_data import BaseData
from ovarnet.training.data.novel_name_filter import NovelNameFilter
from ovarnet.training.distillation.data import DistillationData
from ovarnet.vocabulary import Vocabulary, Word

COCO = NovelNameFilter(
    Vocabulary(
        tuple(Word(name, seen=name in COCO_BASE) for name in sorted(COCO_BASE | COCO_NOVEL_17))
    )
)


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("cat", "cat"),
        ("Cats", "cat"),
        ("black cat", "cat"),
        ("kitten", "cat"),
        ("coffee cup", "cup"),
        ("cup of tea", "cup"),
        ("mug", "cup"),
        ("piece of cake", "cake"),
        ("knives", "knife"),
        ("neck-tie", "tie"),
        ("school_bus", "bus"),
        ("aeroplane", "airplane"),
        ("dogs and cats", "dog"),
        ("cat food", None),
        ("hot dog", None),
        ("man with a dog", None),
        ("pancake", None),
        ("person", None),
        ("truck", None),
        ("sky", None),
        ("", None),
    ],
)
def test_the_rule_on_names(name, category):
    assert COCO(name) == category


def test_categories_that_the_division_ignores_are_left_out_as_well():
    assert ignored_categories("coco-ovd") == ignored_categories("coco-ovd:48/17") == COCO_EXTRA_15
    assert ignored_categories("coco-ovd:48/32") == ignored_categories("vaw") == frozenset()
    words = Vocabulary(
        tuple(Word(name, seen=name in COCO_BASE) for name in sorted(COCO_BASE | COCO_NOVEL_17))
    )
    means = NovelNameFilter(words, COCO_EXTRA_15)
    assert [means(name) for name in ("teddy bear", "stoplight", "bear", "busses")] == [
        "teddy bear",
        "traffic light",
        None,
        "bus",
    ]


def test_words_of_the_vocabulary_go_before_general_synonyms():
    means = NovelNameFilter(
        Vocabulary((Word("mug", seen=True), Word("cup"), Word("key", synonyms=("latchkey",))))
    )
    assert [means(name) for name in ("mug", "red mugs", "cups", "latchkeys", "cat")] == [
        None,
        None,
        "cup",
        "key",
        None,
    ]


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def write_image(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (60, 40)).save(path)


@pytest.fixture
def roots(tmp_path):
    """COCO, where dog is novel; VAW and LSA with a box of a dog, of a mug (no category of COCO's)
    and of a person."""
    coco, vaw, lsa = tmp_path / "coco", tmp_path / "vaw", tmp_path / "lsa"
    categories = [{"id": 1, "name": "person"}, {"id": 18, "name": "dog"}, {"id": 47, "name": "cup"}]
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 10, 20], "iscrowd": 0}
    write_json(
        coco / "annotations/instances_train2017.json",
        {
            "images": [{"id": 1, "file_name": "1.jpg", "height": 40, "width": 60}],
            "categories": categories,
            "annotations": [box],
        },
    )
    write_image(coco / "train2017/1.jpg")
    names = ("spotted dogs", "hat", "person", "sign of a dog")
    records = [
        {
            "image_id": "9",
            "instance_id": str(n),
            "instance_bbox": [n, 0, 5, 5],
            "instance_polygon": None,
            "object_name": name,
            "positive_attributes": ["red"],
            "negative_attributes": [],
        }
        for n, name in enumerate(names)
    ]
    for file, part in (
        ("train_part1", records),
        ("train_part2", []),
        ("test", [{**record, "image_id": "8"} for record in records]),
    ):
        write_json(vaw / f"{file}.json", part)
    write_json(vaw / "attribute_index.json", {"red": 0})
    for name in ("attribute_types", "attribute_parent_types", "head_tail"):
        write_json(vaw / f"{name}.json", {})
    for number in (8, 9):
        write_image(vaw / f"images/{number}.jpg")
    objects = [
        {
            "instance_id": str(n),
            "object": name,
            "attributes": ["red"],
            "box": [n, 0, n + 5, 5],
            "ground": "box",
        }
        for n, name in enumerate(names)
    ]
    write_json(lsa / "train.json", [{"image_id": "coco_7", "objects": objects}])
    write_json(lsa / "common2common.json", {"common1": {"red": 0}, "common2": {"wet": 1}})
    write_image(lsa / "images/coco/000000000007.jpg")
    return {"coco-ovd": coco, "vaw": vaw, "lsa": lsa}


@pytest.mark.parametrize("dataset", ["vaw", "lsa"])
def test_both_training_data_sets_leave_them_out_and_say_so(roots, dataset, caplog):
    detection, attributes = (
        DataSource(name, str(roots[name]), "train") for name in ("coco-ovd", dataset)
    )
    data = BaseData.open(detection, attributes)
    assert data.attributes.boxes[:, 0].tolist() == [1, 2], (
        "the dogs and the sign of a dog are gone, hat and person stay"
    )
    assert (
        "2 x object of a novel or ignored category, left out of training (e.g. 'spotted dogs' "
        "(dog), instance 0)" in caplog.text
    )
    images = DistillationData.open(
        OvarnetTraining(output="", teacher="", detection=detection, attributes=attributes)
    ).sources["attributes"]
    assert [image.boxes[:, 0].tolist() for image in images] == [[1, 2]]


def test_evaluation_keeps_all_boxes(roots):
    for split, count in (("test", 4), ("train", 4)):
        assert sum(map(len, open_dataset("vaw", roots["vaw"], split)[1])) == count, (
            "without a run there is no novel category"
        )
    assert sum(map(len, open_dataset("vaw", roots["vaw"], "test", is_novel=COCO)[1])) == 4


def test_a_data_set_with_categories_of_its_own_obeys_too(tmp_path, roots):
    box = {"image_id": 1, "bbox": [0, 0, 60, 40], "attributes": ["red"]}
    write_json(
        tmp_path / "mine/train.json",
        {
            "images": [{"id": 1, "file_name": "a.jpg"}],
            "categories": [{"id": 1, "name": "puppy"}, {"id": 2, "name": "hat"}],
            "annotations": [{**box, "id": 1, "category_id": 1}, {**box, "id": 2, "category_id": 2}],
        },
    )
    write_image(tmp_path / "mine/images/a.jpg")
    words = Vocabulary.of(
        [Word("puppy", seen=True), Word("hat", seen=True)], [Word("red", seen=True)]
    )
    write_vocabulary(tmp_path / "mine/vocabulary.json", words)
    data = BaseData.open(
        DataSource("coco-ovd", str(roots["coco-ovd"]), "train"),
        DataSource("custom", str(tmp_path / "mine"), "train"),
    )
    assert len(data.attributes) == 1
