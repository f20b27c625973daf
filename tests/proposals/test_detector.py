"""The one-class detector: geometry, losses, independence of the images in a batch, and that it
learns boxes."""

from urllib.error import URLError

import pytest
import torch
from torchvision.models.detection.image_list import ImageList

from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import load_clip
from ovarnet.proposals.detector import photos_proposer, resnet50_proposer, scenes_proposer

LOSSES = {"loss_objectness", "loss_rpn_box_reg", "loss_classifier", "loss_box_reg"}


@pytest.fixture(scope="module")
def clip():
    torch.manual_seed(0)
    return load_clip("ovarnet-scenes", None, random_weights=True)


@pytest.fixture
def proposer(clip):
    torch.manual_seed(0)
    return scenes_proposer(clip).eval()


def images(*sizes, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.rand(3, *size, generator=generator) for size in sizes]


@pytest.mark.slow
def test_training_gives_named_finite_losses_also_without_boxes(proposer):
    boxes = [torch.tensor([[20.0, 20.0, 60.0, 70.0]]), torch.zeros(0, 4)]
    losses = proposer.train()(images((160, 200), (112, 150)), boxes)
    assert losses.keys() == LOSSES
    assert all(loss.ndim == 0 and loss.isfinite() for loss in losses.values())
    sum(losses.values()).backward()
    assert proposer.detector.backbone.trunk.conv1.weight.grad.abs().sum() > 0


def test_proposals_lie_in_their_image_best_first_and_limited(proposer):
    for image, found in zip(
        images((112, 208), (480, 300)),
        proposer.propose(images((112, 208), (480, 300))),
        strict=True,
    ):
        height, width = image.shape[1:]
        assert 0 < len(found) <= 100
        assert (found.scores.diff() <= 0).all()
        assert found.scores.min() >= 0
        assert found.scores.max() <= 1
        assert found.boxes.min() >= 0
        assert found.boxes[:, 2].max() <= width
        assert found.boxes[:, 3].max() <= height
        assert (found.boxes[:, 2:] > found.boxes[:, :2]).all()


def test_proposals_of_an_image_do_not_depend_on_its_neighbours(proposer):
    batch = images((112, 208), (160, 200), (200, 160), (160, 195), (30, 40))
    for image, together in zip(batch, proposer.propose(batch), strict=True):
        alone = proposer.propose([image])[0]
        assert torch.allclose(alone.boxes, together.boxes, atol=1e-4)
        assert torch.allclose(alone.scores, together.scores, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (20, 20000), (20000, 3)])
def test_images_of_extreme_shape(proposer, size):
    found = proposer.propose(images(size))[0]
    assert (found.boxes >= 0).all()
    assert (found.boxes <= torch.tensor([size[1], size[0]] * 2)).all()


def test_no_images(proposer):
    assert proposer.propose([]) == []


def test_propose_refuses_training_mode(proposer):
    with pytest.raises(RuntimeError, match="eval"):
        proposer.train().propose(images((112, 112)))


def test_the_trunk_is_a_copy_and_its_batch_norm_is_frozen(clip, proposer):
    trunk = proposer.detector.backbone.trunk
    assert trunk.conv1.weight.data_ptr() != clip.model.visual.conv1.weight.data_ptr()
    assert torch.equal(trunk.conv1.weight, clip.model.visual.conv1.weight)
    statistics = trunk.bn1.running_mean.clone()
    proposer.train()(images((160, 160)), [torch.tensor([[20.0, 20.0, 60.0, 70.0]])])
    assert not trunk.bn1.training
    assert torch.equal(trunk.bn1.running_mean, statistics)


def test_a_frozen_clip_gives_a_trunk_that_trains(clip):
    clip.requires_grad_(False)
    assert all(parameter.requires_grad for parameter in scenes_proposer(clip).parameters())
    clip.requires_grad_(True)


def test_scenes_proposer_is_small_enough_to_ship(proposer):
    assert sum(parameter.numel() for parameter in proposer.parameters()) < 2_000_000


def test_a_proposer_for_photos_learns_on_a_frozen_trunk(photo_clip):
    torch.manual_seed(0)
    proposer = photos_proposer(photo_clip).train()
    backbone = proposer.detector.backbone
    assert list(backbone.all_strides.values()) == [8, 16, 32, 64]
    assert not any(p.requires_grad for p in backbone.trunk.parameters())
    losses = proposer(images((60, 90)), [torch.tensor([[20.0, 20.0, 60.0, 50.0]])])
    assert losses.keys() == LOSSES
    sum(losses.values()).backward()
    frozen = {name for name, p in proposer.named_parameters() if not p.requires_grad}
    assert all(name.startswith("detector.backbone.trunk.") for name in frozen)
    assert all(p.grad is not None for p in proposer.parameters() if p.requires_grad)


def test_anchors_for_photos_have_the_strides_of_the_maps(photo_clip):
    """5 cells of stride 32 are 3 of stride 64, of which torchvision would make 53."""
    generator = photos_proposer(photo_clip).detector.rpn.anchor_generator
    maps = [torch.zeros(1, 1, side, side) for side in (20, 10, 5, 3)]
    (anchors,) = generator(ImageList(torch.zeros(1, 3, 160, 160), [(160, 160)]), maps)
    coarsest = anchors[-9 * 6 :].reshape(3, 3, 6, 4)
    assert (coarsest[1, 1] - coarsest[0, 0]).unique().tolist() == [64]
    square = coarsest[0, 0, 2:4]
    assert (square[:, 2] - square[:, 0]).tolist() == [192, 270]


def test_resnet50_proposer_has_the_numbers_of_the_method():
    detector = resnet50_proposer().detector
    assert detector.rpn.anchor_generator.sizes == ((32,), (64,), (128,), (256,), (512,))
    assert (detector.rpn._pre_nms_top_n, detector.rpn._post_nms_top_n) == (
        {"training": 2000, "testing": 1000},
        {"training": 1000, "testing": 1000},
    )
    assert (
        detector.rpn.fg_bg_sampler.batch_size_per_image,
        detector.rpn.fg_bg_sampler.positive_fraction,
    ) == (256, 0.5)
    roi_heads = detector.roi_heads
    assert (
        roi_heads.fg_bg_sampler.batch_size_per_image,
        roi_heads.fg_bg_sampler.positive_fraction,
    ) == (512, 0.25)
    assert (roi_heads.score_thresh, roi_heads.nms_thresh, roi_heads.detections_per_img) == (
        0.05,
        0.5,
        100,
    )
    frozen = {
        name.split(".")[1]
        for name, parameter in detector.backbone.named_parameters()
        if not parameter.requires_grad
    }
    assert frozen == {"conv1", "bn1", "layer1"}


def rectangles(count, seed):
    """Scenes with one flat bright rectangle on dark noise, and its box."""
    generator = torch.Generator().manual_seed(seed)
    scenes, boxes = 0.2 * torch.rand(count, 3, 112, 120, generator=generator), []
    for scene, sides, place in zip(
        scenes,
        torch.randint(24, 64, (count, 2), generator=generator).tolist(),
        torch.rand(count, 2, generator=generator).tolist(),
        strict=True,
    ):
        left, top = int(place[0] * (120 - sides[0])), int(place[1] * (112 - sides[1]))
        scene[:, top : top + sides[1], left : left + sides[0]] = 0.5 + 0.5 * torch.rand(
            3, 1, 1, generator=generator
        )
        boxes.append(
            torch.tensor([[left, top, left + sides[0], top + sides[1]]], dtype=torch.float32)
        )
    return list(scenes), boxes


@pytest.mark.slow
def test_learns_rectangles(proposer):
    optimiser = torch.optim.AdamW(proposer.parameters(), lr=2e-3)
    history = []
    proposer.train()
    for step in range(12):
        losses = proposer(*rectangles(2, seed=step))
        loss = sum(losses.values())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history.append(loss.item())
    assert sum(history[-4:]) < 0.6 * sum(history[:4])


def test_imagenet_weights_without_a_network_name_the_place(monkeypatch, tmp_path):
    def offline(*args, **kwargs):
        raise URLError("no network")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", offline)
    with pytest.raises(
        InputError, match=r"resnet50-0676ba61\.pth \(no network\); put that file into .*checkpoints"
    ):
        resnet50_proposer(imagenet_weights=True)
