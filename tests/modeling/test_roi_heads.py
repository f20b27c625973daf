"""Pooling of regions: strides, levels, squares, and the heads without attention."""

import pytest
import torch
from narrow_clips import narrow_clips
from torch import nn

from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import load_clip
from ovarnet.modeling.roi_heads import (
    AveragePool,
    ClipStages,
    Features,
    RoiHead,
    roi_pool,
    squares_around,
    within_boxes,
)


def test_roi_pool_does_not_guess_its_strides_from_the_first_image():
    pool = roi_pool({"c2": 4, "c3": 8}, canonical_size=80)
    narrow = {
        "c2": torch.zeros(1, 1, 8, 80),
        "c3": torch.zeros(1, 1, 4, 40),
    }  # 1 x 320 pixels, padded to 32 x 320
    pool(narrow, [torch.tensor([[0.0, 0.0, 30.0, 1.0]])], [(1, 320)])
    ramp = torch.arange(32.0).expand(1, 1, 32, 32)
    pooled = pool(
        {"c2": ramp, "c3": torch.zeros(1, 1, 16, 16)},
        [torch.tensor([[20.0, 20.0, 34.0, 34.0]])],
        [(128, 128)],
    )
    assert pooled[0, 0, 3, 3].item() == pytest.approx(
        27 / 4
    )  # centre of the box, in cells of 4 pixels


def test_roi_pool_takes_larger_boxes_from_coarser_maps():
    pool = roi_pool({"c2": 4, "c3": 8, "c4": 16, "c5": 32}, canonical_size=80)
    levels = pool.map_levels(
        [torch.tensor([[0.0, 0, s, s]]) for s in (10, 39, 40, 79, 80, 159, 160, 500)]
    )
    assert levels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_squares_are_grown_about_the_centre_and_cells_outside_of_the_box_are_empty():
    boxes = torch.tensor([[10.0, 20, 50, 40], [4, 4, 5, 44]])
    assert torch.allclose(
        squares_around(boxes), torch.tensor([[9.0, 9, 51, 51], [-16.5, 3, 25.5, 45]])
    )
    within = within_boxes(boxes, 4)[:, 0].tolist()
    assert within[0] == [
        [0] * 4,
        [1] * 4,
        [1] * 4,
        [0] * 4,
    ]  # wide: the rows of its height, half the square
    assert within[1] == [[0, 1, 1, 0]] * 4, "a line still has cells"
    assert within_boxes(torch.tensor([[0.0, 0, 8, 8]]), 3).min() == 1
    assert within_boxes(torch.zeros(0, 4), 4).shape == (0, 1, 4, 4)


def test_average_pool_shapes():
    embeddings, deltas = AveragePool(3, 7, width=16)(torch.rand(5, 3, 14, 14))
    assert embeddings.shape == (5, 7)
    assert deltas.shape == (5, 4)
    assert [part.shape for part in AveragePool(3, 7, width=16)(torch.zeros(0, 3, 8, 8))] == [
        (0, 7),
        (0, 4),
    ]


class Cells(nn.Module):
    """Embeds a region as its cells, one after the other; deltas are 0."""

    def forward(self, cells):
        return cells.flatten(1), cells.new_zeros(len(cells), 4)


def test_a_head_pools_from_the_maps_it_names():
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    features = Features({"c4": ramp}, {"c4": ramp + 100})
    box = [torch.tensor([[0.0, 0.0, 128.0, 128.0]])]
    align = roi_pool({"c4": 16}, size=2)
    for source, offset in (("trunk", 0), ("pyramid", 100)):
        embeddings, deltas = RoiHead(source, align, Cells())(features, box, [(128, 128)])
        assert embeddings[0].tolist() == [offset + x for x in (2, 6, 2, 6)]
        assert deltas.tolist() == [[0] * 4]


def test_a_square_head_leaves_the_cells_outside_of_the_box_empty():
    ones = {"c4": torch.ones(1, 1, 8, 8)}
    head = RoiHead("trunk", roi_pool({"c4": 16}, size=4), Cells(), square=True)
    wide = [torch.tensor([[16.0, 56.0, 112.0, 72.0]])]  # six times as wide as high
    embeddings, _ = head(Features(ones, ones), wide, [(128, 128)])
    assert embeddings.reshape(4, 4).tolist() == [[0] * 4, [1] * 4, [1] * 4, [0] * 4]


def test_clips_stages_are_the_rest_of_the_tower():
    torch.manual_seed(0)
    clip = load_clip("ovarnet-scenes", None, random_weights=True)
    stages = ClipStages(clip, "c2").eval()
    visual, pixels = clip.model.visual, torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        embeddings, deltas = stages(visual.layer1(visual.stem(pixels)))
        expected = clip.encode_image(pixels)
    assert torch.allclose(embeddings, expected, atol=1e-5)
    assert deltas.shape == (2, 4)
    assert (stages.stride, stages.size, stages.embed_dim) == (4, 16, 128)
    assert [part.shape for part in stages(torch.zeros(0, 64, 16, 16))] == [(0, 128), (0, 4)]
    assert not stages.train().stages.training
    with pytest.raises(InputError, match="choose c4, c3, c2"):
        ClipStages(clip, "c5")


def test_clips_stages_need_a_resnet():
    with narrow_clips():
        vit = load_clip("ViT-B-32", None, random_weights=True)
    with pytest.raises(InputError, match="ViT-B-32 is none; choose attention or average"):
        ClipStages(vit)
