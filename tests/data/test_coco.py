import json
import logging

import pytest
from PIL import Image

from ovarnet.data.coco import coco_vocabulary, load_coco
from ovarnet.errors import InputError
from ovarnet.io.skipped import Skipped
from ovarnet.structures import UNKNOWN
from ovarnet.vocabulary import Vocabulary, Word

WORDS = Vocabulary.of(["dog", "person"], ["red", "wet"])
IMAGES = [
    {"id": 7, "file_name": "000000000007.jpg", "height": 40, "width": 60, "license": 3},
    {"id": 5, "file_name": "000000000005.jpg", "height": 30, "width": 20},
]
CATEGORIES = [
    {"id": 1, "name": "person", "supercategory": "person"},
    {"id": 18, "name": "dog", "supercategory": "animal"},
    {"id": 10, "name": "traffic light", "supercategory": "outdoor"},
]


def box(number, image=7, category=18, bbox=(1, 2, 10, 20), **more):
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "bbox": list(bbox),
        "area": 200,
        "iscrowd": 0,
        "segmentation": [],
        **more,
    }


@pytest.fixture
def files(tmp_path):
    """Writes the annotation file and empty images of the names in it; returns (annotation file,
    image folder)."""

    def write(annotations, images=IMAGES, categories=CATEGORIES, missing=()):
        folder = tmp_path / "val2017"
        folder.mkdir(exist_ok=True)
        for image in images:
            name = image.get("file_name")
            if isinstance(name, str) and name not in missing:
                size = (int(image["width"]), int(image["height"]))
                Image.new("RGB", size).save(folder / name)
        path = tmp_path / "instances.json"
        path.write_text(
            json.dumps(
                {"info": {}, "images": images, "annotations": annotations, "categories": categories}
            )
        )
        return path, folder

    return write


def test_boxes_become_corners_and_categories_are_found_by_name(files):
    path, folder = files([box(3, category=1, iscrowd=1), box(4, bbox=(0.5, 1.5, 2, 3))])
    first, second = load_coco(path, folder, WORDS)
    assert (first.file, first.image_id, first.height, first.width) == (
        str(folder / "000000000007.jpg"),
        "7",
        40,
        60,
    )
    assert first.boxes.tolist() == [[1, 2, 11, 22], [0.5, 1.5, 2.5, 4.5]]
    assert first.categories.tolist() == [1, 0]
    assert first.is_crowd.tolist() == [True, False]
    assert first.instance_ids == ["3", "4"]
    assert first.attributes.tolist() == [[UNKNOWN, UNKNOWN]] * 2
    assert second.image_id == "5"
    assert len(second) == 0
    assert second.attributes.shape == (0, 2)


def test_everything_left_out_is_counted_and_listed(files):
    nan = float("nan")
    path, folder = files(
        [
            box(1),
            box(2, category=10),
            box(3, category=99),
            box(4, image=8),
            box(5, image=5),
            box(6, bbox=(0, 0, 0, 5)),
            box(7, bbox=(0, 0, nan, 5)),
            box(8, bbox=(60, 0, 5, 5)),
            box(9, bbox=(1, 2, 3)),
            box(10, bbox=["1 px", 2, 3, 4]),
            box(11, bbox=(0, 0, -3, 5)),
            box(12, bbox=(50, 30, 20, 20)),
            box(13, bbox=(0, 0, 60.4, 40.0)),
            box(14, bbox=(0, 0, 10**400, 4)),
        ],
        images=[*IMAGES, {"id": 9, "file_name": "x.jpg", "height": None, "width": 3}],
        missing=["000000000005.jpg", "x.jpg"],
    )
    skipped = Skipped()
    (image,) = load_coco(path, folder, WORDS, skipped)
    assert image.instance_ids == ["1", "12", "13"]
    assert image.boxes[1:].tolist() == [[50, 30, 60, 40], [0, 0, 60, 40]]
    assert skipped.counts == {
        "category not in the vocabulary": 1,
        "category_id not among the categories": 1,
        "image_id not among the images": 1,
        "annotation of an image left out": 1,
        "box has no area": 2,
        "box is not four finite numbers": 4,
        "box lies outside the image": 1,
        "part of the box outside the image, clipped": 1,
        "image file missing": 1,
        "image record without id, file_name, height or width": 1,
    }
    assert len(skipped) == 14
    assert skipped.items["category not in the vocabulary"] == ["annotation 2: traffic light"]
    assert skipped.items["image file missing"] == ["000000000005.jpg"]
    assert "\n" not in str(skipped)
    assert "1 x category not in the vocabulary (e.g. annotation 2: traffic light)" in str(skipped)


def test_images_of_another_size_than_their_record_are_counted(files):
    path, folder = files([box(1), box(2, image=5)])
    Image.new("RGB", (40, 60)).save(folder / "000000000007.jpg")
    (folder / "000000000005.jpg").write_bytes(b"not an image")
    Image.new("RGB", (9, 9)).save(folder / "x.jpg")
    data = json.loads(path.read_text())
    data["images"].append({"id": 9, "file_name": "x.jpg", "height": 9, "width": 9})
    path.write_text(json.dumps(data))
    skipped = Skipped()
    (image,) = load_coco(path, folder, WORDS, skipped)
    assert image.image_id == "9"
    assert len(image) == 0
    assert skipped.items["image of another size than its record says"] == [
        f"{folder / '000000000007.jpg'}: 40 x 60 (width and height changed places, perhaps by its "
        "EXIF rotation), "
        "the record says 60 x 40"
    ]
    assert skipped.counts["image unreadable"] == 1
    assert skipped.counts["annotation of an image left out"] == 2


def test_polygons_are_not_kept_but_change_nothing(files):
    path, folder = files([box(1, segmentation=[[1.5, 2, 3, 4]] * 50)])
    assert load_coco(path, folder, WORDS)[0].boxes.tolist() == [[1, 2, 11, 22]]


def test_without_a_collector_one_line_is_logged(files, caplog):
    path, folder = files([box(1), box(2, category=10)])
    with caplog.at_level(logging.WARNING):
        load_coco(path, folder, WORDS)
    assert [record.getMessage() for record in caplog.records] == [
        f"{path}: left out: 1 x category not in the vocabulary (e.g. annotation 2: traffic light)"
    ]
    caplog.clear()
    path, folder = files([box(1)])
    load_coco(path, folder, WORDS)
    assert not caplog.records


def test_path_styles_of_file_names(files):
    images = [
        dict(IMAGES[0], file_name="val2017/000000000007.jpg"),
        dict(IMAGES[1], file_name="sub\\five.jpg"),
    ]
    path, folder = files([], images=[])
    (folder / "sub").mkdir()
    for name, size in (("000000000007.jpg", (60, 40)), ("sub/five.jpg", (20, 30))):
        Image.new("RGB", size).save(folder / name)
    path.write_text(
        json.dumps({"images": images, "annotations": [box(1)], "categories": CATEGORIES})
    )
    assert [image.file for image in load_coco(path, folder, WORDS)] == [
        str(folder / "000000000007.jpg"),
        str(folder / "sub/five.jpg"),
    ]
    assert [image.file for image in load_coco(path, None, WORDS)] == [
        "val2017/000000000007.jpg",
        "sub\\five.jpg",
    ]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"annotations": [box(1), box(1)]}, "annotation id 1 occurs 2 times"),
        ({"annotations": [], "images": [IMAGES[0], IMAGES[0]]}, "image id 7 occurs 2 times"),
        (
            {"annotations": [], "categories": [*CATEGORIES, CATEGORIES[0]]},
            "category id 1 occurs 2 times",
        ),
        (
            {"annotations": [], "categories": CATEGORIES[2:]},
            "none of its 1 categories .*'traffic light'.* names must be equal",
        ),
        (
            {"annotations": [], "missing": [image["file_name"] for image in IMAGES]},
            "none of its 2 images can be used: 2 x image file missing",
        ),
        ({"annotations": {"a": 1}}, "'annotations' must be a list of objects"),
        ({"annotations": [3]}, "'annotations' must be a list of objects"),
    ],
)
def test_files_that_cannot_be_used(files, changed, message):
    path, folder = files(**changed)
    with pytest.raises(InputError, match=message) as raised:
        load_coco(path, folder, WORDS)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_truncated_file_and_missing_folder(files):
    path, folder = files([box(1)])
    with pytest.raises(InputError, match="no such image folder"):
        load_coco(path, folder / "none", WORDS)
    path.write_text(path.read_text()[:-40])
    with pytest.raises(InputError, match=r"not valid JSON .* truncated"):
        load_coco(path, folder, WORDS)
    path.write_text("[]")
    with pytest.raises(InputError, match="holds list at its top level"):
        load_coco(path, folder, WORDS)


LOOSE = [
    ({"image_id": "7", "category_id": "18", "iscrowd": "0"}, False),
    ({"image_id": 7.0, "category_id": 18.0, "iscrowd": 0.0}, False),
    ({"id": "1", "iscrowd": None}, False),
    ({"iscrowd": "false"}, False),
    ({"iscrowd": "1"}, True),
    ({"iscrowd": True}, True),
    ({"bbox": ["1", "2.0", 10.0, 20]}, False),
]


@pytest.mark.parametrize(("changed", "is_crowd"), LOOSE)
def test_clear_values_of_other_types_are_read(files, changed, is_crowd):
    path, folder = files([{**box(1), **changed}])
    skipped = Skipped()
    first, _ = load_coco(path, folder, WORDS, skipped)
    assert not skipped, str(skipped)
    assert first.boxes.tolist() == [[1, 2, 11, 22]]
    assert first.instance_ids == ["1"]
    assert first.is_crowd.tolist() == [is_crowd]


def test_image_ids_and_sizes_of_other_types_are_read(files):
    images = [
        {"id": "7", "file_name": "000000000007.jpg", "height": "40", "width": 60.0},
        {"id": 5.0, "file_name": "000000000005.jpg", "height": 40, "width": 60},
    ]
    path, folder = files([box(1, image=7), box(2, image="5")], images=images)
    skipped = Skipped()
    found = load_coco(path, folder, WORDS, skipped)
    assert not skipped
    assert [(image.image_id, image.height, len(image)) for image in found] == [
        ("7", 40, 1),
        ("5", 40, 1),
    ]


@pytest.mark.parametrize("value", ["maybe", 2, -1, 0.5, [], {}])
@pytest.mark.parametrize("key", ["iscrowd", "difficult"])
def test_unclear_flags_are_noted_and_mean_no(files, key, value):
    path, folder = files([box(1, **{key: value})])
    skipped = Skipped()
    first, _ = load_coco(path, folder, WORDS, skipped)
    assert skipped.items == {f"{key} is neither 0 nor 1, taken as 0": [f"annotation 1: {value!r}"]}
    assert not first.is_ignored.any()


def test_difficult_boxes_are_kept_and_marked(files):
    path, folder = files([box(1, difficult=1), box(2, difficult="0"), box(3, iscrowd=1)])
    first, _ = load_coco(path, folder, WORDS)
    assert first.is_difficult.tolist() == [True, False, False]
    assert first.is_ignored.tolist() == [True, False, True]


def test_a_box_that_vanishes_in_float32_is_left_out(files):
    path, folder = files(
        [box(1), box(2, bbox=(10, 10, 1e-7, 1e-7)), box(3, bbox=(59.999, 1, 5, 5))]
    )
    skipped = Skipped()
    first, _ = load_coco(path, folder, WORDS, skipped)
    assert first.instance_ids == ["1"]
    assert skipped.counts == {"box has no area": 1, "box lies outside the image": 1}
    assert (first.boxes[:, 2:] > first.boxes[:, :2]).all()


def test_boxes_as_fractions_of_the_image_are_refused(files):
    path, folder = files([box(1, bbox=(0.1, 0.2, 0.5, 0.5)), box(2, bbox=(0, 0, 1, 1))])
    with pytest.raises(InputError, match=r"all boxes lie within 0\.\.1, as fractions of the image"):
        load_coco(path, folder, WORDS)
    path, folder = files([box(1, bbox=(0.1, 0.2, 0.5, 0.5)), box(2)])
    assert len(load_coco(path, folder, WORDS)[0]) == 2


def test_categories_that_the_file_does_not_annotate_are_marked(files):
    path, folder = files([box(1)])
    assert load_coco(path, folder, WORDS)[0].labelled_categories is None
    wider = Vocabulary.of(["car", *WORDS.category_names])
    assert load_coco(path, folder, wider)[0].labelled_categories.tolist() == [False, True, True]


def written(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


CATEGORIES_OF_COCO = {
    "images": [],
    "annotations": [],
    "categories": [
        {"id": 18, "name": "dog", "supercategory": "animal"},
        {"id": 1, "name": "person", "supercategory": "person"},
        {"id": 10, "name": "traffic light", "supercategory": "outdoor"},
        {"id": 3, "name": "car"},
    ],
}


def test_from_coco(tmp_path):
    path = written(tmp_path / "instances.json", CATEGORIES_OF_COCO)
    plain = coco_vocabulary(path)
    assert plain.categories[0] == Word("dog", "animal")
    assert plain.category_names == [
        "dog",
        "person",
        "traffic light",
        "car",
    ]
    narrow = coco_vocabulary(path, "48/17")
    assert narrow.category_names == [
        "dog",
        "person",
        "car",
    ]  # traffic light is one of the 15 ignored ones
    assert narrow.category_seen.tolist() == [False, True, True]
    wide = coco_vocabulary(path, "48/32")
    assert wide.category_names == plain.category_names
    assert wide.category_seen.tolist() == [False, True, False, True]
    assert coco_vocabulary(path, ["dog"]).category_seen.tolist() == [True, False, False, False]
    with pytest.raises(InputError, match="did you mean 'dog'"):
        coco_vocabulary(path, ["dogg"])
    with pytest.raises(InputError, match="'48/18' is unknown"):
        coco_vocabulary(path, "48/18")
    with pytest.raises(InputError, match="give a COCO instances file"):
        coco_vocabulary(written(tmp_path / "x.json", {"images": []}))
    with pytest.raises(InputError, match=r"x\.json: word 'a': \[1\] is not a string"):
        coco_vocabulary(
            written(tmp_path / "x.json", {"categories": [{"name": "a", "supercategory": [1]}]}),
            ["a"],
        )
