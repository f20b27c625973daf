"""Anchors and proposals of the region proposal network."""

import torch
from torchvision.models.detection.image_list import ImageList

from ovarnet.modeling.rpn import AnchorPredictions, RegionProposalNetwork, StatedStrides


def rpn(strides, sizes, keep=(30, 30)):
    torch.manual_seed(0)
    return RegionProposalNetwork(16, strides, sizes, pre_nms=(60, 60), post_nms=keep).eval()


def maps(strides, height, width):
    return {
        name: torch.zeros(1, 16, -(-height // stride), -(-width // stride))
        for name, stride in strides.items()
    }


def test_anchors_have_the_stated_strides_where_a_map_is_rounded_up():
    strides = {"c4": 16, "pool": 64}
    anchors = rpn(strides, [[32], [64]])(maps(strides, 96, 96)).anchors
    assert len(anchors) == 3 * (6**2 + 2**2)
    last = anchors[-4 * 3 :].reshape(2, 2, 3, 4)  # stride 64 on 96 pixels: two by two cells
    assert (last[1, 1] - last[0, 0]).unique().tolist() == [64]


def test_a_map_carries_anchors_of_every_scale():
    strides = {"c3": 8, "c4": 16}
    anchors = rpn(strides, [[8, 12], [16, 24]])(maps(strides, 1, 1)).anchors
    sides = (anchors.reshape(2, 6, 4)[:, :, 2:] * 2).tolist()
    squares = [[width for width, height in rows if width == height] for rows in sides]
    assert squares == [[8, 12], [16, 24]]


def test_predictions_of_a_non_square_batch():
    strides = {"c3": 8, "c4": 16}
    levels = {name: level.repeat(2, 1, 1, 1) for name, level in maps(strides, 32, 64).items()}
    found = rpn(strides, [[16], [32]])(levels)
    assert found.per_map == [3 * 4 * 8, 3 * 2 * 4]
    assert found.anchors.shape == (120, 4)
    assert found.logits.shape == (2, 120)
    assert found.deltas.shape == (2, 120, 4)


def predictions(logits):
    """Three anchors far apart, not moved, with these logits."""
    anchors = torch.tensor([[0.0, 0, 9, 9], [20, 0, 29, 9], [40, 0, 49, 9]])
    return AnchorPredictions(anchors, torch.tensor([logits]), torch.zeros(1, 3, 4), [3])


def test_proposals_are_best_first_and_limited():
    boxes, objectness = rpn({"c3": 8}, [[8]]).propose(predictions([0.0, 2.0, 1.0]), [(50, 50)])
    assert boxes[0].tolist() == [[20, 0, 29, 9], [40, 0, 49, 9], [0, 0, 9, 9]]
    assert torch.allclose(objectness[0], torch.tensor([2.0, 1.0, 0.0]).sigmoid())
    boxes, _ = rpn({"c3": 8}, [[8]], keep=(2, 1)).propose(predictions([0.0, 2.0, 1.0]), [(50, 50)])
    assert len(boxes[0]) == 1, "the second number counts at inference"


def test_proposals_are_clipped_to_the_image_without_padding():
    boxes, _ = rpn({"c3": 8}, [[8]]).propose(predictions([0.0, 2.0, 1.0]), [(5, 45)])
    assert boxes[0].tolist() == [[20, 0, 29, 5], [40, 0, 45, 5], [0, 0, 9, 5]]


def test_boxes_are_computed_in_float32_whatever_the_precision():
    large = AnchorPredictions(
        torch.tensor([[0.0, 0, 2001.25, 2001.25]]),
        torch.zeros(1, 1, dtype=torch.float16),
        torch.zeros(1, 1, 4, dtype=torch.float16),
        [1],
    )
    boxes, _ = rpn({"c3": 8}, [[8]]).propose(large, [(4000, 4000)])
    assert boxes[0].tolist() == [[0, 0, 2001.25, 2001.25]]  # float16 has steps of 1 there


def test_anchors_of_torchvisions_rpn_have_the_stated_strides_too():
    generator = StatedStrides([[32], [64]], (16, 64))
    levels = list(maps({"c4": 16, "pool": 64}, 96, 96).values())
    images = ImageList(torch.zeros(2, 3, 96, 96), [(90, 96), (96, 80)])
    first, second = generator(images, levels)
    assert torch.equal(first, second)
    assert torch.equal(first, generator.of_maps(levels))
    last = first[-4 * 3 :].reshape(2, 2, 3, 4)
    assert (last[1, 1] - last[0, 0]).unique().tolist() == [64]
