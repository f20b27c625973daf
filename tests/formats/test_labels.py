"""Labels from a data set and from the files of ovarnet detect."""

import pytest
import torch

from ovarnet.data.image_folder import ImageRecord
from ovarnet.data.labelled import LabelledBox, LabelledSplit
from ovarnet.errors import InputError
from ovarnet.formats.labels import (
    LabelledObject,
    labels_of_split,
    read_detections,
    unique_names,
)
from ovarnet.io.files import write_json
from ovarnet.io.results import image_record
from ovarnet.structures import Detections


def test_labels_of_a_split():
    content = LabelledSplit(
        images={
            "1": ImageRecord("x/a.jpg", "1", 60, 100),
            "2": ImageRecord("y/a.jpg", "2", 50, 50),
        },
        categories={"mug": "kitchen", "car": "other"},
    )
    content.annotations = [
        LabelledBox("1", [0, 0, 9, 8], "car", {"red": 1, "old": 0}, False, False, "i"),
        LabelledBox("1", [0, 0, 5, 5], None, {}, False, True, "j"),
        LabelledBox("1", [0, 0, 100, 60], "car", {}, True, False, "crowd"),
    ]
    labels = labels_of_split(content)
    first, second = labels.images
    assert list(first.objects) == [
        LabelledObject((0, 0, 9, 8), "car", {"red": True, "old": False}),
        LabelledObject((0, 0, 5, 5), None),
    ]
    assert (first.file, first.name, first.width, first.height) == ("x/a.jpg", "a.jpg", 100, 60)
    assert (second.name, second.stem, list(second.objects)) == ("a_2.jpg", "a_2", [])
    # a box without a category needs a name in every format
    assert labels.categories == ["mug", "car", "object"]
    assert labels.attributes == ["red", "old"]


def test_labels_of_detections(tmp_path):
    found = Detections(
        [[1, 2, 30, 40]],
        torch.tensor([0.75]),
        torch.tensor([[0.2, 0.9]]),
        torch.tensor([[0.5, 0.49]]),
        ["mug", "car"],
        ["red", "old"],
    )
    write_json(tmp_path / "a.json", image_record("photos/a.jpg", 100, 60, found))
    labels = read_detections([tmp_path / "a.json"], 0.5)
    (image,) = labels.images
    assert list(image.objects) == [
        LabelledObject((1, 2, 30, 40), "car", {"red": True}, 0.75, {"red": 0.5, "old": 0.49})
    ]
    assert (image.file, image.name, image.width, image.height) == (
        "photos/a.jpg",
        "a.jpg",
        100,
        60,
    )
    assert labels.categories == ["mug", "car"]

    write_json(tmp_path / "b.json", {"file": "x"})
    with pytest.raises(InputError, match=r"b\.json: has no 'width'; give the folder that ovarnet"):
        read_detections([tmp_path / "b.json"], 0.5)
    for damage in ({"scores": []}, {"boxes": [[1, 2, 3]]}, {"attribute_scores": [["x", "y"]]}):
        record = image_record("photos/a.jpg", 100, 60, found) | damage
        write_json(tmp_path / "b.json", record)
        with pytest.raises(InputError, match=r"b\.json: its boxes, scores and words do not fit"):
            read_detections([tmp_path / "b.json"], 0.5)


def test_names_differ_without_suffix_and_case():
    files = ["x/a.jpg", "y/A.png", "z/a_2.jpg", "C:\\photos\\b.jpg"]
    assert unique_names(files) == ["a.jpg", "A_2.png", "a_2_2.jpg", "b.jpg"]


def test_label_and_positive():
    found = LabelledObject((0, 0, 1, 1), None, {"red": True, "old": False})
    assert (found.label, found.positive) == ("object", ["red"])
