"""The two-stage model from an image to scores, with the small CLIP and the scenes proposer (random
weights)."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import normalize

from ovarnet.modeling.clip.clip import load_clip
from ovarnet.modeling.clip_attr import ClipAttr, encode_boxes, encode_crops
from ovarnet.modeling.crops import crop_boxes
from ovarnet.modeling.predictor import Predictor
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.prompts import TemplatePrompts
from ovarnet.proposals.detector import scenes_proposer
from ovarnet.proposals.from_file import FileProposals
from ovarnet.structures import Proposals
from ovarnet.vocabulary import Vocabulary

WORDS = Vocabulary.of(["mug", "car", "star"], ["red", "striped"])
BOXES = [[10.0, 20.0, 60.0, 50.0], [0.0, 0.0, 120.0, 100.0], [50.0, 40.0, 51.0, 41.0]]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    clip = load_clip("ovarnet-scenes", None, random_weights=True)
    proposer = scenes_proposer(clip)
    classifier = TextClassifier(
        clip, TemplatePrompts(["a photo of a {}."], ["a photo of a {} object."])
    )
    classifier.calibrate("category", 5.0, -1.0)
    classifier.calibrate("attribute", 5.0, -1.0)
    return ClipAttr(clip, classifier, proposer, WORDS, crop_batch=16, proposals=30)


@pytest.fixture(scope="module")
def predictor(model):
    return Predictor(model)


def picture(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def same(first, second):
    assert len(first) == len(second)
    for name in ("boxes", "scores", "category_scores", "attribute_scores"):
        assert torch.allclose(getattr(first, name), getattr(second, name), atol=1e-4), name


def test_made_in_evaluation_mode(model):
    assert not any(module.training for module in model.modules())


def test_encode_boxes_is_clip_on_the_crops_whatever_the_batches(model):
    images = [torch.rand(3, 112, 150), torch.rand(3, 200, 130), torch.rand(3, 20, 30)]
    boxes = [
        torch.tensor(BOXES).repeat(7, 1),
        torch.zeros(0, 4),
        torch.tensor([[0.0, 0.0, 30.0, 20.0]]),
    ]
    with torch.no_grad():
        embeddings = encode_boxes(model.clip, images, boxes, batch=16)
        assert [tuple(rows.shape) for rows in embeddings] == [(21, 128), (0, 128), (1, 128)]
        for image, rows, expected in zip(images, boxes, embeddings, strict=True):
            crops = crop_boxes(image, rows, model.clip.image_size, model.clip.mean, model.clip.std)
            assert torch.allclose(model.clip.encode_image(crops), expected, atol=1e-5)


def test_box_given_scores_by_hand(model, predictor):
    image = picture(100, 130)
    found = predictor.detect(image, boxes=BOXES)
    crops = crop_boxes(
        torch.from_numpy(image).permute(2, 0, 1) / 255,
        torch.tensor(BOXES),
        64,
        model.clip.mean,
        model.clip.std,
    )
    with torch.no_grad():
        features = normalize(model.clip.encode_image(crops), dim=1)
        texts = normalize(
            model.clip.encode_text(
                [f"a photo of a {word} object." for word in WORDS.attribute_names]
            ),
            dim=1,
        )
    assert torch.allclose(found.attribute_scores, (5 * features @ texts.T - 1).sigmoid(), atol=1e-5)
    assert found.boxes.tolist() == BOXES
    assert found.category_scores.shape == (3, 3)


def test_box_free_gives_ranked_boxes_within_the_image(predictor):
    found = predictor.detect(picture(112, 180))
    assert 0 < len(found) <= 30
    assert (found.scores.diff() <= 0).all()
    assert found.boxes.min() >= 0
    assert found.boxes[:, 2].max() <= 180
    assert found.boxes[:, 3].max() <= 112
    assert found.category_scores.min() >= 0
    assert found.category_scores.max() <= 1


def test_batch_equals_single(predictor):
    images = [
        picture(112, 180, 1),
        picture(200, 140, 2),
        picture(300, 400, 3),
        picture(40, 60, 4),
        picture(112, 176, 5),
    ]
    for image, together in zip(images, predictor.detect(images), strict=True):
        same(predictor.detect(image), together)


def test_batch_equals_single_with_given_boxes(predictor):
    images = [picture(112, 180, 1), picture(200, 140, 2)]
    boxes = [BOXES, [[5.0, 5.0, 90.0, 190.0]]]
    for image, rows, together in zip(
        images, boxes, predictor.detect(images, boxes=boxes), strict=True
    ):
        same(predictor.detect(image, boxes=rows), together)


def test_a_score_does_not_depend_on_the_other_words(predictor):
    image = picture(100, 130)
    alone = predictor.detect(image, categories=["car"], attributes=["striped"], boxes=BOXES)
    among = predictor.detect(
        image,
        categories=["mug", "car", "a grey bicycle"],
        attributes=["matte", "red", "striped"],
        boxes=BOXES,
    )
    assert torch.allclose(alone.category_scores[:, 0], among.category_scores[:, 1], atol=1e-6)
    assert torch.allclose(alone.attribute_scores[:, 0], among.attribute_scores[:, 2], atol=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (20, 20000), (20000, 20)])
def test_images_of_extreme_shape(predictor, size):
    found = predictor.detect(picture(*size))
    assert (found.boxes >= 0).all()
    assert (found.boxes <= torch.tensor([size[1], size[0]] * 2)).all()
    whole = predictor.detect(picture(*size), boxes=[[0, 0, size[1], size[0]]])
    assert whole.attribute_scores.isfinite().all()
    assert len(whole) == 1


def test_image_without_a_proposal(model):
    class Blind:
        provenance = "sees nothing"

        def propose(self, images, names=None):
            return [Proposals(torch.zeros(0, 4), torch.zeros(0)) for _ in images]

    blind = ClipAttr(model.clip, model.classifier, Blind(), WORDS)
    found = Predictor(blind).detect([picture(60, 80), picture(80, 60)])
    assert [len(one) for one in found] == [0, 0]
    assert found[0].category_scores.shape == (0, 3)
    assert found[0].attribute_scores.shape == (0, 2)


def test_precomputed_proposals_are_found_by_the_path(model, tmp_path):
    Image.fromarray(picture(100, 130)).save(tmp_path / "a.png")
    (tmp_path / "proposals.json").write_text(json.dumps({"a.png": [[*box, 0.5] for box in BOXES]}))
    from_file = ClipAttr(
        model.clip, model.classifier, FileProposals(tmp_path / "proposals.json"), WORDS
    )
    found = Predictor(from_file).detect(tmp_path / "a.png", categories=[])
    assert sorted(found.boxes.tolist()) == sorted(BOXES)
    assert found.scores.tolist() == [0.5] * 3


def test_the_crops_go_through_the_encoder_once(model, predictor):
    passes = []
    hook = model.clip.model.visual.register_forward_hook(
        lambda module, inputs, output: passes.append(len(output))
    )
    seen = predictor.embed(picture(112, 150), BOXES)
    first, other = predictor.score(seen), predictor.score(seen, ["teapot"], ["puce"])
    hook.remove()
    assert passes == [3]
    same(first, predictor.detect(picture(112, 150), boxes=BOXES))
    same(other, predictor.detect(picture(112, 150), ["teapot"], ["puce"], boxes=BOXES))


@torch.no_grad()
def test_forward_of_given_and_of_found_boxes(model):
    image = torch.rand(3, 112, 150, generator=torch.Generator().manual_seed(0))
    given, none = model([image, image], [torch.tensor(BOXES), torch.zeros(0, 4)])
    assert given.boxes.tolist() == BOXES
    assert given.objectness.tolist() == [1, 1, 1]
    expected = encode_boxes(model.clip, [image], [torch.tensor(BOXES)])[0]
    assert torch.allclose(given.embeddings, expected, atol=1e-5)
    assert [part.shape for part in none] == [(0, 4), (0,), (0, 128)]

    [found] = model([image])
    proposals = model.proposer.propose([image])[0]
    assert torch.equal(found.boxes, proposals.boxes[:30]), "the model takes the best 30"
    assert torch.equal(found.objectness, proposals.scores[:30])
    [best] = model([image], min_objectness=found.objectness[4].item())
    for name in found._fields:
        torch.testing.assert_close(getattr(best, name), getattr(found, name)[:5])
    assert model([]) == []


def test_crops_below_the_threshold_are_not_encoded_and_the_result_is_the_same(model):
    objectness = torch.linspace(1.0, 0.001, 10)
    boxes = torch.tensor([[8.0 * row, 5.0, 8.0 * row + 40, 60.0] for row in range(10)])

    class Graded:
        provenance = "ten boxes"

        def propose(self, images, names=None):
            return [Proposals(boxes, objectness) for _ in images]

    predictor = Predictor(ClipAttr(model.clip, model.classifier, Graded(), WORDS))
    passes = []
    hook = model.clip.model.visual.register_forward_hook(
        lambda module, inputs, output: passes.append(len(output))
    )
    images = [picture(112, 150), picture(130, 140, 1)]
    every = predictor.detect(images)
    threshold = every[0].scores[2].item()
    some = predictor.detect(images, threshold=threshold)
    nothing = predictor.detect(images, threshold=1.0)
    hook.remove()
    # a score is at most the root of the objectness
    enough = int((objectness >= threshold**2).sum())
    assert 0 < enough < 10
    assert passes == [20, 2 * enough, 2], "the first box has objectness 1"
    assert [len(one) for one in nothing] == [0, 0]
    for one, found in zip(every, some, strict=True):
        same(one[one.scores >= threshold], found)


@torch.no_grad()
def test_crops_are_encoded_in_order_whatever_the_batch(model):
    crops = torch.randn(5, 3, 64, 64)
    assert torch.allclose(encode_crops(model.clip, crops, batch=2), model.clip(crops), atol=1e-5)
    assert encode_crops(model.clip, crops[:0]).shape == (0, 128)


@pytest.mark.parametrize("precision", ["half", "bfloat16"])
def test_lower_precision_is_close_and_scores_are_float32(model, precision):
    predictor, image = Predictor(model), picture(112, 150)
    full = predictor.detect(image, boxes=BOXES)
    found = getattr(predictor, precision)().detect(image, boxes=BOXES)
    assert found.boxes.tolist() == BOXES
    for name in ("scores", "category_scores", "attribute_scores"):
        assert getattr(found, name).dtype == torch.float32
        assert torch.allclose(getattr(found, name), getattr(full, name), atol=0.02), name
    assert next(model.parameters()).dtype == torch.float32


def test_boxes_are_proposed_in_float32_under_autocast(model):
    image = torch.rand(3, 112, 150, generator=torch.Generator().manual_seed(0))
    [alone] = model.proposer.propose([image])
    with torch.autocast("cpu", torch.bfloat16):
        [under] = model.proposer.propose([image])
    assert torch.equal(alone.boxes, under.boxes)
    assert torch.equal(alone.scores, under.scores)
