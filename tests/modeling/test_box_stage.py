"""The class-agnostic second stage: it is the region head of a proposer, and never trains."""

import pytest
import torch
from torchvision.models.detection.roi_heads import RoIHeads

from ovarnet.modeling import box_stage
from ovarnet.modeling.box_stage import BoxStage
from ovarnet.modeling.clip.clip import load_clip
from ovarnet.proposals.detector import scenes_proposer

STRIDES = {"c3": 8, "c4": 16}
SIZE = (64, 96)


def stage(**more):
    torch.manual_seed(0)
    return BoxStage(4, STRIDES, width=8, **more)


def maps(images=1):
    torch.manual_seed(1)
    return {
        name: torch.randn(images, 4, SIZE[0] // stride, SIZE[1] // stride)
        for name, stride in STRIDES.items()
    }


def proposals(count):
    torch.manual_seed(2)
    corners = torch.rand(count, 2) * torch.tensor([60.0, 30.0])
    return torch.cat([corners, corners + 8 + 20 * torch.rand(count, 2)], dim=1)


def test_boxes_lie_in_the_image_best_first_without_near_duplicates():
    (boxes,), (scores,) = stage(limit=6)(maps(), [proposals(40)], [SIZE])
    assert len(boxes) == len(scores) == 6
    assert (scores.diff() <= 0).all()
    assert (scores > 0.01).all()
    assert (scores <= 1).all()
    assert (boxes >= 0).all()
    assert (boxes <= torch.tensor([96, 64, 96, 64])).all()
    twice = proposals(1).repeat(2, 1)
    assert len(stage()(maps(), [twice], [SIZE])[0][0]) == 1


@torch.no_grad()
def test_what_is_selected_is_what_torchvision_selects_and_boxes_move_to_the_mean(monkeypatch):
    made, features = stage(limit=6), maps(2)
    near = [proposals(count).repeat_interleave(5, dim=0) for count in (8, 5)]
    rows = [boxes + torch.rand(boxes.shape) * 2 for boxes in near]
    voted, scores = made(features, rows, [SIZE, SIZE])
    monkeypatch.setattr(box_stage, "vote", lambda kept, boxes, scores: kept)
    still, same_scores = made(features, rows, [SIZE, SIZE])
    monkeypatch.setattr(BoxStage, "postprocess_detections", RoIHeads.postprocess_detections)
    theirs, their_scores = made(features, rows, [SIZE, SIZE])
    for image in range(2):
        torch.testing.assert_close(still[image], theirs[image])
        torch.testing.assert_close(same_scores[image], their_scores[image])
        torch.testing.assert_close(scores[image], their_scores[image])
        moved = (voted[image] - still[image]).abs().amax(dim=1)
        assert 0.1 < moved.max() < 8


def test_each_image_has_its_own_boxes_and_may_have_none():
    both = stage()(maps(2), [proposals(5), torch.zeros(0, 4)], [SIZE, SIZE])
    assert [len(rows) for rows in both[0]] == [len(rows) for rows in both[1]]
    assert len(both[0][1]) == 0
    one = {name: level[:1] for name, level in maps(2).items()}
    alone = stage()(one, [proposals(5)], [SIZE])
    torch.testing.assert_close(both[0][0], alone[0][0])


@torch.no_grad()
def test_boxes_below_the_threshold_are_left_out():
    made = stage(score_threshold=0.01)
    made.box_predictor.cls_score.weight.zero_()
    made.box_predictor.cls_score.bias.copy_(torch.tensor([0.0, -5.0]))  # 0.0067
    assert len(made(maps(), [proposals(5)], [SIZE])[0][0]) == 0
    made.box_predictor.cls_score.bias.copy_(torch.tensor([0.0, -4.0]))  # 0.018
    (scores,) = made(maps(), [proposals(5)], [SIZE])[1]
    assert scores.tolist() == [pytest.approx(0.018, abs=1e-4)] * len(scores) != []


def test_it_stays_in_evaluation_mode():
    made = stage().train()
    assert not made.training
    assert not any(part.training for part in made.modules())


def test_with_a_proposers_weights_it_gives_the_proposers_boxes(monkeypatch):
    monkeypatch.setattr(box_stage, "vote", lambda kept, boxes, scores: kept)
    torch.manual_seed(0)
    proposer = scenes_proposer(load_clip("ovarnet-scenes", None, random_weights=True)).eval()
    backbone, theirs = proposer.detector.backbone, proposer.detector.roi_heads
    ours = BoxStage(
        backbone.out_channels, backbone.strides, width=128, canonical_size=80, nms_iou=0.65
    )
    ours.load_state_dict(theirs.state_dict())
    with torch.no_grad():
        features = backbone(torch.randn(1, 3, *SIZE))
        (boxes,), (scores,) = ours(features, [proposals(30)], [SIZE])
        (expected,), _ = theirs(features, [proposals(30)], [SIZE])
    assert len(boxes) > 3
    torch.testing.assert_close(boxes, expected["boxes"])
    torch.testing.assert_close(scores, expected["scores"])
