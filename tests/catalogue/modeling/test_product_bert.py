"""Sequences of text and patches: shapes, padding and the embedding formulas."""

import pytest
import torch

from ovarnet.catalogue.modeling.bert import EPS, Bert
from ovarnet.catalogue.modeling.patches import KALEIDO_LEVELS, PatchLayout
from ovarnet.catalogue.modeling.product_bert import ProductBert


def product_bert(levels):
    torch.manual_seed(0)
    bert = Bert(vocabulary=20, hidden=8, layers=2, heads=2, feed_forward=16)
    return ProductBert(bert, PatchLayout(levels), features=6, dropout=0.1).eval()


def inputs(model, length=4):
    count = model.layout.count
    ids = torch.tensor([[2, 7, 9, 3], [2, 8, 3, 0]])[:, :length]
    torch.manual_seed(1)
    patches, places = torch.randn(2, count, 6), torch.rand(2, count, 5)
    return ids, torch.zeros_like(ids), ids == 0, patches, places


@pytest.mark.parametrize("levels", [(3,), KALEIDO_LEVELS])
def test_shapes(levels):
    model = product_bert(levels)
    encoded = model(*inputs(model))
    assert encoded.text.shape == (2, 4, 8)
    assert encoded.patches.shape == (2, model.layout.count, 8)
    assert encoded.pooled.shape == (2, 8)
    assert torch.equal(encoded.pooled, torch.tanh(model.bert.pooler(encoded.text[:, 0])))


@torch.no_grad()
def test_padding_changes_nothing():
    model = product_bert(KALEIDO_LEVELS)
    ids, segments, padding, patches, places = inputs(model)
    alone = model(ids[1:, :3], segments[1:, :3], padding[1:, :3], patches[1:], places[1:])
    together = model(ids, segments, padding, patches, places)
    assert torch.allclose(together.pooled[1], alone.pooled[0], atol=1e-6)
    assert torch.allclose(together.patches[1], alone.patches[0], atol=1e-6)


@torch.no_grad()
def test_a_grid_knows_slots_and_kaleido_knows_locations():
    grid = product_bert((2,))
    _, _, _, patches, places = inputs(grid)
    segment = grid.bert.segments.weight[1]
    found = grid.patches(patches, places, segment)
    summed = patches @ grid.patches.project.weight.T + grid.patches.slots.weight + segment
    assert torch.allclose(found, torch.nn.functional.layer_norm(summed, (8,), eps=EPS), atol=1e-5)
    assert torch.equal(found, grid.patches(patches, places + 1, segment))

    kaleido = product_bert(KALEIDO_LEVELS)
    _, _, _, patches, places = inputs(kaleido)
    found = kaleido.patches(patches, places, segment)
    level = kaleido.patches
    summed = (
        patches[:, 5:14] @ level.project[2].weight.T
        + places[:, 5:14] @ level.location.weight.T
        + level.levels.weight[2]
    )
    expected = torch.nn.functional.layer_norm(summed, (8,), eps=EPS)
    assert torch.allclose(found[:, 5:14], expected, atol=1e-4)
