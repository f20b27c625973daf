"""Boxes brought by the user: three forms of JSON, found by image."""

import json

import pytest

from ovarnet.errors import InputError
from ovarnet.proposals.box_file import BoxFile


def written(tmp_path, content, images=()):
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps(content))
    return BoxFile(path, images)


def test_plain_form_by_the_longest_matching_name(tmp_path):
    boxes = written(tmp_path, {"x.jpg": [[0, 0, 1, 1]], "b/x.jpg": [[0, 0, 2, 2]], "y": []})
    assert boxes.boxes("a/x.jpg") == [[0, 0, 1, 1]]
    assert boxes.boxes("somewhere/b/x.jpg") == [[0, 0, 2, 2]]
    assert boxes.boxes("y.png") == []


def test_a_name_that_means_two_images_of_a_run_is_refused(tmp_path):
    images = ["two/a/x.jpg", "two/b/x.jpg", "two/y.jpg"]
    boxes = written(tmp_path, {"x.jpg": [[0, 0, 1, 1]], "y.jpg": []}, images)
    with pytest.raises(
        InputError,
        match=r"boxes\.json: 'x\.jpg' means 2 of the images, two/b/x\.jpg among them; .* such as "
        r"'b/x\.jpg'",
    ):
        boxes.boxes("two/b/x.jpg")
    assert boxes.boxes("two/y.jpg") == []
    told_apart = written(
        tmp_path, {"a/x.jpg": [[0, 0, 1, 1]], "b/x.jpg": [[0, 0, 2, 2]], "y": []}, images
    )
    assert [told_apart.boxes(image) for image in images] == [[[0, 0, 1, 1]], [[0, 0, 2, 2]], []]


@pytest.mark.parametrize("name", ["./x.jpg", "a//x.jpg", "../a/x.jpg", "b/../a/x.jpg"])
def test_a_path_may_be_written_in_any_way(tmp_path, name):
    assert written(tmp_path, {name: [[0, 0, 1, 1]]}).boxes("../a/x.jpg") == [[0, 0, 1, 1]]


def test_the_score_of_a_proposal_is_left_out(tmp_path):
    assert written(tmp_path, {"x.jpg": [[1, 2, 3, 4, 0.5]]}).boxes("x.jpg") == [[1, 2, 3, 4]]


def test_a_number_of_hundreds_of_digits_is_not_finite(tmp_path):
    assert written(tmp_path, {"x.jpg": [[10**400, 2, 3, 4]]}).boxes("x.jpg") == [
        [float("inf"), 2, 3, 4]
    ]


def test_coco_instances_with_an_image_that_has_no_box(tmp_path):
    boxes = written(
        tmp_path,
        {
            "images": [{"id": 5, "file_name": "a.jpg"}, {"id": 6, "file_name": "b.jpg"}],
            "annotations": [
                {"image_id": 5, "bbox": [10, 20, 30, 40]},
                {"image_id": 5, "bbox": [1, 2, 3, 4.5]},
            ],
        },
    )
    assert boxes.boxes("a.jpg") == [[10, 20, 40, 60], [1, 2, 4, 6.5]]
    assert boxes.boxes("b.jpg") == []


def test_coco_results_by_number_and_by_file_name(tmp_path):
    results = [
        {"image_id": 139, "bbox": [1, 1, 1, 1], "score": 0.5},
        {"file_name": "z.png", "image_id": 1, "bbox": [0, 0, 2, 2]},
    ]
    boxes = written(tmp_path, results)
    assert boxes.boxes("000000000139.jpg") == [[1, 1, 2, 2]]
    assert boxes.boxes("z.png") == [[0, 0, 2, 2]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            {"a.jpg": [[1, 2, 3]]},
            "image a.jpg, box 0 is [1, 2, 3]; each box must be a list of 4 numbers",
        ),
        ({"a.jpg": [[1, 2, 3, 4], ["1", 2, 3, 4]]}, "image a.jpg, box 1 is"),
        ({"a.jpg": [1, 2, 3, 4]}, "image a.jpg, box 0 is 1; each box"),
        ({"a.jpg": "none"}, "image a.jpg, box 0 is none; each box"),
        ([[1, 2, 3, 4]], "entry 0 lacks a `bbox` or names no known image"),
        ([{"bbox": [1, 2, 3, 4]}], "entry 0 lacks a `bbox` or names no known image"),
        (
            {"images": [], "annotations": [{"image_id": 1, "bbox": [1, 2, 3, 4]}]},
            "entry 0 lacks a `bbox` or names no known image",
        ),
        ({"images": [{"id": 1}], "annotations": []}, "a COCO file needs `id` and `file_name`"),
        ({"images": [], "annotations": {}}, "`annotations` must be a list"),
        (
            {"images": 5, "annotations": []},
            "a COCO file needs `id` and `file_name` for each of its images, in a list",
        ),
        (
            {"images": [{"id": [1], "file_name": "a.jpg"}], "annotations": []},
            "a COCO file needs `id` and `file_name`",
        ),
        (
            {"images": [{"id": 1, "file_name": 7}], "annotations": []},
            "a COCO file needs `id` and `file_name`",
        ),
        (
            {
                "images": [{"id": 1, "file_name": "a.jpg"}],
                "annotations": [{"image_id": [1], "bbox": [1, 2, 3, 4]}],
            },
            "entry 0 lacks a `bbox`",
        ),
        (
            [{"image_id": [1], "bbox": [1, 2, 3, 4]}],
            "entry 0 lacks a `bbox` or names no known image",
        ),
        ({"a.jpg": [], "./a.jpg": []}, "names an image twice"),
    ],
)
def test_other_forms_are_refused(tmp_path, content, message):
    with pytest.raises(InputError) as error:
        written(tmp_path, content)
    assert str(error.value).startswith(f"{tmp_path / 'boxes.json'}: {message}")


def test_an_image_the_file_does_not_name(tmp_path):
    with pytest.raises(InputError, match=r"holds no boxes for image b.jpg \(it names a.jpg\)"):
        written(tmp_path, {"a.jpg": []}).boxes("b.jpg")


def test_boxes_as_fractions_of_the_image_are_refused(tmp_path):
    """As YOLO and Albumentations write them; taken as pixels they would be a third of one."""
    with pytest.raises(InputError, match=r"all boxes lie within 0\.\.1, as fractions of the image"):
        written(tmp_path, {"x.jpg": [[0.1, 0.2, 0.5, 0.6]], "y.jpg": [[0, 0, 1, 1]]})
    rows = {"x.jpg": [[0.1, 0.2, 0.5, 0.6]], "y.jpg": [[0, 0, 9, 9]]}
    assert written(tmp_path, rows).boxes("x.jpg") == rows["x.jpg"]


def test_an_image_named_twice_is_refused(tmp_path):
    (tmp_path / "b.json").write_text('{"x.jpg": [[0, 0, 9, 9]], "x.jpg": [[1, 1, 9, 9]]}')
    with pytest.raises(InputError, match=r"the key 'x\.jpg' occurs twice in one object; keep one"):
        BoxFile(tmp_path / "b.json")
