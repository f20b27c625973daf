import pytest
import torch
from narrow_clips import narrow_clips

from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import load_clip
from ovarnet.modeling.clip.feature_maps import feature_maps
from ovarnet.modeling.vit_pyramid import VitPyramid, _windows, fused_attention, windowed_map


@pytest.fixture(scope="module")
def vit():
    """ViT-B-16 cut to its first eight blocks: every fourth one attends to the whole image."""
    torch.manual_seed(0)
    with narrow_clips():
        clip = load_clip("ViT-B-16", None, random_weights=True)
    clip.model.visual.transformer.resblocks = clip.model.visual.transformer.resblocks[:8]
    return clip


def test_windows_cover_and_stay_within():
    assert _windows(10, 14) == ([0], 10)
    assert _windows(14, 14) == ([0], 14)
    assert _windows(30, 14) == ([0, 10, 20], 10)
    assert _windows(50, 14) == ([0, 13, 26, 37], 13)


@torch.no_grad()
def test_fused_attention_is_the_same_and_leaves_the_setting_as_it_was(vit):
    block, tokens = vit.model.visual.transformer.resblocks[0], torch.randn(2, 30, 64)
    with fused_attention():
        fused = block(tokens)
        assert not torch.backends.mha.get_fastpath_enabled()
    assert torch.backends.mha.get_fastpath_enabled()
    assert torch.allclose(fused, block(tokens), atol=1e-5)


@torch.no_grad()
def test_one_window_over_the_whole_map_is_whole_image_attention(vit):
    pixels = torch.randn(2, 3, 64, 96)
    assert torch.allclose(
        windowed_map(vit.model.visual, pixels, 6),
        feature_maps(vit.model.visual, pixels)["last"],
        atol=1e-4,
    )
    assert not torch.allclose(
        windowed_map(vit.model.visual, pixels, 2),
        feature_maps(vit.model.visual, pixels)["last"],
        atol=1e-2,
    )


@torch.no_grad()
def test_maps_of_a_non_square_image(vit):
    maps = VitPyramid(vit, 8, window=3, coarser=True)(
        torch.randn(1, 3, 60, 96)
    )  # 60 is padded to 64
    assert {name: tuple(part.shape) for name, part in maps.items()} == {
        "p2": (1, 8, 16, 24),
        "p3": (1, 8, 8, 12),
        "p4": (1, 8, 4, 6),
        "p5": (1, 8, 2, 3),
        "pool": (1, 8, 1, 2),
    }


def test_a_resnet_is_refused():
    with pytest.raises(InputError, match="ViT-B-16"):
        VitPyramid(load_clip("ovarnet-scenes", None, random_weights=True), 8)
