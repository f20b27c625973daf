import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from drawn_detections import detections
from PIL import Image

from ovarnet.drawing.detections import draw
from ovarnet.errors import InputError
from ovarnet.structures import (
    NO_CATEGORY,
    POSITIVE,
    UNKNOWN,
    Annotations,
    Detections,
    Proposals,
    are_fractions,
    as_boxes,
    first_boxes,
)


def annotations(boxes=((0, 0, 4, 2), (1, 1, 3, 2)), **changed):
    fields = {"categories": [1, NO_CATEGORY], "attributes": [[POSITIVE, UNKNOWN, UNKNOWN]] * 2}
    return Annotations("a.jpg", "7", 2, 4, boxes, **{**fields, **changed})


def test_as_boxes():
    assert as_boxes([]).shape == (0, 4)
    assert as_boxes([[1, 2, 3, 4]]).dtype == torch.float32
    with pytest.raises(InputError, match=r"shape \(N, 4\).*got \(4,\)"):
        as_boxes([1, 2, 3, 4])
    with pytest.raises(InputError, match=r"box 1 is .*nan"):
        as_boxes([[0, 0, 1, 1], [0, 0, float("nan"), 1]])


def test_annotations_are_of_equal_length_and_filter_together():
    image = annotations(is_crowd=[False, True], instance_ids=["x", "y"])
    one = image[torch.tensor([False, True])]
    assert len(one) == 1
    assert one.categories.tolist() == [NO_CATEGORY]
    assert one.instance_ids == ["y"]
    assert one.is_crowd.tolist() == [True]
    assert image[[1, 0]].instance_ids == ["y", "x"]
    assert one.attributes.dtype == torch.int8
    assert one.categories.dtype == torch.int64
    assert annotations().instance_ids == ["7:0", "7:1"]
    assert not annotations().is_crowd.any()
    with pytest.raises(
        InputError, match="annotations of image 7: categories has 3 rows but there are 2 boxes"
    ):
        annotations(categories=[0, 0, 0])


def test_difficult_boxes_and_labelled_categories_go_with_the_boxes():
    image = annotations(
        is_crowd=[False, True], is_difficult=[True, False], labelled_categories=[True, False]
    )
    assert image.is_ignored.tolist() == [True, True]
    one = image[[1]]
    assert one.is_difficult.tolist() == [False]
    assert one.labelled_categories.tolist() == [True, False]
    assert annotations().labelled_categories is None
    assert not annotations().is_ignored.any()
    with pytest.raises(InputError, match="is_difficult has 1 rows but there are 2 boxes"):
        annotations(is_difficult=[True])


def test_fractions_of_the_image():
    assert are_fractions([[0.1, 0.2, 0.5, 0.5], [0, 0, 1, 1]])
    for boxes in ([], [[0, 0, 1, 1]], [[0.1, 0.2, 0.5, 1.5]], [[-0.1, 0.2, 0.5, 0.5]]):
        assert not are_fractions(boxes)


def test_the_first_images_with_enough_boxes():
    images = [annotations(), annotations([], categories=[], attributes=torch.zeros(0, 3))] * 2
    assert [len(image) for image in first_boxes(images, 3)] == [2, 0, 2]
    assert first_boxes(images, 0) == []


def test_empty_annotations():
    empty = annotations([], categories=[], attributes=torch.zeros(0, 3))
    assert len(empty) == 0
    assert empty.boxes.shape == (0, 4)
    assert len(empty[[]]) == 0


def test_proposals():
    proposals = Proposals([[0, 0, 1, 1], [0, 0, 2, 2]], [0.9, 0.4])
    assert proposals[:1].scores.tolist() == pytest.approx([0.9])
    assert len(Proposals([], [])) == 0
    with pytest.raises(InputError, match="scores has 1 rows"):
        Proposals([[0, 0, 1, 1], [0, 0, 2, 2]], [0.9])


def test_detections_check_their_columns_and_pick_the_best_category():
    found = Detections(
        [[0, 0, 1, 1], [0, 0, 2, 2]],
        torch.tensor([0.9, 0.4]),
        torch.tensor([[0.1, 0.7], [0.6, 0.2]]),
        torch.zeros(2, 0),
        ["mug", "car"],
    )
    assert found.best_category == ["car", "mug"]
    assert found[1:].best_category == ["mug"]
    assert len(found[[]]) == 0
    with pytest.raises(InputError, match=r"category_scores has shape .* there are 1 words"):
        Detections(
            found.boxes, found.scores, found.category_scores, found.attribute_scores, ["mug"]
        )
    without = Detections(found.boxes, found.scores, torch.zeros(2, 0), torch.zeros(2, 0))
    assert without.best_category == [None, None]


def test_detections_as_plain_data():
    found = detections([[1.004, 2, 11.456, 22]])
    assert found.to_dict() == {
        "categories": ["mug", "car"],
        "attributes": ["red", "striped", "tiny"],
        "boxes": [[1.0, 2.0, 11.46, 22.0]],
        "scores": [0.9],
        "category": ["mug"],
        "category_scores": [[1.0, 0.0]],
        "attribute_scores": [[0.9, 0.6, 0.2]],
    }
    assert json.loads(json.dumps(found.to_dict())) == found.to_dict()
    assert found[:0].to_dict()["boxes"] == []


def test_detections_as_a_table(monkeypatch):
    tables = SimpleNamespace(DataFrame=lambda columns: {"made of": list(columns)})
    monkeypatch.setitem(sys.modules, "pandas", tables)
    found = detections([[0, 0, 1, 1]], categories=("mug",), attributes=("red",))
    assert found.to_pandas() == {
        "made of": [
            "x1",
            "y1",
            "x2",
            "y2",
            "score",
            "category",
            "category_scores.mug",
            "attribute_scores.red",
        ]
    }


def test_detections_draw_themselves_and_cut_themselves_out(tmp_path):
    image = np.zeros((700, 800, 3), np.uint8)
    found = detections([[100, 100, 300, 300], [500, 400, 700, 650]])
    assert np.array_equal(found.plot(image), draw(image, found))
    few = {"top_attributes": 0, "ranks": [2, 1]}
    assert np.array_equal(found.plot(image, **few), draw(image, found, **few))
    assert not image.any()

    found.save(image, tmp_path / "new" / "a.png", **few)
    found.save(image, str(tmp_path / "new" / "a.jpg"))
    assert np.array_equal(np.asarray(Image.open(tmp_path / "new/a.png")), draw(image, found, **few))
    assert Image.open(tmp_path / "new/a.jpg").format == "JPEG"
    assert len(list((tmp_path / "new").iterdir())) == 2

    assert [crop.shape for crop in found.crops(image)] == [(200, 200, 3), (250, 200, 3)]
