"""What the RPN and the box stage select: the rows in use are those of the model itself."""

import torch

from ovarnet.modeling.box_stage import BoxStage
from ovarnet.modeling.rpn import RegionProposalNetwork
from ovarnet.onnx.roi_align import FixedRoiAlign
from ovarnet.onnx.selection import propose, refine

STRIDES = {"c3": 8, "c4": 16}
SIZES = [(60, 90), (64, 71)]


def maps():
    return {
        "c3": torch.randn(2, 4, 8, 12, generator=torch.Generator().manual_seed(1)),
        "c4": torch.randn(2, 4, 4, 6, generator=torch.Generator().manual_seed(2)),
    }


def proposal_network(post_nms):
    torch.manual_seed(0)
    rpn = RegionProposalNetwork(
        4, STRIDES, [[16], [32]], pre_nms=(50, 50), post_nms=(post_nms, post_nms)
    )
    for parameter in rpn.head.parameters():  # no two scores so near that they count as equal
        torch.nn.init.normal_(parameter, std=0.3)
    return rpn.eval()


def assert_same(rows, expected):
    """Rows (N, R) in use against lists of each image."""
    (boxes, scores), (own_boxes, own_scores) = rows, expected
    for image in range(2):
        used = scores[image] >= 0
        assert int(used.sum()) == len(own_scores[image]) > 0
        assert torch.allclose(boxes[image, used], own_boxes[image], atol=1e-4)
        assert torch.allclose(scores[image, used], own_scores[image], atol=1e-6)


@torch.no_grad()
def test_proposals_of_the_rpn():
    for post_nms in (10, 200):  # fewer and more than there are after NMS
        rpn, features = proposal_network(post_nms), maps()
        expected = rpn.propose(rpn(features), SIZES)
        found = propose(rpn, features, torch.tensor(SIZES))
        assert found[0].shape == (2, post_nms, 4)
        assert_same(found, expected)


@torch.no_grad()
def test_boxes_of_the_box_stage():
    torch.manual_seed(3)
    stage = BoxStage(4, STRIDES, width=8, canonical_size=40, limit=7)
    rpn, features = proposal_network(40), maps()
    proposals = rpn.propose(rpn(features), SIZES)
    expected = stage(features, proposals[0], SIZES)

    stage.box_roi_pool = FixedRoiAlign(stage.box_roi_pool)
    sizes = torch.tensor(SIZES)
    found = refine(stage, features, *propose(rpn, features, sizes), sizes)
    assert found[0].shape == (2, 7, 4)
    assert_same(found, expected)
