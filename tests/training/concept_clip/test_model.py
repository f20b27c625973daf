"""Losses of the concept head, by hand-made targets; what is trained and what is not."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ovarnet.config import ConceptLossWeights
from ovarnet.structures import NEGATIVE, POSITIVE, UNKNOWN
from ovarnet.training.concept_clip.data import ConceptBatch
from ovarnet.training.concept_clip.model import SMALLEST_DEVIATION, ConceptModel, set_statistics
from ovarnet.training.concept_clip.texts import joint_embeddings

CLASSES, BASE = 1000, 2


def features(words, templates, width, seed):
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(words, templates, width, generator=generator), dim=-1)


def make(photo_clip, **weights):
    torch.manual_seed(0)
    clip, width = copy.deepcopy(photo_clip), photo_clip.embed_dim // 2
    concepts = features(CLASSES + BASE, 1, width, 1)
    clip.model.visual.head.set_concepts(concepts.mean(dim=1))
    return ConceptModel(
        clip,
        concepts,
        features(3, 2, width, 2),
        features(5, 1, width, 3),
        ConceptLossWeights(**weights),
        classifier_share=0.25,
    ).eval()


def batch(counts=(2, 2, 1, 3), labels=POSITIVE):
    detection, attributes, background, captions = counts
    generator = torch.Generator().manual_seed(4)
    return ConceptBatch(
        torch.randn(sum(counts), 1280, generator=generator),
        torch.randn(sum(counts), 3 * 176, generator=generator),
        torch.tensor([1, 0])[:detection],
        torch.full((attributes, 3), labels, dtype=torch.int8),
        torch.tensor([4, 0, 2])[:captions],
        background,
    )


def test_targets_share_between_the_category_and_the_classifiers_answer(photo_clip):
    answers = torch.full((2, CLASSES), -1e4)
    answers[0, 7], answers[1, 8], answers[1, 9] = 0.0, math.log(3.0), 0.0
    targets = make(photo_clip).targets(answers, torch.tensor([1, 0]))
    assert targets.shape == (2, CLASSES + BASE)
    expected = torch.zeros(2, CLASSES + BASE)
    expected[0, 7], expected[0, CLASSES + 1] = 0.25, 0.75
    expected[1, 8], expected[1, 9], expected[1, CLASSES] = 0.1875, 0.0625, 0.75
    torch.testing.assert_close(targets, expected)


def test_without_a_category_the_target_is_the_classifiers_answer(photo_clip):
    answers = torch.randn(3, CLASSES)
    targets = make(photo_clip).targets(answers, None)
    torch.testing.assert_close(targets[:, :CLASSES], answers.softmax(dim=1))
    assert targets[:, CLASSES:].tolist() == [[0.0] * BASE] * 3


def cross_entropy(logits, targets):
    return -(targets * logits.log_softmax(dim=1)).sum(dim=1).mean()


@torch.no_grad()
def test_losses_by_their_definition(photo_clip):
    model, given = make(photo_clip), batch()
    losses = model(given)
    assert list(losses) == ["categories", "attributes", "background", "captions"]

    answers = model.classifier(given.pooled)
    embeddings = model.head(given.features, answers)
    words = [
        joint_embeddings(model.projection, part) for part in (model.concepts, model.attributes)
    ]
    captions = joint_embeddings(model.projection, model.captions)[[4, 0, 2]]
    scale = model.scale.exp()
    logits = model.head.concept_logits(given.features, answers)[:, : CLASSES + BASE]
    for name, rows, categories in (
        ("categories", slice(0, 2), given.categories),
        ("background", slice(4, 5), None),
    ):
        targets = model.targets(answers[rows], categories)
        by_name = scale * embeddings[rows] @ words[0].T
        expected = cross_entropy(logits[rows], targets) + cross_entropy(by_name, targets)
        torch.testing.assert_close(losses[name], expected)

    cosines = embeddings[2:4] @ words[1].T
    assert model.attribute_bias.item() == -3
    expected = -(model.attribute_scale.exp() * cosines - 3).sigmoid().log().mean()
    torch.testing.assert_close(losses["attributes"], expected)

    pairs = scale * embeddings[5:] @ captions.T
    expected = (cross_entropy(pairs, torch.eye(3)) + cross_entropy(pairs.T, torch.eye(3))) / 2
    torch.testing.assert_close(losses["captions"], expected)


@torch.no_grad()
def test_unknown_labels_do_not_count(photo_clip):
    model = make(photo_clip)
    assert model(batch(labels=UNKNOWN))["attributes"].item() == 0
    assert model(batch(labels=NEGATIVE))["attributes"].item() > 0


@torch.no_grad()
def test_weights_multiply_the_losses(photo_clip):
    once = make(photo_clip)(batch())
    weighted = make(photo_clip, categories=2.0, attributes=0.0, background=3.0, captions=0.5)(
        batch()
    )
    for name, factor in zip(once, (2.0, 0.0, 3.0, 0.5), strict=True):
        torch.testing.assert_close(weighted[name], factor * once[name])


@pytest.mark.parametrize("absent", range(4))
def test_a_source_that_is_not_in_the_batch_has_no_loss(photo_clip, absent):
    counts = [0 if place == absent else count for place, count in enumerate((2, 2, 1, 3))]
    model = make(photo_clip).train()
    losses = model(batch(counts))
    assert [value.item() == 0 for value in losses.values()] == [n == absent for n in range(4)]
    sum(losses.values()).backward()
    assert model.head.balance.grad.isfinite()


def test_the_head_the_learned_half_and_the_temperatures_are_trained(photo_clip):
    model = make(photo_clip).train()
    trained = {name.split(".")[0] for name, p in model.named_parameters() if p.requires_grad}
    assert trained == {"head", "projection", "scale", "attribute_scale", "attribute_bias"}
    sum(model(batch()).values()).backward()
    grads = {name for name, p in model.named_parameters() if p.grad is not None and p.grad.any()}
    assert {"projection.appearance.weight", "head.balance", "scale", "attribute_bias"} <= grads
    assert model.head.rows[-1].weight.grad[BASE:].eq(0).all(), "rows of no word"
    assert not {"concepts", "attributes", "captions"} & set(model.state_dict())


def test_the_temperatures_keep_within_the_limit_of_clip(photo_clip):
    model = make(photo_clip)
    model.scale.data.fill_(9.0)
    model.attribute_scale.data.fill_(-1.0)
    model.bound_scales()
    assert model.scale.item() == pytest.approx(4.6)
    assert model.attribute_scale.item() == 0


def test_statistics_are_mean_and_variance_of_the_features():
    norm = nn.BatchNorm1d(2, affine=False)
    set_statistics(norm, torch.tensor([[0.0, 2], [2, 2], [4, 2]]).half())
    assert norm.running_mean.tolist() == [2, 2]
    assert norm.running_var.tolist() == [4, pytest.approx(SMALLEST_DEVIATION**2)]
    normalised = norm.eval()(torch.tensor([[4.0, 2]]))
    torch.testing.assert_close(normalised, torch.tensor([[1.0, 0.0]]), atol=1e-4, rtol=0)
