"""Scores, suppression, words, precision, and the two halves of a detection, on known regions."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from ovarnet.errors import InputError
from ovarnet.io.word_thresholds import WordThresholds
from ovarnet.modeling.predictor import Predictor
from ovarnet.modeling.region_model import RegionEmbeddings, RegionModel
from ovarnet.modeling.score_calibration import ScoreCalibration
from ovarnet.vocabulary import Vocabulary, Word

LOGITS = {
    "mug": 0,
    "car": 1,
    "red": 2,
    "striped": 3,
}  # column of a region's embedding that is the logit of a word


class FakeClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.asked = []

    def embed(self, words, kind):
        self.asked.append((kind, [(word.name, word.parent) for word in words]))
        return [LOGITS[word.name] for word in words]

    def encode_vocabulary(self, words):
        return SimpleNamespace(
            words=words,
            categories=self.embed(words.categories, "category"),
            attributes=self.embed(words.attributes, "attribute"),
        )

    def logits(self, regions, vocabulary):
        return regions[:, vocabulary.categories], regions[:, vocabulary.attributes]


class Regions(RegionModel):
    """Finds `found` in every image; given boxes get their x1 as the logit of every word."""

    def __init__(self, found=None):
        vocabulary = Vocabulary.of(
            [Word("mug", "kitchen"), "car"], [Word("red", "colour"), "striped"]
        )
        super().__init__(FakeClassifier(), vocabulary)
        self.found, self.batches = found, []
        self.eval()

    def forward(self, images, boxes=None, names=None, min_objectness=0.0):
        self.batches.append(
            SimpleNamespace(images=images, names=names, min_objectness=min_objectness)
        )
        if boxes is None:
            return [self.found] * len(images)
        return [
            RegionEmbeddings(rows, torch.ones(len(rows)), rows[:, :1].expand(-1, 4))
            for rows in boxes
        ]


def FakeModel(found=None, **settings):  # noqa: N802
    return Predictor(Regions(found), **settings)


def logit(probability):
    return torch.tensor(probability).logit()


def regions(*rows):
    """Rows of (box, objectness, probabilities of mug, car, red, striped)."""
    return RegionEmbeddings(
        torch.tensor([row[0] for row in rows], dtype=torch.float32).reshape(-1, 4),
        torch.tensor([row[1] for row in rows]),
        logit([row[2] for row in rows]).reshape(-1, 4),
    )


A, A_SHIFTED, B = [0, 0, 10, 10], [1, 0, 11, 10], [30, 30, 50, 40]  # IoU of the first two: 90 / 110
PICTURE = np.zeros((60, 80, 3), dtype=np.uint8)
TWO_MUGS_AND_A_CAR = regions(
    (A, 0.5, [0.32, 0.1, 0.9, 0.2]),
    (A_SHIFTED, 0.9, [0.9, 0.2, 0.6, 0.3]),
    (B, 0.25, [0.3, 0.64, 0.1, 0.4]),
    (A, 0.8, [0.1, 0.2, 0.7, 0.5]),
)


def test_scores_and_class_aware_suppression():
    found = FakeModel(TWO_MUGS_AND_A_CAR).detect(PICTURE, class_agnostic=False)
    assert found.categories == ["mug", "car"]
    assert found.attributes == ["red", "striped"]
    assert found.scores.tolist() == pytest.approx(
        [0.9, 0.4, 0.4]
    )  # sqrt(.9 * .9), sqrt(.25 * .64), sqrt(.8 * .2)
    assert sorted(map(tuple, found.boxes.tolist())) == sorted(
        [tuple(A_SHIFTED), tuple(B), tuple(A)]
    )
    assert found.best_category == ["mug", "car", "car"]
    assert found.category_scores[0].tolist() == pytest.approx([0.9, 0.2])
    assert found.attribute_scores[0].tolist() == pytest.approx([0.6, 0.3])
    assert found.boxes.dtype == torch.float32


@pytest.mark.parametrize(
    ("categories", "options", "least"),
    [
        (None, {}, 0.0),
        (None, {"threshold": 0.6}, 0.64),  # calibrated, 0.8 becomes 0.6
        ([], {"threshold": 0.6}, 0.6),  # the score of a box is its objectness
        (None, {"threshold": 0.9, "word_thresholds": WordThresholds({"car": 0.6})}, 0.64),
        (["mug"], {"threshold": 1.0}, 1.0),
    ],
)
def test_what_stays_below_the_threshold_is_not_embedded(categories, options, least):
    model = FakeModel(TWO_MUGS_AND_A_CAR)
    # logit(0.8) = log 4 becomes log 1.5
    model.model.score_calibration = ScoreCalibration(1.0, math.log(1.5 / 4))
    model.detect(PICTURE, categories, **options)
    assert model.model.batches[0].min_objectness == pytest.approx(least, abs=2e-5)
    assert model.model.batches[0].min_objectness < least


def test_the_model_calibrates_scores_of_found_boxes_alone():
    """Scale 2: .9 becomes .81 / (.81 + .01), and .4 becomes .16 / (.16 + .36)."""
    predictor = FakeModel(TWO_MUGS_AND_A_CAR)
    given = predictor.detect(PICTURE, boxes=[A]).scores
    predictor.model.score_calibration = ScoreCalibration(2.0, 0.0)
    found = predictor.detect(PICTURE, class_agnostic=False)
    assert found.scores.tolist() == pytest.approx([0.81 / 0.82, 0.16 / 0.52, 0.16 / 0.52])
    assert found.category_scores[0].tolist() == pytest.approx([0.9, 0.2])
    assert predictor.detect(PICTURE, boxes=[A]).scores.tolist() == given.tolist()
    # without categories the score is the objectness
    assert predictor.detect(PICTURE, categories=[]).scores.max() == pytest.approx(0.9)


def test_boxes_overlap_as_much_as_was_chosen_for_the_model():
    model = FakeModel(TWO_MUGS_AND_A_CAR).model
    model.nms_iou = 0.9
    assert len(Predictor(model).detect(PICTURE, class_agnostic=False)) == 4
    assert len(Predictor(model, nms_iou=0.5).detect(PICTURE, class_agnostic=False)) == 3


def test_a_call_says_which_boxes_it_wants():
    """The car at A, sqrt(.8 * .2), overlaps the mug at A_SHIFTED by 90 / 110."""
    predictor = FakeModel(TWO_MUGS_AND_A_CAR)
    seen = predictor.embed(PICTURE)
    for options, boxes in (
        ({}, [A_SHIFTED, B]),
        ({"class_agnostic": False, "nms_iou": 0.9}, [A_SHIFTED, A, B, A]),
        ({"nms_iou": 0.9}, [A_SHIFTED, A, B]),
        ({"class_agnostic": True, "nms_iou": 0.9}, [A_SHIFTED, A, B]),
        ({"threshold": 0.401}, [A_SHIFTED]),
        ({"limit": 1}, [A_SHIFTED]),
    ):
        found = predictor.detect(PICTURE, **options)
        assert sorted(found.boxes.tolist()) == sorted(boxes), options
        same(found, predictor.score(seen, **options))
        assert len(predictor.detect(PICTURE, boxes=[A, A, B], **options)) == 3

    given = Predictor(predictor.model, limit=1, class_agnostic=False)
    assert (len(given.detect(PICTURE)), len(given.detect(PICTURE, limit=9))) == (1, 3)
    with pytest.raises(InputError, match="nms_iou is 0; it must be above 0 and at most 1"):
        Predictor(predictor.model, nms_iou=0)
    with pytest.raises(InputError, match="limit is 0"):
        predictor.detect(PICTURE, limit=0)
    with pytest.raises(InputError, match="limit is 0"):
        predictor.score(seen, limit=0)
    with pytest.raises(TypeError, match="iou"):
        predictor.detect(PICTURE, iou=0.5)


def test_a_call_of_the_predictor_is_detect():
    predictor = FakeModel(TWO_MUGS_AND_A_CAR)
    same(predictor(PICTURE), predictor.detect(PICTURE))
    words = (["car"], ["striped"])
    same(predictor(PICTURE, *words, limit=1), predictor.detect(PICTURE, *words, limit=1))
    assert len(predictor([PICTURE] * 2)) == 2


def test_only_attributes_ranks_by_objectness_and_suppresses_across_classes():
    found = FakeModel(TWO_MUGS_AND_A_CAR).detect(PICTURE, categories=[])
    assert found.boxes.tolist() == [A_SHIFTED, B]
    assert found.scores.tolist() == pytest.approx([0.9, 0.25])
    assert found.category_scores.shape == (2, 0)
    assert found.attribute_scores.shape == (2, 2)


def test_only_categories():
    found = FakeModel(TWO_MUGS_AND_A_CAR).detect(PICTURE, attributes=[])
    assert found.attribute_scores.shape == (2, 0)
    assert len(found) == 2


def test_columns_come_in_the_order_asked():
    found = FakeModel(regions((B, 1.0, [0.3, 0.6, 0.1, 0.4]))).detect(
        PICTURE, categories=["car", "mug"], attributes=["striped"]
    )
    assert found.category_scores.tolist()[0] == pytest.approx([0.6, 0.3])
    assert found.attribute_scores.tolist()[0] == pytest.approx([0.4])


def test_a_score_does_not_depend_on_the_other_words():
    model = FakeModel(regions((B, 1.0, [0.3, 0.6, 0.1, 0.4])))
    both, one = (
        model.detect(PICTURE),
        model.detect(PICTURE, categories=["mug"], attributes=["striped"]),
    )
    assert one.category_scores[0, 0] == both.category_scores[0, 0]
    assert one.attribute_scores[0, 0] == both.attribute_scores[0, 1]


def test_softmax_over_the_words_asked():
    model = FakeModel(regions((B, 1.0, [0.5, 0.8, 0.1, 0.4])), category_activation="softmax")
    found = model.detect(PICTURE)
    assert found.category_scores.tolist()[0] == pytest.approx([0.2, 0.8])  # odds 1 and 4
    assert found.attribute_scores.tolist()[0] == pytest.approx([0.1, 0.4])


def test_at_most_limit_boxes():
    rows = [([20 * i, 0, 20 * i + 9, 9], 0.1 * i, [0.5] * 4) for i in range(1, 4)]
    assert FakeModel(regions(*rows), limit=2).detect(PICTURE).boxes[:, 0].tolist() == [60, 40]


def test_image_without_a_proposal():
    found = FakeModel(regions()).detect(PICTURE)
    assert len(found) == 0
    assert found.category_scores.shape == (0, 2)
    assert found.attribute_scores.shape == (0, 2)


def test_given_boxes_keep_order_and_count_without_suppression():
    boxes = [[2, 0, 12, 10], [1, 0, 11, 10], [1, 0, 11, 10], [3, 0, 13, 10]]
    found = FakeModel().detect(PICTURE, boxes=boxes)
    assert found.boxes.tolist() == boxes
    assert torch.allclose(found.category_scores[:, 0], torch.tensor([2.0, 1, 1, 3]).sigmoid())
    assert torch.allclose(found.scores, torch.tensor([2.0, 1, 1, 3]).sigmoid().sqrt())


@pytest.mark.parametrize("boxes", [[], np.zeros((0, 4)), torch.zeros(0, 4)])
def test_no_boxes_given(boxes):
    assert len(FakeModel().detect(PICTURE, boxes=boxes)) == 0


def test_a_bad_box_in_a_list_names_its_image(tmp_path):
    Image.fromarray(PICTURE).save(tmp_path / "b.png")
    with pytest.raises(InputError, match=r"b\.png: box 0 .* inverted"):
        FakeModel().detect([PICTURE, tmp_path / "b.png"], boxes=[[], [[5, 0, 4, 5]]])
    with pytest.raises(InputError, match=r"image 1: box 0 .* inverted"):
        FakeModel().detect([PICTURE, PICTURE], boxes=[[], [[5, 0, 4, 5]]])


def test_words_take_their_parent_from_the_model():
    model = FakeModel(regions())
    model.detect(PICTURE, categories=["mug"])
    assert model.model.classifier.asked == [
        ("category", [("mug", "kitchen")]),
        ("attribute", [("red", "colour"), ("striped", "other")]),
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"categories": [], "attributes": []}, "no words"),
        ({"categories": ["mug", "mug"]}, "given twice"),
        ({"attributes": ["red", " "]}, "empty"),
        ({"attributes": "red"}, "list of words"),
        ({"categories": 5}, "categories: got int; give a list of words"),
        ({"categories": ["x" * 300]}, "300 characters"),
    ],
)
def test_bad_words(words, message):
    with pytest.raises(InputError, match=message):
        FakeModel(regions()).detect(PICTURE, **words)


def test_a_model_without_words_of_its_own_needs_words():
    model = FakeModel(regions())
    model.vocabulary = Vocabulary()
    with pytest.raises(InputError, match="no words"):
        model.detect(PICTURE)
    assert len(model.detect(PICTURE, attributes=["red"])) == 0


def test_refuses_training_mode_and_unknown_activation():
    with pytest.raises(RuntimeError, match="eval"):
        Predictor(Regions(regions()).train()).detect(PICTURE)
    with pytest.raises(InputError, match="softmax"):
        FakeModel(category_activation="relu")


def same(first, second):
    assert first.categories == second.categories
    assert first.attributes == second.attributes
    for name in ("boxes", "scores", "category_scores", "attribute_scores"):
        assert torch.equal(getattr(first, name), getattr(second, name)), name


WORDS = {"categories": ["car", "mug"], "attributes": ["striped"]}


@pytest.mark.parametrize("boxes", [None, [[2, 0, 12, 10], [1, 0, 11, 10], [1, 0, 11, 10]]])
def test_an_embedded_image_scores_as_detect_without_a_second_pass(boxes):
    predictor = FakeModel(TWO_MUGS_AND_A_CAR)
    seen = predictor.embed(PICTURE, boxes)
    passes = len(predictor.model.batches)
    scored = [predictor.score(seen), predictor.score(seen, **WORDS)]
    assert len(predictor.model.batches) == passes == 1
    for found, words in zip(scored, ({}, WORDS), strict=True):
        same(found, predictor.detect(PICTURE, boxes=boxes, **words))


def test_several_embedded_images_score_as_a_list():
    predictor = FakeModel(TWO_MUGS_AND_A_CAR)
    seen = predictor.embed([PICTURE] * 3, batch_size=2)
    assert [len(batch.images) for batch in predictor.model.batches] == [2, 1]
    scored = predictor.score(seen, **WORDS)
    assert len(scored) == 3
    same(scored[2], predictor.detect(PICTURE, **WORDS))
    assert predictor.embed([]) == predictor.score([]) == []


def test_an_array_with_a_batch_dimension_is_several_images():
    predictor = FakeModel(regions((B, 1.0, [0.5] * 4)))
    assert len(predictor.detect(np.stack([PICTURE] * 3))) == 3
    assert len(predictor.detect(torch.zeros(2, 3, 60, 80), boxes=[[], [[0, 0, 5, 5]]])) == 2


def test_words_are_encoded_once_for_any_number_of_images():
    predictor = FakeModel(TWO_MUGS_AND_A_CAR)
    words = predictor.encode_vocabulary(**WORDS)
    encoded = len(predictor.model.classifier.asked)
    found = [predictor.detect(PICTURE, vocabulary=words) for _ in range(3)]
    found.append(predictor.score(predictor.embed(PICTURE), vocabulary=words))
    assert len(predictor.model.classifier.asked) == encoded == 2
    for one in found:
        same(one, predictor.detect(PICTURE, **WORDS))
    with pytest.raises(InputError, match="words or an encoded vocabulary, not both"):
        predictor.detect(PICTURE, attributes=["red"], vocabulary=words)
    with pytest.raises(InputError, match="not encoded; give what encode_vocabulary returns"):
        predictor.detect(PICTURE, vocabulary=predictor.vocabulary)


def test_the_batch_size_is_what_it_says():
    predictor = FakeModel(regions((B, 1.0, [0.5] * 4)))
    predictor.detect([PICTURE] * 19, batch_size=16)
    assert [len(batch.images) for batch in predictor.model.batches] == [16, 3]


def test_words_of_ones_own_take_the_place_of_the_models():
    model = Regions(regions((B, 1.0, [0.3, 0.6, 0.1, 0.4])))
    predictor = Predictor(model, vocabulary=Vocabulary.of(["car"], ["red"]))
    assert predictor.detect(PICTURE).categories == ["car"]
    assert Predictor(model).detect(PICTURE).categories == ["mug", "car"]


def test_only_the_three_precisions_and_devices_that_exist():
    predictor = FakeModel()
    assert predictor.half().dtype == torch.float16
    assert predictor.bfloat16().dtype == torch.bfloat16
    assert predictor.float().dtype == torch.float32
    assert predictor.to(torch.float16) is predictor.to("cpu", torch.float16) is predictor
    assert predictor.dtype == torch.float16
    assert predictor.device == torch.device("cpu")
    with pytest.raises(InputError, match=r"torch\.float64 is not supported; choose float32"):
        predictor.to(dtype=torch.float64)
    with pytest.raises(InputError, match="device 'warp' cannot be used here"):
        predictor.to("warp")


def test_weights_in_another_precision_are_refused_in_a_line():
    predictor = FakeModel(regions())
    predictor.model.half()
    with pytest.raises(InputError, match=r"weights are torch\.float16, .* use predictor\.half\(\)"):
        predictor.detect(PICTURE)


def test_embeddings_that_are_not_finite_are_refused():
    broken = regions((B, 1.0, [0.5] * 4))
    broken.embeddings[0, 2] = float("nan")
    predictor = FakeModel(broken)
    with pytest.raises(InputError, match=r"image: .* not finite; its weights are damaged"):
        predictor.detect(PICTURE)
    with pytest.raises(InputError, match="float16 may be too narrow for it, use bfloat16"):
        predictor.half().detect(PICTURE)
