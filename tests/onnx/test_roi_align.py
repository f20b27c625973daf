"""RoIAlign over several maps with the same number of boxes in every image."""

import torch

from ovarnet.modeling.roi_heads import roi_pool
from ovarnet.onnx.roi_align import FixedRoiAlign


def test_it_equals_torchvisions_on_boxes_of_every_map():
    torch.manual_seed(0)
    align = roi_pool({"c3": 8, "c4": 16}, canonical_size=40, size=3)
    maps = {"c3": torch.rand(2, 5, 8, 12), "c4": torch.rand(2, 5, 4, 6)}
    boxes = torch.tensor(
        [
            [[0.0, 0, 10, 12], [3, 5, 90, 60], [8, 8, 30, 30]],
            [[40, 10, 95, 63], [1, 2, 9, 30], [0, 0, 0, 0]],
        ]
    )
    sizes = [(64, 96)] * 2
    levels = align.map_levels([boxes.flatten(0, 1)])
    assert set(levels.tolist()) == {0, 1}
    expected = align(maps, list(boxes), sizes)
    assert torch.equal(FixedRoiAlign(align)(maps, [boxes.flatten(0, 1)], []), expected)


def test_one_map():
    torch.manual_seed(0)
    align = roi_pool({"c4": 16}, size=2)
    maps, boxes = {"c4": torch.rand(1, 3, 4, 6)}, torch.tensor([[5.0, 6, 70, 50]])
    expected = align(maps, [boxes], [(64, 96)])
    assert torch.equal(FixedRoiAlign(align)(maps, [boxes], []), expected)
