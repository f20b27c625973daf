"""The concept head by hand-made numbers; the trunk's maps; the centred projection of texts."""

import math

import pytest
import torch
import torch.nn.functional as F

from ovarnet.modeling.clip.concept_tower import (
    CentredProjection,
    ConceptHead,
    ConceptTower,
    CropFeatures,
    EfficientNetTrunk,
)


@pytest.fixture(scope="module")
def trunk():
    torch.manual_seed(0)
    return EfficientNetTrunk("tf_efficientnet_lite0")


@pytest.fixture
def head():
    torch.manual_seed(0)
    head = ConceptHead(4, 6, classes=3, learned=2, width=5, hidden=8).eval()
    head.set_concepts(torch.eye(5)[:4])  # three classes and one learned word
    return head


def features(rows=2):
    torch.manual_seed(1)
    return CropFeatures(torch.randn(rows, 4), torch.randn(rows, 6))


def test_an_unused_row_has_probability_zero_and_a_new_one_logit_zero(head):
    logits = head.concept_logits(features(), torch.tensor([[0.0, 1, 2], [3, 4, 5]]))
    assert logits[:, :3].tolist() == [[0, 1, 2], [3, 4, 5]], "the classifier's answers as they are"
    assert logits[:, 3].tolist() == [0, 0]
    assert (logits.softmax(dim=1)[:, 4] == 0).all()


def test_the_concept_part_is_the_mean_text_by_probability(head):
    logits = torch.tensor([[0.0, math.log(3.0), -99, -99, -99]])
    expected = F.normalize(torch.tensor([[0.25, 0.75, 0, 0, 0]]), dim=-1)
    torch.testing.assert_close(head.concept_part(logits), expected)


@torch.no_grad()
def test_the_halves_are_weighted_by_the_balance(head):
    concept, appearance = torch.eye(5)[:1], torch.eye(5)[1:2]
    head.balance.copy_(torch.tensor(0.8).logit())
    joined = head.join(concept, appearance)
    assert joined.norm().item() == pytest.approx(1)
    text = torch.cat([concept, concept], dim=1) / math.sqrt(2)
    assert (joined @ text.T).item() == pytest.approx(math.sqrt(0.8) / math.sqrt(2))


def test_the_normalisations_keep_their_statistics_in_training(head):
    before = head.norm.running_mean.clone()
    head.train()(features(), torch.zeros(2, 3))
    assert torch.equal(head.norm.running_mean, before)
    assert head.rows[0].training, "dropout is on"


def test_no_crops_give_no_embeddings(head):
    assert head(features(0), torch.zeros(0, 3)).shape == (0, 10)


@torch.no_grad()
def test_maps_have_the_strides_of_the_stages(trunk):
    maps = trunk(torch.zeros(1, 3, 64, 96))
    shapes = {name: tuple(value.shape[1:]) for name, value in maps.items()}
    assert shapes == {"c2": (24, 16, 24), "c3": (40, 8, 12), "c4": (112, 4, 6), "c5": (320, 2, 3)}
    assert trunk.channels == {name: shape[0] for name, shape in shapes.items()}


@torch.no_grad()
def test_pooled_features_and_class_logits_are_those_of_the_classifier(trunk):
    pixels = torch.randn(2, 3, 64, 64)
    trunk.eval()
    pooled = trunk.pool(trunk(pixels)).pooled
    torch.testing.assert_close(trunk.net.classifier(pooled), trunk.net(pixels))


@torch.no_grad()
def test_mid_features_are_mean_maximum_and_centre(trunk):
    maps = {name: torch.zeros(1, 1, 7, 7) for name in ("c2", "c3", "c4")}
    maps["c5"] = torch.zeros(1, 320, 7, 7)
    maps["c3"][0, 0, 3, 3] = 49.0
    mid = trunk.pool(maps).mid
    assert mid[0].tolist() == [0, 1, 0, 0, 49, 0, 0, pytest.approx(49 / 9), 0]


def test_batch_norm_of_the_trunk_stays_in_evaluation_mode(trunk):
    assert not trunk.train().net.bn1.training
    trunk.eval()


@torch.no_grad()
def test_the_tower_is_features_then_head(trunk):
    head = ConceptHead(1280, 3 * 176, classes=1000, learned=1, width=5, hidden=8)
    head.set_concepts(F.normalize(torch.randn(1001, 5), dim=-1))
    tower = ConceptTower(trunk, head, 64).eval()
    pixels = torch.randn(2, 3, 64, 64)
    embeddings = tower(pixels)
    torch.testing.assert_close(embeddings, tower.embed(tower.crop_features(pixels)))
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(2))


@torch.no_grad()
def test_texts_are_centred_before_they_are_projected():
    projection = CentredProjection(2)
    projection.mean.copy_(torch.tensor([1.0, 0.0]))
    found = projection(torch.tensor([[0.0, 7.0]]))
    half = [-1 / 2, 1 / 2]  # (0, 1) - (1, 0), of unit length, over the square root of 2
    assert found.tolist() == [pytest.approx([*half, *half])]
