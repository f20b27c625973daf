import json

import pytest
from PIL import Image

from ovarnet.data.custom import load_custom, read_custom
from ovarnet.data.labelled import labelled_vocabulary
from ovarnet.errors import InputError
from ovarnet.io.skipped import Skipped
from ovarnet.structures import NEGATIVE, NO_CATEGORY, POSITIVE, UNKNOWN
from ovarnet.vocabulary import Vocabulary, Word

WORDS = Vocabulary.of(["shirt"], ["white", "striped", "old"])


def box(number=1, attributes=("white",), image=1, category=1, bbox=(1, 2, 10, 20), **more):
    record = {"id": number, "image_id": image, "bbox": list(bbox), "attributes": attributes, **more}
    return record if category is None else {**record, "category_id": category}


@pytest.fixture
def write(tmp_path):
    """Writes images of 60 x 40 and the file, one record per line; returns (file, image folder)."""

    def write(
        annotations,
        images=({"id": 1, "file_name": "a.jpg"},),
        categories=({"id": 1, "name": "shirt", "supercategory": "clothing"},),
        name="train.json",
        **more,
    ):
        folder = tmp_path / "images"
        folder.mkdir(exist_ok=True)
        Image.new("RGB", (60, 40)).save(folder / "a.jpg")
        lists = {"images": images, "categories": categories, "annotations": annotations}
        text = ",\n".join(
            [
                f'"{key}": [\n' + ",\n".join(map(json.dumps, value)) + "\n]"
                for key, value in lists.items()
            ]
            + [f'"{key}": {json.dumps(value)}' for key, value in more.items()]
        )
        (tmp_path / name).write_text("{" + text + "}")
        return tmp_path / name, folder

    return write


@pytest.mark.parametrize(
    ("attributes", "labels"),
    [
        (["white", "striped"], [POSITIVE, POSITIVE, UNKNOWN]),
        ({"positive": ["white"], "negative": ["old"]}, [POSITIVE, UNKNOWN, NEGATIVE]),
        ({"negative": ["old"]}, [UNKNOWN, UNKNOWN, NEGATIVE]),
        ({"white": 1, "striped": 0, "old": None}, [POSITIVE, NEGATIVE, UNKNOWN]),
        ({"white": True, "striped": False}, [POSITIVE, NEGATIVE, UNKNOWN]),
        ({"white": "1", "striped": 0.0, "old": "false"}, [POSITIVE, NEGATIVE, NEGATIVE]),
        ({"positive": ["white"], "negative": None}, [POSITIVE, UNKNOWN, UNKNOWN]),
        (None, [UNKNOWN] * 3),
        ([], [UNKNOWN] * 3),
    ],
)
def test_the_three_forms_of_attributes(write, attributes, labels):
    (image,) = load_custom(*write([box(attributes=attributes)]), WORDS)
    assert image.attributes.tolist() == [labels]
    assert image.boxes.tolist() == [[1, 2, 11, 22]]
    assert image.categories.tolist() == [0]
    assert image.instance_ids == ["1"]
    assert (image.height, image.width, image.image_id) == (40, 60, "1")


def test_complete_lists_make_the_other_words_negative(write):
    file, folder = write(
        [box(), box(2, {"negative": ["white"]}, category=None)], unlisted_attributes="negative"
    )
    (image,) = load_custom(file, folder, WORDS)
    assert image.attributes.tolist() == [[POSITIVE, NEGATIVE, NEGATIVE], [NEGATIVE] * 3]
    assert image.categories.tolist() == [0, NO_CATEGORY]
    for wrong, shown in (("no", "'no'"), (["negative"], r"\['negative'\]"), ([], r"\[\]")):
        with pytest.raises(InputError, match=f"unlisted_attributes is {shown}"):
            load_custom(*write([box()], unlisted_attributes=wrong), WORDS)


def test_every_problem_is_listed_with_its_place(write):
    images = [
        {"id": 1, "file_name": "a.jpg"},
        {"id": 1, "file_name": "b.jpg"},
        {"id": 2, "file_name": "gone.jpg"},
        {"file_name": "c.jpg"},
        {"id": 3, "file_name": "a.jpg"},
        {"id": 4, "file_name": "d.jpg", "width": "60 px", "height": 40},
    ]
    categories = [
        {"id": 1, "name": "shirt"},
        {"id": 1, "name": "dress"},
        {"id": 2, "name": " shirt "},
        {"id": 3, "name": ""},
    ]
    file, folder = write(
        [
            box(),
            box(),
            box(2, image=2),
            box(3, image=9),
            box(4, category=7),
            box(5, bbox=(0, 0, 0, 5)),
            box(6, bbox=(50, 30, 90, 5)),
            box(7, "white"),
            box(8, {"color": "red", "white": 2}),
            box(9, ["white", 3, "", "great \ud83d"]),
            box(10, {"positive": ["old"], "negative": ["old"]}),
            "text",
        ],
        images,
        categories,
    )
    skipped = Skipped()
    content = read_custom(file, folder, skipped)
    assert [annotation.instance_id for annotation in content.annotations] == [
        "1",
        "6",
        "7",
        "8",
        "9",
        "10",
    ]
    assert [annotation.labels for annotation in content.annotations] == [
        {"white": POSITIVE},
        {"white": POSITIVE},
        {},
        {},
        {"white": POSITIVE},
        {},
    ]
    assert skipped.counts == {
        "image id used twice": 1,
        "image file missing": 1,
        "image without id or file_name": 1,
        "image file listed twice": 1,
        "width and height are not whole numbers of pixels": 1,
        "category id used twice": 1,
        "category name used twice": 1,
        "category without id, or whose name is no text of 1 to 200 characters": 1,
        "annotation id used twice": 1,
        "annotation of an image left out": 1,
        "image_id not among the images": 1,
        "category_id not among the categories": 1,
        "box has no area": 1,
        "part of the box outside the image, clipped": 1,
        "attributes is neither a list nor an object": 1,
        "attribute is neither 1 nor 0": 2,
        "attribute is no text of 1 to 200 characters": 3,
        "attribute both positive and negative, taken as unknown": 1,
        "annotation is not an object": 1,
    }
    assert skipped.items["image file missing"] == ["images[2] (line 4): gone.jpg"]
    assert skipped.items["category_id not among the categories"] == [
        "annotations[4] (line 20): category_id 7"
    ]
    assert (
        skipped.items["attribute is neither 1 nor 0"][0]
        == "annotations[8] (line 24): 'color': 'red'; write \"red\": 1"
    )


def test_a_name_too_long_for_a_file_is_one_that_is_missing(write):
    skipped, name = Skipped(), "a" * 300 + "/b.jpg"
    load_custom(
        *write([box()], [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": name}]),
        WORDS,
        skipped,
    )
    assert skipped.items == {"image file missing": [f"images[1] (line 3): {name}"]}


def test_images_of_another_size_are_left_out(write):
    images = [{"id": 1, "file_name": "a.jpg", "width": 61, "height": 40}]
    with pytest.raises(
        InputError,
        match=r"none of its annotations .*1 x image of another size.*60 x 40, the record says 61",
    ):
        load_custom(*write([box()], images), WORDS)
    file, _ = write([box()], images)
    (image,) = load_custom(file, None, WORDS)
    assert (image.width, image.height) == (61, 40)


def test_words_of_training_are_base_words(write):
    train, folder = write([box(attributes=["white", "striped"])])
    test, _ = write(
        [box(category=2, attributes=["striped", "red"])],
        categories=[
            {"id": 1, "name": "shirt"},
            {"id": 2, "name": "dress", "supercategory": "clothing"},
        ],
        name="test.json",
    )
    files = {
        split: read_custom(file, folder, Skipped())
        for split, file in (("train", train), ("test", test))
    }
    assert labelled_vocabulary(files) == Vocabulary(
        (Word("shirt", "clothing", True), Word("dress", "clothing", False)),
        (Word("white", seen=True), Word("striped", seen=True), Word("red", seen=False)),
    )
    skipped = Skipped()
    (image,) = load_custom(test, folder, WORDS, skipped)
    assert image.categories.tolist() == [NO_CATEGORY]
    assert image.attributes.tolist() == [[UNKNOWN, POSITIVE, UNKNOWN]]
    assert skipped.counts == {
        "category not in the vocabulary": 1,
        "attribute not in the vocabulary": 1,
    }


def test_clear_values_of_other_types_are_read(write):
    images = [{"id": "1", "file_name": "a.jpg", "width": "60", "height": 40.0}]
    categories = [{"id": "1", "name": 7, "supercategory": None}]
    annotation = box(2.0, image=1.0, category=1.0, bbox=("1", 2, 10, "20"), iscrowd=None)
    file, folder = write([annotation], images, categories, unlisted_attributes=None)
    skipped = Skipped()
    (image,) = load_custom(file, folder, Vocabulary.of(["7"], ["white"]), skipped)
    assert not skipped, str(skipped)
    assert (image.image_id, image.instance_ids) == ("1", ["2"])
    assert image.boxes.tolist() == [[1, 2, 11, 22]]
    assert image.categories.tolist() == [0]
    assert image.attributes.tolist() == [[POSITIVE]]


def test_unclear_values_are_noted_with_their_place(write):
    categories = [{"id": 1, "name": "shirt", "supercategory": ["clothing"]}]
    annotations = [box(1, iscrowd="yes"), box(2, {"white": 0.5}), box(3, category=[1])]
    file, folder = write(annotations, categories=categories)
    skipped = Skipped()
    (image,) = load_custom(file, folder, WORDS, skipped)
    assert skipped.items == {
        "supercategory is no text of 1 to 200 characters, taken as 'other'": [
            "categories[0] (line 5): ['clothing']"
        ],
        "iscrowd is neither 0 nor 1, taken as 0": ["annotations[0] (line 8): 'yes'"],
        "attribute is neither 1 nor 0": ["annotations[1] (line 9): 'white': 0.5"],
        "category_id not among the categories": ["annotations[2] (line 10): category_id [1]"],
    }
    assert image.instance_ids == ["1", "2"]


def test_difficult_objects_are_kept_and_marked(write):
    (image,) = load_custom(*write([box(1, difficult=1), box(2)]), WORDS)
    assert image.is_difficult.tolist() == [True, False]


def test_images_without_an_annotation_are_background(write):
    images = [
        {"id": n, "file_name": f"{name}.jpg", "width": 60, "height": 40}
        for n, name in enumerate("abcd", 1)
    ]
    boxes = [box(1), box(2, image=3, bbox=(0, 0, 0, 0))]
    file, _ = write(boxes, images)
    found = load_custom(file, None, WORDS)
    assert [(image.image_id, len(image)) for image in found] == [("1", 1), ("2", 0), ("4", 0)]
    assert found[1].attributes.shape == (0, 3)
    for more in ({"labelled_categories": []}, {"categories": []}):
        file, _ = write([box(1, category=None)], images, **more)
        assert [image.image_id for image in load_custom(file, None, WORDS)] == ["1"]


def test_categories_that_are_not_annotated_completely(write):
    words = Vocabulary.of(["shirt", "dress", "car"], [])
    categories = [{"id": 1, "name": "shirt"}, {"id": 2, "name": "dress"}]
    (image,) = load_custom(*write([box(attributes=[])], categories=categories), words)
    assert image.labelled_categories.tolist() == [True, True, False]
    file, folder = write([box(attributes=[])], categories=categories, labelled_categories=["dress"])
    assert load_custom(file, folder, words)[0].labelled_categories.tolist() == [False, True, False]
    for wrong, shown in (("all", "'all'"), (["coat"], "'coat'"), (3, "3"), ([3.5], "3.5")):
        with pytest.raises(InputError, match=f"labelled_categories must be a list .*; {shown} is"):
            load_custom(*write([box()], categories=categories, labelled_categories=wrong), words)


def test_fractions_and_vanishing_boxes(write):
    with pytest.raises(InputError, match=r"train\.json: all boxes lie within 0\.\.1"):
        load_custom(*write([box(bbox=(0.1, 0.1, 0.5, 0.5)), box(2, bbox=(0, 0, 1, 1))]), WORDS)
    skipped = Skipped()
    (image,) = load_custom(*write([box(), box(2, bbox=(10, 10, 1e-7, 1e-7))]), WORDS, skipped)
    assert image.instance_ids == ["1"]
    assert skipped.counts == {"box has no area": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"images": [', "not valid JSON"),
        ("[]", "holds list at its top level"),
        ('{"images": []}', "'images' must be a list with at least one"),
        (
            '{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": {}}',
            "'annotations' must be a list",
        ),
        ('{"images": [1], "annotations": [1], "categories": 3}', "'categories' must be a list"),
        (
            '{"images": [1], "annotations": {}, "annotations": [1]}',
            "the key 'annotations' occurs twice",
        ),
    ],
)
def test_files_that_cannot_be_used(write, text, message):
    file, folder = write([box()])
    file.write_text(text)
    with pytest.raises(InputError, match=message):
        load_custom(file, folder, WORDS)
