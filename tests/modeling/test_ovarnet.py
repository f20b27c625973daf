"""The one-pass model with random weights: geometry, batches, words, the heads, and what the build
refuses."""

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from ovarnet.build import build_ovarnet
from ovarnet.config import OvarnetDesign
from ovarnet.modeling.clip.clip import load_clip
from ovarnet.modeling.predictor import Predictor
from ovarnet.modeling.region_model import RegionEmbeddings
from ovarnet.modeling.text.prompts import TemplatePrompts
from ovarnet.vocabulary import Vocabulary

SMALL = {
    "channels": 16,
    "coarser_map": False,
    "short_side": (32, 96),
    "long_side": 128,
    "train_short_sides": [],
    "anchor_sizes": [8, 16, 32, 64],
    "rpn_pre_nms": (60, 60),
    "rpn_post_nms": (30, 30),
    "proposals": 20,
    "roi_size": 4,
    "roi_canonical_size": 40,
    "width": 32,
    "layers": 2,
    "heads": 2,
    "hidden": 32,
}


def templates(_):
    return TemplatePrompts(["a photo of a {}"], ["a {} thing"])


@pytest.fixture(scope="module")
def clip():
    torch.manual_seed(0)
    return load_clip("ovarnet-scenes", None, random_weights=True)


def build(clip, **more):
    torch.manual_seed(1)
    words = Vocabulary.of(categories=["mug", "car"], attributes=["red", "striped"])
    return build_ovarnet(clip, templates, clip, words, OvarnetDesign(**{**SMALL, **more})).eval()


@pytest.fixture(scope="module")
def model(clip):
    return build(clip)


@pytest.fixture(scope="module")
def predictor(model):
    return Predictor(model)


def picture(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)


def test_batch_equals_single(predictor):
    images = [picture(60, 90), picture(64, 96, 1), picture(90, 40, 2)]
    for image, together in zip(images, predictor.detect(images), strict=True):
        alone = predictor.detect(image)
        assert len(alone) == len(together) > 0
        assert torch.allclose(alone.boxes, together.boxes, atol=1e-3)
        assert torch.allclose(alone.category_scores, together.category_scores, atol=1e-4)
        assert torch.allclose(alone.attribute_scores, together.attribute_scores, atol=1e-4)
        assert torch.allclose(alone.scores, together.scores, atol=1e-4)


def test_batch_equals_single_with_given_boxes_and_with_a_phrase(predictor):
    images, boxes = (
        [picture(60, 90), picture(90, 40, 2), picture(64, 96, 1)],
        [[[3, 4, 50, 40]], [[0, 0, 40, 90], [5, 5, 20, 30]], []],
    )
    for image, given, together in zip(
        images, boxes, predictor.detect(images, boxes=boxes), strict=True
    ):
        alone = predictor.detect(image, boxes=given)
        assert together.boxes.tolist() == alone.boxes.tolist() == given
        assert torch.allclose(alone.category_scores, together.category_scores, atol=1e-4)
    for image, together in zip(images, predictor.find(images, "a red mug"), strict=True):
        alone = predictor.find(image, "a red mug")
        assert len(alone) == len(together) > 0
        assert torch.allclose(alone.scores, together.scores, atol=1e-4)


def test_words_are_swapped_without_touching_the_weights(model, predictor):
    image, before = (
        picture(60, 90),
        {name: value.clone() for name, value in model.state_dict().items()},
    )
    first = predictor.detect(image, boxes=[[3, 4, 50, 40]])
    other = predictor.detect(
        image, categories=["teapot", "zebra", "lamp"], attributes=["puce"], boxes=[[3, 4, 50, 40]]
    )
    assert other.category_scores.shape == (1, 3)
    assert other.attribute_scores.shape == (1, 1)
    assert model.state_dict().keys() == before.keys()
    assert all(
        torch.equal(value.nan_to_num(), before[name].nan_to_num())
        for name, value in model.state_dict().items()
    )
    assert torch.equal(
        predictor.detect(image, boxes=[[3, 4, 50, 40]]).category_scores, first.category_scores
    )


def test_an_image_in_which_the_rpn_finds_nothing(model, predictor, monkeypatch):
    monkeypatch.setattr(
        model.rpn,
        "propose",
        lambda _, sizes: ([torch.zeros(0, 4)] * len(sizes), [torch.zeros(0)] * len(sizes)),
    )
    for found in (
        *predictor.detect([picture(60, 90), picture(60, 90, 1)]),
        predictor.find(picture(60, 90), "a red mug"),
    ):
        assert found.boxes.shape == (0, 4)
        assert found.scores.shape == (0,)


def test_at_most_a_hundred_boxes_and_nothing_is_thresholded(model, predictor, clip, monkeypatch):
    apart = torch.tensor([[2.0 * i, 0, 2 * i + 1, 9] for i in range(150)])
    for count, kept in ((150, 100), (40, 40)):
        seen = RegionEmbeddings(
            apart[:count],
            torch.linspace(1e-6, 1, count),
            torch.randn(1, clip.embed_dim).expand(count, -1),
        )
        monkeypatch.setattr(model, "forward", lambda *_, seen=seen: [seen])
        found = predictor.detect(picture(10, 300))
        assert found.boxes.tolist() == apart[:count].flip(0)[:kept].tolist()


def test_neither_order_nor_number_of_words_changes_a_words_score(predictor):
    image, boxes = picture(60, 90), [[3, 4, 50, 40], [20, 10, 80, 55]]
    few = predictor.detect(image, categories=["mug"], attributes=["red"], boxes=boxes)
    many = predictor.detect(
        image,
        categories=["dog", "cat", "mug"],
        attributes=["tiny", "red", "shiny", "old"],
        boxes=boxes,
    )
    assert torch.allclose(few.category_scores[:, 0], many.category_scores[:, 2], atol=1e-6)
    assert torch.allclose(few.attribute_scores[:, 0], many.attribute_scores[:, 1], atol=1e-6)


def test_given_boxes_come_back_as_given_and_found_ones_lie_within_the_image(predictor):
    image, boxes = picture(200, 80), [[10, 150, 70, 190], [0, 0, 80, 200]]
    assert predictor.detect(image, boxes=boxes).boxes.tolist() == boxes
    found = predictor.detect(image).boxes
    assert (found >= 0).all()
    assert (found[:, 2] <= 80).all()
    assert (found[:, 3] <= 200).all()
    assert found[:, 3].max() > 80  # a tall image is not taken for a wide one
    assert len(predictor.detect(image, boxes=np.zeros((0, 4)))) == 0


def test_it_is_its_own_proposer(model):
    """Proposals lie in the original image's frame, best first, and are what `detect` pools before
    it refines them."""
    image = picture(200, 80)
    pixels = torch.from_numpy(image).permute(2, 0, 1) / 255
    [alone], pair = model.propose([pixels]), model.propose([torch.rand(3, 60, 90), pixels])
    assert 0 < len(alone) <= SMALL["proposals"]
    assert torch.equal(pair[1].boxes, alone.boxes)
    assert (alone.boxes >= 0).all()
    assert (alone.boxes[:, 2] <= 80.001).all()
    assert 80 < alone.boxes[:, 3].max() <= 200.001
    assert torch.equal(alone.scores, alone.scores.sort(descending=True).values)
    regions = model([pixels])[0]
    assert torch.allclose(regions.objectness, alone.scores)


def test_a_box_is_pooled_from_where_it_lies(predictor):
    """Changing pixels far outside a box of a large flat image changes its embedding less than
    changing those within."""
    flat = np.full((96, 128, 3), 128, dtype=np.uint8)
    within, outside = flat.copy(), flat.copy()
    within[10:30, 90:120] = picture(20, 30)
    outside[66:86, 5:35] = picture(20, 30)
    scores = [
        predictor.detect(image, boxes=[[90, 10, 120, 30]]).category_scores
        for image in (flat, within, outside)
    ]
    assert (scores[1] - scores[0]).abs().max() > (scores[2] - scores[0]).abs().max()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2000, 7), (33, 65)])
def test_odd_images(predictor, height, width):
    assert len(predictor.detect(picture(height, width), boxes=[[0, 0, width, height]])) == 1
    predictor.detect(picture(height, width))


@pytest.mark.parametrize("square", [False, True])
@pytest.mark.parametrize(
    "head",
    [
        {"head": "attention"},
        {"head": "average"},
        {"head": "clip"},
        {"head": "clip", "clip_source": "c2"},
    ],
)
def test_heads_have_one_interface(clip, head, square):
    assert model_embeds(build(clip, square_regions=square, **head), clip.embed_dim)


def test_from_c2_a_region_that_is_the_image_is_embedded_as_the_crop(clip):
    """Square regions, the whole of a 64-pixel image: the tower's first part on the image, its later
    part on the region."""
    model = build(
        clip,
        head="clip",
        clip_source="c2",
        square_regions=True,
        short_side=(64, 64),
        roi_canonical_size=224,
    )
    image = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        pixels, sizes, _ = model.preprocess([image])
        embedding = model.pool(
            model.extract_features(pixels), [torch.tensor([[1.5, 1.5, 62.5, 62.5]])], sizes
        )[0][0]
        direct = clip.encode_image(pixels)
    assert torch.cosine_similarity(embedding, direct) > 0.95


def model_embeds(model, width):
    with torch.no_grad():
        pixels, sizes, _ = model.preprocess([torch.rand(3, 64, 96)])
        features = model.extract_features(pixels)
        embeddings, deltas = model.pool(features, [torch.tensor([[2.0, 3, 40, 50]])], sizes)
        nothing = model.pool(features, [torch.zeros(0, 4)], sizes)
    return (
        embeddings[0].shape == (1, width)
        and deltas[0].shape == (1, 4)
        and nothing[0][0].shape == (0, width)
    )


def test_the_image_tower_is_kept_once(model, clip):
    assert not any(name.startswith("clip.model.visual") for name in model.state_dict())
    assert any(name.startswith("visual.") for name in clip.model.state_dict())


def test_the_image_goes_through_the_encoder_once(model, predictor):
    passes = []
    hook = model.backbone.trunk.conv1.register_forward_hook(
        lambda module, inputs, output: passes.append(len(output))
    )
    image = picture(60, 90)
    seen = predictor.embed([image, image])
    scored = predictor.score(seen, ["teapot"], ["puce"])
    ranked = predictor.rank(seen, "a red mug")
    hook.remove()
    assert passes == [2]
    alone = predictor.detect(image, ["teapot"], ["puce"])
    assert torch.allclose(scored[1].scores, alone.scores, atol=1e-5)
    assert torch.allclose(ranked[1].scores, predictor.find(image, "a red mug").scores, atol=1e-5)


@torch.no_grad()
def test_forward_of_given_and_of_found_boxes(model, clip):
    image = torch.rand(3, 60, 90, generator=torch.Generator().manual_seed(0))
    boxes = [torch.tensor([[3.0, 4, 50, 40], [0, 0, 90, 60]]), torch.zeros(0, 4)]
    given, none = model([image, image], boxes)
    assert torch.equal(given.boxes, boxes[0])
    assert given.objectness.tolist() == [1, 1]
    assert given.embeddings.shape == (2, clip.embed_dim)
    assert [part.shape for part in none] == [(0, 4), (0,), (0, clip.embed_dim)]

    [found] = model([image])
    assert 0 < len(found.boxes) <= SMALL["proposals"]
    assert found.objectness.tolist() == sorted(found.objectness.tolist(), reverse=True)
    assert found.embeddings.shape == (len(found.boxes), clip.embed_dim)
    [best] = model([image], min_objectness=found.objectness[2].item())
    for name in found._fields:
        torch.testing.assert_close(getattr(best, name), getattr(found, name)[:3])
    [none] = model([image], min_objectness=1.1)
    assert [part.shape for part in none] == [(0, 4), (0,), (0, clip.embed_dim)]
    assert model([]) == []


@pytest.mark.parametrize("precision", ["half", "bfloat16"])
def test_lower_precision_is_close_and_scores_are_float32(model, precision):
    predictor, image, boxes = Predictor(model), picture(200, 80), [[10, 150, 70, 190], [5, 5, 9, 9]]
    full = predictor.detect(image, boxes=boxes)
    found = getattr(predictor, precision)().detect(image, boxes=boxes)
    assert found.boxes.tolist() == boxes
    for name in ("scores", "category_scores", "attribute_scores"):
        assert getattr(found, name).dtype == torch.float32
        assert torch.allclose(getattr(found, name), getattr(full, name), atol=0.05), name
    free = predictor.detect(image)
    assert free.boxes.dtype == torch.float32
    assert len(free) > 0
    assert free.boxes.max() > 80


@torch.no_grad()
def test_forward_is_the_entry_of_flop_counters(model):
    image = torch.rand(3, 64, 96)
    with FlopCounterMode(display=False) as whole:
        model([image])
    with FlopCounterMode(display=False) as encoder:
        model.backbone(model.preprocess([image])[0])
    assert whole.get_total_flops() > encoder.get_total_flops() > 1_000_000
