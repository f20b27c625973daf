import torch

from ovarnet.io.results import (
    coco_results,
    detections_record,
    file_names,
    image_ids,
    image_record,
)
from ovarnet.structures import Detections

FOUND = Detections(
    torch.tensor([[1.004, 2.0, 11.456, 22.0], [0.0, 0.0, 5.0, 6.0]]),
    torch.tensor([0.5, 0.123456]),
    torch.tensor([[0.2, 0.8], [0.9, 0.1]]),
    torch.tensor([[0.25], [1.0]]),
    ["mug", "car"],
    ["red"],
)


def test_one_record_holds_all_scores():
    assert image_record("in/a.jpg", 60, 40, FOUND) == {
        "file": "in/a.jpg",
        "width": 60,
        "height": 40,
        "categories": ["mug", "car"],
        "attributes": ["red"],
        "boxes": [[1.0, 2.0, 11.46, 22.0], [0.0, 0.0, 5.0, 6.0]],
        "scores": [0.5, 0.1235],
        "category": ["car", "mug"],
        "category_scores": [[0.2, 0.8], [0.9, 0.1]],
        "attribute_scores": [[0.25], [1.0]],
    }


def test_detections_without_their_image():
    record = image_record("in/a.jpg", 60, 40, FOUND)
    assert record == {"file": "in/a.jpg", "width": 60, "height": 40, **detections_record(FOUND)}
    assert list(record)[3:] == list(detections_record(FOUND))


def test_coco_results_have_one_entry_a_box():
    first, second = coco_results("a.jpg", 7, FOUND)
    assert first == {
        "image_id": 7,
        "file_name": "a.jpg",
        "category_id": 2,
        "category_name": "car",
        "bbox": [1.0, 2.0, 10.46, 20.0],
        "score": 0.5,
        "attributes": {"red": 0.25},
    }
    assert second["category_id"] == 1
    no_words = Detections(torch.zeros(1, 4), torch.ones(1), torch.zeros(1, 0), torch.zeros(1, 0))
    (entry,) = coco_results("a.jpg", 7, no_words)
    assert (entry["category_id"], entry["category_name"], entry["attributes"]) == (0, None, {})


def test_names_are_as_long_as_they_must_be(tmp_path):
    assert file_names(["/x/a.jpg", "/x/1/b.jpg", "/y/1/b.jpg"]) == [
        "a.jpg",
        "x/1/b.jpg",
        "y/1/b.jpg",
    ]


def test_ids_are_the_numbers_of_the_names_or_positions():
    assert image_ids(["000000000139.jpg", "in/12.png"]) == [139, 12]
    assert image_ids(["7.jpg", "007.jpg"]) == [1, 2]
    assert image_ids(["a.jpg", "7.jpg"]) == [1, 2]
