"""Warped crops, grey, and the frozen networks."""

import pytest
import torch
from torchvision.models import resnet18

from ovarnet.catalogue.modeling.crop_encoder import (
    ClipCrops,
    ResnetCrops,
    grey,
    open_crop_encoder,
    warp_boxes,
)
from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import load_clip


def test_a_box_is_warped_to_a_square_and_an_empty_box_has_one_pixel():
    image = torch.zeros(3, 4, 8)
    image[0, :, 4:] = 1
    crops = warp_boxes(image, torch.tensor([[0, 0, 4, 4], [4, 0, 8, 2], [5, 1, 5, 1]]), 6)
    assert crops.shape == (3, 3, 6, 6)
    assert crops[0].eq(0).all()
    assert torch.allclose(crops[1:, 0], torch.ones(2, 6, 6))


def test_grey_is_rec_601_in_three_channels():
    crop = torch.tensor([1.0, 0.5, 0.0]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    assert torch.allclose(grey(crop), torch.full((1, 3, 2, 2), 0.299 + 0.587 / 2))


def test_the_shipped_clip_of_the_scenes_gives_its_embeddings():
    encoder = open_crop_encoder("scenes-clip-attr", 64)
    crops = torch.rand(2, 3, 64, 64)
    assert encoder.features(crops).shape == (2, encoder.width)
    assert encoder.width == 128
    assert encoder.cells(crops).shape == (2, encoder.channels, 8, 8)
    lengths = encoder.features(crops).norm(dim=1)
    assert torch.allclose(lengths, torch.full((2,), encoder.width**0.5))
    assert encoder.digest.endswith("-unit")
    assert not any(parameter.requires_grad for parameter in encoder.parameters())


def test_a_clip_reads_its_own_size_only():
    clip = load_clip("ovarnet-scenes", None, random_weights=True)
    with pytest.raises(InputError, match=r"set crops\.side=64"):
        ClipCrops(clip, 32)


def test_a_photo_clip_reads_any_size(photo_clip):
    encoder = ClipCrops(photo_clip, 48)
    crops = torch.rand(2, 3, 48, 48)
    features = encoder.features(crops)
    with torch.no_grad():
        embeddings = photo_clip.model.visual(encoder.normalise(crops))
    directions = torch.nn.functional.normalize(embeddings, dim=1)
    torch.testing.assert_close(features, directions * photo_clip.embed_dim**0.5)
    assert features.shape == (2, encoder.width)


def test_resnet_features_are_the_mean_of_its_last_map(tmp_path, monkeypatch):
    """With ResNet-18 in place of ResNet-50, whose random weights alone take seconds to draw."""
    monkeypatch.setattr("ovarnet.catalogue.modeling.crop_encoder.resnet50", resnet18)
    torch.manual_seed(0)
    network = resnet18(weights=None).eval()
    torch.save(network.state_dict(), tmp_path / "resnet.pth")
    encoder = open_crop_encoder(f"resnet50:{tmp_path / 'resnet.pth'}", 64)
    assert isinstance(encoder, ResnetCrops)
    crops = torch.rand(1, 3, 64, 64)
    wanted = {}
    network.avgpool.register_forward_hook(lambda *args: wanted.update(pooled=args[2]))
    with torch.no_grad():
        network(encoder.normalise(crops))
    assert torch.allclose(encoder.features(crops), wanted["pooled"].flatten(1), atol=1e-4)
    assert encoder.width == encoder.channels == 512


def test_refusals(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        open_crop_encoder(str(tmp_path / "nothing"), 64)
    with pytest.raises(InputError, match="holds no CLIP"):
        open_crop_encoder("scenes", 64)
