"""Dense maps against open_clip's own intermediate outputs."""

import pytest
import torch
from narrow_clips import narrow_clips

from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import load_clip
from ovarnet.modeling.clip.feature_maps import (
    embed_patches,
    feature_channels,
    feature_maps,
    feature_strides,
    pad_to_multiple,
    resize_position_embedding,
)


@pytest.fixture(scope="module")
def vit():
    with narrow_clips():
        return load_clip("ViT-B-32", None, random_weights=True)


@torch.no_grad()
def test_resnet_maps_are_open_clips_stages():
    with narrow_clips():
        clip = load_clip("RN50-quickgelu", None, random_weights=True)
    reference = clip.model
    pixels = torch.randn(1, 3, 64, 96)
    maps = feature_maps(clip.model.visual, pixels)
    stages = reference.visual.forward_intermediates(
        pixels, indices=[1, 2, 3, 4], intermediates_only=True
    )["image_intermediates"]
    assert {name: tuple(value.shape[1:]) for name, value in maps.items()} == {
        "c2": (64, 16, 24),
        "c3": (128, 8, 12),
        "c4": (256, 4, 6),
        "c5": (512, 2, 3),
    }
    assert feature_channels(clip.model.visual) == {"c2": 64, "c3": 128, "c4": 256, "c5": 512}
    assert feature_strides(clip.model.visual) == {"c2": 4, "c3": 8, "c4": 16, "c5": 32}
    for value, stage in zip(maps.values(), stages, strict=True):
        torch.testing.assert_close(value, stage, atol=1e-5, rtol=0)


@torch.no_grad()
def test_vit_map_is_open_clips_tokens_at_224_and_follows_the_image(vit):
    reference = vit.model
    pixels = torch.randn(1, 3, 224, 224)
    reference.visual.output_tokens = True
    _, tokens = reference.visual(pixels)
    reference.visual.output_tokens = False
    expected = tokens.transpose(1, 2).reshape(1, 64, 7, 7)
    torch.testing.assert_close(
        feature_maps(vit.model.visual, pixels)["last"], expected, atol=1e-5, rtol=0
    )
    assert feature_maps(vit.model.visual, torch.randn(1, 3, 96, 130))["last"].shape == (
        1,
        64,
        3,
        5,
    )  # 130 is padded to 160
    assert (feature_channels(vit.model.visual), feature_strides(vit.model.visual)) == (
        {"last": 64},
        {"last": 32},
    )


@torch.no_grad()
def test_odd_sizes_are_padded_with_zeros_right_and_below():
    scenes = load_clip("ovarnet-scenes", None, random_weights=True)
    pixels = torch.randn(2, 3, 60, 90)
    padded = torch.zeros(2, 3, 64, 96)
    padded[:, :, :60, :90] = pixels
    for name, value in feature_maps(scenes.model.visual, pixels).items():
        assert torch.equal(value, feature_maps(scenes.model.visual, padded)[name])


def test_position_embedding_keeps_the_class_row_and_the_directions():
    down, right = torch.meshgrid(torch.arange(4.0), torch.arange(4.0), indexing="ij")
    grid = torch.stack([down, right, torch.full((4, 4), 5.0)], dim=-1).reshape(16, 3)
    embedding = torch.cat([torch.tensor([[7.0, 8.0, 9.0]]), grid])
    assert resize_position_embedding(embedding, (4, 4), (4, 4)) is embedding
    resized = resize_position_embedding(embedding, (4, 4), (2, 8))
    assert resized.shape == (17, 3)
    assert resized[0].tolist() == [7.0, 8.0, 9.0]
    rows = resized[1:].reshape(2, 8, 3)
    torch.testing.assert_close(rows[..., 2], torch.full((2, 8), 5.0))
    assert (rows[1, :, 0] > rows[0, :, 0] + 1).all()
    assert (rows[:, 1:, 1] > rows[:, :-1, 1]).all()
    torch.testing.assert_close(rows.mean(dim=(0, 1))[:2], torch.tensor([1.5, 1.5]))


def test_padding_to_a_multiple():
    pixels = torch.ones(1, 3, 5, 8)
    padded = pad_to_multiple(pixels, 4)
    assert padded.shape == (1, 3, 8, 8)
    assert padded.sum() == pixels.sum()
    assert torch.equal(padded[:, :, :5], pixels)
    assert pad_to_multiple(padded, 4) is padded


def test_patches_of_a_non_square_image(vit):
    tokens, grid = embed_patches(vit.model.visual, torch.zeros(2, 3, 64, 96))
    assert grid == (2, 3)
    assert tokens.shape == (2, 7, 64)


def test_a_tower_without_dense_maps_is_refused():
    with pytest.raises(InputError, match="Linear gives no dense maps; use a CLIP ResNet"):
        feature_strides(torch.nn.Linear(1, 1))
