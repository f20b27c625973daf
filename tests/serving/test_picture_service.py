"""An image passes through the model once, a given box once; words and phrases are scored on that.

The model finds the whole image (objectness 0.9, embedding 2) and its left half (0.1, 0); a given
box has objectness 1 and embedding 2. The logit of word w is embedding - w.
"""

import pytest
import torch
from fake_model import fake_predictor
from starlette.exceptions import HTTPException

from ovarnet.errors import InputError
from ovarnet.modeling.predictor import Predictor
from ovarnet.serving.limits import Limits
from ovarnet.serving.picture_service import PictureService
from ovarnet.serving.schema import DetectQuery, FindQuery
from ovarnet.vocabulary import Vocabulary


def service(**limits):
    made = PictureService(fake_predictor(), Limits(**limits))
    made.passes = []
    forward = made.predictor.model.forward

    def counted(images, boxes=None, *others):
        made.passes.append(None if boxes is None else boxes[0].tolist())
        return forward(images, boxes, *others)

    made.predictor.model.forward = counted
    return made


def sigmoid(value):
    return float(torch.tensor(float(value)).sigmoid())


def test_the_same_image_passes_once(make_png):
    serving = service()
    first, again = (serving.add("a.png", make_png()) for _ in range(2))
    other_name = serving.add("b.png", make_png())
    assert first is again
    assert other_name.key != first.key
    assert (first.file, first.height, first.width) == ("a.png", 40, 60)
    assert serving.passes == [None, None]


def test_the_oldest_image_is_forgotten(make_png):
    serving = service(pictures=2)
    keys = [serving.add(f"{n}.png", make_png()).key for n in range(3)]
    with pytest.raises(HTTPException) as refused:
        serving.picture(keys[0])
    assert (refused.value.status_code, refused.value.detail) == (
        404,
        "the server does not keep this image; send it again",
    )
    assert serving.picture(keys[2]).file == "2.png"


def test_too_many_pixels_are_refused_before_they_are_decoded(make_png, monkeypatch):
    serving = service(pixels=59 * 40)
    monkeypatch.setattr("ovarnet.serving.picture_service.decode", None)
    with pytest.raises(HTTPException) as refused:
        serving.add("a.png", make_png(60, 40))
    assert refused.value.status_code == 413
    assert refused.value.detail == (
        "a.png: 2,400 pixels; the limit of this server is 2,360, scale the image down"
    )


def test_a_name_is_never_opened(tmp_path, make_png):
    file = tmp_path / "secret.png"
    file.write_bytes(make_png())
    with pytest.raises(InputError, match=r"secret\.png: the file is empty"):
        service().add(str(file), b"")


def test_detect_on_the_boxes_found(make_png):
    serving = service()
    picture = serving.add("a.png", make_png())
    answer = serving.detect(picture, DetectQuery(categories=["mug", "car"], attributes=["red"]))
    assert answer.found.boxes.tolist() == [[0, 0, 60, 40]]  # the other one is below 0.3
    assert answer.found.scores[0] == pytest.approx((0.9 * sigmoid(2)) ** 0.5)
    assert answer.found.attribute_scores.tolist() == [[pytest.approx(sigmoid(2))]]
    assert (answer.given, answer.attribute_types, answer.unused) == (0, ["color"], ())

    every = DetectQuery(categories=["mug"], attributes=[], threshold=0, limit=1)
    assert len(serving.detect(picture, every).found) == 1
    assert serving.passes == [None]


def test_given_boxes_come_alone_or_after_those_found_and_pass_once(make_png):
    serving = service()
    picture = serving.add("a.png", make_png())
    boxes = [(0.0, 0.0, 10.0, 10.0), (5.0, 5.0, 20.0, 20.0)]
    alone = serving.detect(picture, DetectQuery(boxes=boxes[:1]))
    assert alone.found.boxes.tolist() == [list(boxes[0])]
    assert alone.given == 1

    both = DetectQuery(boxes=[*boxes, boxes[0]], find_boxes=True, categories=["mug"])
    answer = serving.detect(picture, both)
    assert answer.found.boxes.tolist() == [[0, 0, 60, 40], *map(list, [*boxes, boxes[0]])]
    assert answer.given == 3
    assert answer.found.scores[1] == pytest.approx(sigmoid(2) ** 0.5)
    assert serving.passes == [None, [list(boxes[0])], [list(boxes[1])]]


def test_words_are_encoded_once(make_png, monkeypatch):
    serving = service()
    picture = serving.add("a.png", make_png())
    encode, calls = serving.predictor.encode_vocabulary, []

    def counted(*words):
        calls.append(words)
        return encode(*words)

    monkeypatch.setattr(serving.predictor, "encode_vocabulary", counted)
    for words in (["a"], ["b"], ["a"], None, None):
        serving.detect(picture, DetectQuery(categories=words))
    assert calls == [(["a"], None), (["b"], None), (None, None)]


def test_find_names_what_it_left_out_and_ranks_given_boxes_too(make_png):
    serving = service()
    picture = serving.add("a.png", make_png())
    box = (0.0, 0.0, 10.0, 10.0)
    query = FindQuery(phrase="a red mug without stripes", boxes=[box], find_boxes=True)
    answer = serving.find(picture, query)
    assert (answer.found.categories, answer.found.attributes) == (["mug"], ["red"])
    assert answer.attribute_types == ["color"]
    assert answer.unused == ("stripes",)
    # the left half lies within the whole image, which is better
    assert answer.found.boxes.tolist() == [[0, 0, 60, 40], list(box)]
    assert answer.found.scores[1] > answer.found.scores[0]
    assert len(serving.find(picture, FindQuery(phrase="mug", limit=1)).found) == 1


def test_a_model_without_words_of_its_own_serves(make_png):
    predictor = Predictor(fake_predictor().model, vocabulary=Vocabulary())
    serving = PictureService(predictor, Limits())
    picture = serving.add("a.png", make_png())
    assert serving.detect(picture, DetectQuery(categories=["mug"])).found.categories == ["mug"]
    with pytest.raises(InputError, match="no words to look for"):
        serving.detect(picture, DetectQuery())
