"""Regions of a photo CLIP: from maps of the whole image the same as from a crop."""

import pytest
import torch
from small_photo_clip import EMBED_DIM, SIZE
from torch import nn

from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import load_clip
from ovarnet.modeling.concept_roi_head import ConceptRoiHead, ConceptStages, joined_maps
from ovarnet.modeling.roi_heads import Features, roi_pool

CELLS = SIZE // 16


@pytest.fixture
def stages(photo_clip):
    torch.manual_seed(1)
    return ConceptStages(photo_clip, CELLS).eval()


@pytest.fixture(scope="module")
def pixels():
    return torch.randn(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))


def test_maps_are_averaged_to_one_stride_and_joined():
    c2 = torch.arange(16.0).reshape(1, 1, 4, 4)
    c3 = torch.tensor([[1.0, 2], [3, 6]])[None, None]
    joined = joined_maps({"c2": c2, "c3": c3, "c4": torch.full((1, 2, 1, 1), 9.0)})
    assert joined.shape == (1, 4, 1, 1)
    assert joined.flatten().tolist() == [7.5, 3, 9, 9]


@torch.no_grad()
def test_cells_of_a_whole_crop_give_the_features_and_the_embedding_of_the_crop(
    photo_clip, stages, pixels
):
    tower = photo_clip.model.visual
    cells = joined_maps(tower.trunk(pixels))
    assert cells.shape == (2, sum(stages.channels), CELLS, CELLS)
    found, expected = stages.features(cells), tower.crop_features(pixels)
    torch.testing.assert_close(found.pooled, expected.pooled, atol=1e-4, rtol=0)
    torch.testing.assert_close(found.mid, expected.mid, atol=1e-4, rtol=0)
    embeddings, deltas = stages(cells)
    torch.testing.assert_close(embeddings, tower(pixels), atol=1e-4, rtol=0)
    assert deltas.shape == (2, 4)
    assert deltas.abs().max() < 0.1, "boxes start as they were proposed"


def test_no_regions_give_no_embeddings(stages):
    embeddings, deltas = stages(torch.zeros(0, sum(stages.channels), CELLS, CELLS))
    assert (embeddings.shape, deltas.shape) == ((0, EMBED_DIM), (0, 4))


def test_the_stages_are_frozen_and_the_head_learns(stages, pixels, photo_clip):
    trained = {name.split(".")[0] for name, p in stages.named_parameters() if p.requires_grad}
    assert trained == {"head", "deltas"}
    stages.train()
    assert not stages.stages.training
    assert not stages.pool.training
    assert stages.head.rows[0].training, "dropout is on"
    with torch.no_grad():
        cells = joined_maps(photo_clip.model.visual.trunk(pixels))
    embeddings, deltas = stages(cells)
    (embeddings.sum() + deltas.sum()).backward()
    assert stages.head.appearance[-1].weight.grad.abs().sum() > 0


@torch.no_grad()
def test_the_tower_is_copied(stages, photo_clip):
    before = photo_clip.model.visual.head.balance.clone()
    stages.head.balance.fill_(3.0)
    assert torch.equal(photo_clip.model.visual.head.balance, before)


def test_a_clip_without_concepts_is_refused():
    clip = load_clip("ovarnet-scenes", None, random_weights=True)
    with pytest.raises(InputError, match="ovarnet-scenes has no concepts; its region head is att"):
        ConceptStages(clip, CELLS)


class Means(nn.Module):
    """Embeds a region as the mean of each channel."""

    def forward(self, cells):
        return cells.mean(dim=(2, 3)), cells.new_zeros(len(cells), 4)


def test_regions_are_pooled_from_the_joined_maps():
    trunk = {
        name: torch.full((2, 1, 128 // stride, 128 // stride), value)
        for name, stride, value in (("c2", 4, 1.0), ("c3", 8, 2.0), ("c4", 16, 3.0))
    }
    head = ConceptRoiHead(roi_pool({"c4": 16}, size=2), Means(), square=False)
    boxes = [torch.tensor([[16.0, 16, 80, 100]]), torch.zeros(0, 4)]
    embeddings, deltas = head(Features(trunk, {}), boxes, [(128, 128)] * 2)
    assert embeddings.tolist() == [[1, 2, 3]]
    assert deltas.shape == (1, 4)
