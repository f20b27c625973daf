"""Which losses the region head has, and what they train."""

import copy

import pytest
import torch

from ovarnet.config import RegionLossWeights
from ovarnet.structures import NO_CATEGORY, POSITIVE, UNKNOWN
from ovarnet.training.region_head.data import RegionBatch, RegionLabels
from ovarnet.training.region_head.model import RegionHeadModel


@pytest.fixture
def made(region_parts):
    """Called with loss weights: the model, and a batch whose first half has labels."""
    student, clip, data = region_parts
    tower = clip.model.visual

    def make(**weights):
        model = RegionHeadModel(
            copy.deepcopy(student),
            tower,
            torch.full((tower.trunk.features,), 2.0),
            RegionLossWeights(**weights),
            data.weights(),
        )
        generator = torch.Generator().manual_seed(0)
        cells = torch.rand(4, sum(student.head.cells.channels), 4, 4, generator=generator)
        with torch.no_grad():
            crops = torch.rand(4, 3, 112, 112, generator=generator)
            features = tower.crop_features(crops)
        labels = RegionLabels(
            torch.tensor([0, 1, NO_CATEGORY, NO_CATEGORY]),
            torch.tensor([[POSITIVE, UNKNOWN], *[[UNKNOWN, UNKNOWN]] * 3], dtype=torch.int8),
            torch.tensor([False, False, False, True]),
        )
        return model.train(), RegionBatch(cells, features.pooled, features.mid, labels)

    return make


TERMS = ("features", "classes", "embeddings", "categories", "background", "attributes")


def test_each_term_has_its_weight(made):
    model, batch = made()
    torch.manual_seed(0)
    losses = model(batch)
    assert tuple(losses) == TERMS
    assert all(value > 0 for value in losses.values())
    halved, _ = made(**dict.fromkeys(TERMS, 0.5))
    torch.manual_seed(0)
    for name, value in halved(batch).items():
        torch.testing.assert_close(value, losses[name] / 2)


def test_the_feature_loss_by_hand(made):
    """Differences in units of the deviations, here 2."""
    model, batch = made()
    features = model.model.head.cells.features(batch.cells)
    expected = ((features.pooled - batch.pooled) / 2).square().mean()
    torch.testing.assert_close(model(batch)["features"], expected)


def test_the_distilled_terms_vanish_where_features_agree(made):
    model, batch = made()
    model.eval()
    features = model.model.head.cells.features(batch.cells)
    batch.pooled, batch.mid = features.pooled.detach(), features.mid.detach()
    losses = model(batch)
    for name in ("features", "classes", "embeddings"):
        assert losses[name].abs() < 1e-5, name


def test_what_is_trained(made):
    model, batch = made()
    sum(model(batch).values()).backward()
    trained = {
        name.split("head.cells.")[-1].split(".")[0]
        for name, parameter in model.named_parameters()
        if parameter.grad is not None
    }
    assert trained == {"scales", "stages", "pool", "head"}
    frozen = [p for p in model.model.parameters() if not p.requires_grad]
    assert all(parameter.grad is None for parameter in frozen)
    assert not model.model.backbone.training
    assert model.model.head.cells.head.training
    assert not any(name.startswith("_teacher") for name in model.state_dict())


def test_boxes_stay_as_the_box_stage_gives_them(made):
    model, batch = made()
    with torch.no_grad():
        _, deltas = model.model.head.cells(batch.cells)
    assert torch.equal(deltas, torch.zeros(4, 4))


def test_no_labels_no_label_losses(made):
    model, batch = made()
    batch.labels = RegionLabels(
        torch.full((4,), NO_CATEGORY),
        torch.full((4, 2), UNKNOWN, dtype=torch.int8),
        torch.zeros(4, dtype=torch.bool),
    )
    losses = model(batch)
    assert [losses[name].item() for name in ("categories", "background", "attributes")] == [0] * 3


def test_scales_are_bounded(made):
    model, _ = made()
    model.scales.log_scale.data.fill_(9.0)
    model.bound_scales()
    assert model.scales.log_scale.exp().max() <= 100.001
