"""The file of stored predictions, read and written."""

import copy
import json

import pytest
import torch

from ovarnet.errors import InputError
from ovarnet.evaluation.predictions import read_predictions, write_predictions
from ovarnet.structures import Annotations, Detections
from ovarnet.vocabulary import Vocabulary

WORDS = Vocabulary.of(["mug", "chair"], ["red", "striped", "wooden"])


def image(image_id, *boxes):
    boxes = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    return Annotations(
        f"{image_id}.jpg",
        image_id,
        100,
        200,
        boxes,
        torch.zeros(len(boxes)),
        torch.zeros(len(boxes), 3),
    )


DATASET = [
    image("139", [10, 20, 110, 80]),
    image("a7", [0, 0, 5, 5], [-3, 90, 50, 120]),
    image("12"),
]
FILE = {
    "categories": ["chair", "mug"],
    "attributes": ["red", "striped", "wooden"],
    "model": "of somebody else",
    "images": [
        {
            "image_id": "a7",
            "boxes": [[1, 2, 3, 4.5], [5, 6, 7, 8]],
            "scores": [0.9, 1],
            "category_scores": [[0.25, 0.75], [0.5, 0.125]],
            "attribute_scores": [[0, 0.5, 1], [0.1, 0.2, 0.3]],
        },
        {"image_id": 139, "boxes": [], "scores": [], "category_scores": [], "attribute_scores": []},
    ],
}


def read(tmp_path, content, **options):
    path = tmp_path / "theirs.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_predictions(path, WORDS, DATASET, **options)


def test_columns_follow_the_dataset_and_absent_images_have_no_predictions(tmp_path):
    found = read(tmp_path, FILE)
    assert [len(detections) for detections in found] == [0, 2, 0]
    assert found[1].boxes.tolist() == [[1, 2, 3, 4.5], [5, 6, 7, 8]]
    assert found[1].scores.tolist() == pytest.approx([0.9, 1])
    assert found[1].categories == ["mug", "chair"]
    assert found[1].category_scores.tolist() == [
        [0.75, 0.25],
        [0.125, 0.5],
    ]  # the file had chair first
    assert found[1].attribute_scores[0].tolist() == [0, 0.5, 1]
    assert found[0].category_scores.shape == found[2].category_scores.shape == (0, 2)


def test_a_file_without_words_of_one_kind(tmp_path):
    content = {
        "categories": [],
        "attributes": ["red", "striped", "wooden"],
        "images": [
            {
                "image_id": "a7",
                "boxes": [[1, 2, 3, 4]],
                "scores": [0.5],
                "attribute_scores": [[0, 0.5, 1]],
            }
        ],
    }
    found = read(tmp_path, content)
    assert found[1].category_scores.shape == (1, 0)
    assert found[0].attribute_scores.shape == (0, 3)
    assert found[1].categories == []
    assert found[1].attributes == WORDS.attribute_names


def test_what_is_written_is_read_back_exactly(tmp_path):
    random = torch.Generator().manual_seed(0)
    corner = torch.rand(4, 2, generator=random) * 100
    found = Detections(
        torch.cat([corner, corner + 7.3], dim=1),
        torch.rand(4, generator=random),
        torch.rand(4, 2, generator=random),
        torch.rand(4, 3, generator=random),
        WORDS.category_names,
        WORDS.attribute_names,
    )
    write_predictions(tmp_path / "out" / "ours.json", [("a7", found), ("12", found[:0])])
    again = read_predictions(tmp_path / "out" / "ours.json", WORDS, DATASET)[1]
    for name in ("boxes", "scores", "category_scores", "attribute_scores"):
        assert torch.equal(getattr(again, name), getattr(found, name))
    write_predictions(tmp_path / "none.json", [])
    assert [len(entry) for entry in read_predictions(tmp_path / "none.json", WORDS, DATASET)] == [
        0,
        0,
        0,
    ]


def broken(change):
    content = copy.deepcopy(FILE)
    change(content, content["images"][0])
    return content


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file, image: file.pop("categories"), "'categories' must be a list; it is missing"),
        (
            lambda file, image: file.update(attributes="red"),
            "'attributes' must be a list; it is 'red'",
        ),
        (lambda file, image: file.update(images={}), "'images' must be a list"),
        (
            lambda file, image: file["attributes"].__setitem__(1, "stripes"),
            "'stripes', which is not a word .* did you mean 'striped'",
        ),
        (lambda file, image: file["attributes"].__setitem__(1, "red"), "'red' twice"),
        (
            lambda file, image: file["attributes"].pop(),
            "lacks 1 of the 3 words of the dataset, such as 'wooden'",
        ),
        (lambda file, image: image.update(image_id="77"), "image 77 is not among the 3 images"),
        (lambda file, image: image.update(image_id="139"), "image 139 is listed twice"),
        (
            lambda file, image: image.pop("image_id"),
            "entry 0 of 'images' must be an object with an 'image_id'",
        ),
        (lambda file, image: image.update(image_id=True), "entry 0 of 'images'"),
        (lambda file, image: file["images"].append(7), "entry 2 of 'images'"),
        (
            lambda file, image: image.pop("scores"),
            "image a7: 'scores' must be a list; it is missing",
        ),
        (
            lambda file, image: image.pop("attribute_scores"),
            "image a7: 'attribute_scores' must be a list; it is missing",
        ),
        (lambda file, image: image["scores"].append(0.5), "image a7, scores: 3 rows but 2 boxes"),
        (
            lambda file, image: image["category_scores"].pop(),
            "image a7, category_scores: 1 rows but 2 boxes",
        ),
        (
            lambda file, image: image["attribute_scores"][1].append(0.5),
            "image a7, attribute_scores: row 1 must be a list of 3 numbers",
        ),
        (
            lambda file, image: image["boxes"][0].pop(),
            "image a7, boxes: row 0 must be a list of 4 numbers",
        ),
        (
            lambda file, image: image["boxes"].__setitem__(0, 5),
            "image a7, boxes: row 0 must be a list of 4 numbers",
        ),
        (lambda file, image: image.update(boxes=[]), "image a7, scores: 2 rows but 0 boxes"),
        (
            lambda file, image: image["boxes"].__setitem__(1, [50, 60, 7, 8]),
            "image a7, boxes: box 1 is .*not x, y, width, height",
        ),
        (
            lambda file, image: image["scores"].__setitem__(0, float("nan")),
            "image a7, scores: row 0, entry 0 is nan",
        ),
        (
            lambda file, image: image["scores"].__setitem__(0, None),
            "image a7, scores: row 0, entry 0 is None; every entry must be",
        ),
        (
            lambda file, image: image["scores"].__setitem__(0, "0.5"),
            "image a7, scores: row 0, entry 0 is '0.5'",
        ),
        (
            lambda file, image: image["scores"].__setitem__(1, True),
            "image a7, scores: row 1, entry 0 is True",
        ),
        (
            lambda file, image: image["boxes"][0].__setitem__(2, 10**400),
            "image a7, boxes: row 0, entry 2 is 10000",
        ),
        (
            lambda file, image: image["boxes"][1].__setitem__(3, 1e39),
            r"image a7, boxes: row 1, entry 3 is 1e\+39",
        ),
        (
            lambda file, image: image["boxes"][1].__setitem__(2, float("inf")),
            "image a7, boxes: row 1, entry 2 is inf",
        ),
        (
            lambda file, image: image["attribute_scores"][1].__setitem__(2, -0.5),
            "image a7, attribute_scores: row 1, entry 2 is -0.5; .*sigmoid",
        ),
        (
            lambda file, image: image["category_scores"][0].__setitem__(0, 2),
            r"image a7, category_scores: row 0, entry 0 is 2; .*\[0, 1\]",
        ),
    ],
)
def test_every_fault_names_file_image_and_field(tmp_path, change, message):
    with pytest.raises(InputError, match=message) as caught:
        read(tmp_path, broken(change))
    assert "theirs.json" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "is empty"), ("{", "not valid JSON"), ("[]", "expected an object")],
)
def test_files_that_are_no_predictions(tmp_path, content, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path, content)
    with pytest.raises(InputError, match="no such file"):
        read_predictions(tmp_path / "absent.json", WORDS, DATASET)


def given(boxes_of_a7, **images):
    def entry(image_id, boxes):
        count = len(boxes)
        return {
            "image_id": image_id,
            "boxes": boxes,
            "category_scores": [[0.5, 0.5]] * count,
            "attribute_scores": [[0, 0, 0]] * count,
        }

    return {
        **FILE,
        "images": [
            entry("a7", boxes_of_a7),
            *(entry(name[1:], boxes) for name, boxes in images.items()),
        ],
    }


def test_box_given_rows_are_the_annotated_boxes_in_their_order(tmp_path):
    right = [[0, 0, 5, 5.4], [0, 90, 50, 100]]  # rounded, and clipped to the image of 200 x 100
    found = read(tmp_path, given(right, _139=[[10, 20, 110, 80]]), box_given=True)
    assert [len(detections) for detections in found] == [1, 2, 0]
    assert found[1].scores.tolist() == [
        1,
        1,
    ]
    with pytest.raises(InputError, match=r"image a7, boxes: box 0 is .* but the annotated one is"):
        read(tmp_path, given(right[::-1], _139=[[10, 20, 110, 80]]), box_given=True)
    with pytest.raises(InputError, match="image 139 has 0 rows but 1 annotated boxes"):
        read(tmp_path, given(right), box_given=True)
    assert [
        len(detections)
        for detections in read(
            tmp_path, given([], _139=[[10, 20, 110, 80]]), box_given=True, limit=1
        )
    ] == [1]
    with pytest.raises(InputError, match="image a7 has 0 rows but 2 annotated boxes"):
        read(tmp_path, given([], _139=[[10, 20, 110, 80]]), box_given=True, limit=2)
    with pytest.raises(InputError, match="'scores' must be a list; it is missing"):
        read(tmp_path, given(right, _139=[[10, 20, 110, 80]]))  # box-free needs them


def test_scores_are_read_as_float64_and_boxes_as_float32(tmp_path):
    content = copy.deepcopy(FILE)
    image = content["images"][0]
    image["scores"] = [1 - 1e-9, 1 - 2e-9]
    image["category_scores"] = [[0.1, 0.3], [0.1, 0.3]]
    found = read(tmp_path, content)[1]
    assert found.scores.tolist() == [1 - 1e-9, 1 - 2e-9]
    assert found.category_scores.tolist() == [[0.3, 0.1], [0.3, 0.1]]
    assert found.attribute_scores[1].tolist() == [0.1, 0.2, 0.3]
    assert (found.boxes.dtype, found.scores.dtype) == (torch.float32, torch.float64)


@pytest.mark.parametrize(
    "as_annotated",
    [
        [-5, 10, 35, 50],  # beyond the left side
        [190, 10, 215, 50],  # the right one
        [10, -7, 20, 50],  # the upper one
        [10, 90, 20, 130],  # the lower one
        [-5, -7, 215, 130],  # all
    ],
)
def test_an_annotated_box_that_leaves_the_image_is_taken_as_it_stands_in_the_file(
    tmp_path, as_annotated
):
    """The annotations were clipped to the image of 200 x 100 when they were read."""
    x1, y1, x2, y2 = as_annotated
    clipped = [max(x1, 0), max(y1, 0), min(x2, 200), min(y2, 100)]
    path = tmp_path / "theirs.json"
    for boxes in ([as_annotated], [clipped]):
        path.write_text(json.dumps(given(boxes)))
        (found,) = read_predictions(path, WORDS, [image("a7", clipped)], box_given=True)
        assert found.boxes.tolist() == boxes


def test_a_box_that_leaves_the_image_elsewhere_is_refused(tmp_path):
    path = tmp_path / "theirs.json"
    path.write_text(json.dumps(given([[-5, 12, 35, 50]])))
    with pytest.raises(InputError, match=r"box 0 is .* but the annotated one is \[0.0, 10.0, "):
        read_predictions(path, WORDS, [image("a7", [0, 10, 35, 50])], box_given=True)
