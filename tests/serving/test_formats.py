import io

import numpy as np
import pytest
import torch
from PIL import Image

from ovarnet.serving import formats
from ovarnet.serving.picture_service import Answer, KeptPicture
from ovarnet.serving.schema import DetectQuery, FindQuery, Result
from ovarnet.structures import Detections


@pytest.fixture
def answer(make_png):
    found = Detections(
        torch.tensor([[0.0, 0, 30, 20], [30, 20, 60, 40]]),
        torch.tensor([0.25, 0.75]),
        torch.tensor([[0.5], [0.75]]),
        torch.tensor([[0.125], [0.875]]),
        ["mug"],
        ["red"],
    )
    picture = KeptPicture("k", "7.png", make_png(), 40, 60, found=None)
    return Answer(picture, found, 1, ["color"], ("stripes",))


def test_record_has_the_fields_that_the_schema_describes(answer):
    record = formats.record(answer)
    assert record == {
        "image": "k",
        "file": "7.png",
        "width": 60,
        "height": 40,
        "categories": ["mug"],
        "attributes": ["red"],
        "boxes": [[0, 0, 30, 20], [30, 20, 60, 40]],
        "scores": [0.25, 0.75],
        "category": ["mug", "mug"],
        "category_scores": [[0.5], [0.75]],
        "attribute_scores": [[0.125], [0.875]],
        "attribute_types": ["color"],
        "given": [False, True],
        "unused": ["stripes"],
    }
    assert Result(**record).model_dump() == record


def test_coco_results_take_the_id_of_the_file_name(answer):
    body = formats.response(answer, DetectQuery(format="coco")).body
    assert body.startswith(b'[{"image_id":7,"file_name":"7.png","category_id":1,')


def test_picture_is_what_plot_draws_with_ranks_for_a_phrase(answer, monkeypatch):
    drawn = []

    def plot(_, image, **options):
        drawn.append((image.shape, options))
        return np.zeros((5, 6, 3), np.uint8)

    monkeypatch.setattr(Detections, "plot", plot)
    shown = {"top_attributes": 2, "attribute_threshold": 0.25}
    for query in (
        DetectQuery(format="picture", **shown),
        FindQuery(phrase="mug", format="picture", **shown),
    ):
        response = formats.response(answer, query)
        assert response.media_type == "image/jpeg"
        assert Image.open(io.BytesIO(response.body)).size == (6, 5)
    assert drawn == [((40, 60, 3), {**shown, "ranks": ranks}) for ranks in (None, [2, 1])]


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("photo.jpg", "photo.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\cat.png", "cat.png"),
        ("", "picture"),
        (None, "picture"),
        ("..", ".."),
        ("x" * 90 + ".jpg", "x" * 76 + ".jpg"),
    ],
)
def test_short_name(name, short):
    assert formats.short_name(name) == short
