"""The distance to the initial image tower."""

import pytest
import torch

from ovarnet.training.clip_attr.tower_regularisation import RegularisedTower


def test_the_penalty_is_zero_at_first_and_only_then(parts):
    clip, _ = parts
    crops = torch.randn(2, 3, 64, 64)
    tower = RegularisedTower(clip, is_trained=True, weight=10)
    assert tower(crops)[1]["tower_regularisation"].item() == pytest.approx(0, abs=1e-4)
    with torch.no_grad():
        clip.model.visual.attnpool.c_proj.weight.add_(
            torch.randn_like(clip.model.visual.attnpool.c_proj.weight)
        )
    assert tower(crops)[1]["tower_regularisation"].item() > 0.1
    assert RegularisedTower(clip, is_trained=True, weight=0)(crops)[1] == {}
    embeddings, losses = RegularisedTower(clip, is_trained=False, weight=10)(crops)
    assert losses == {}
    assert not embeddings.requires_grad


def test_the_penalty_has_its_weight(parts):
    clip, _ = parts
    towers = [RegularisedTower(clip, is_trained=True, weight=weight) for weight in (1, 10)]
    with torch.no_grad():
        clip.model.visual.attnpool.c_proj.weight.add_(
            torch.randn_like(clip.model.visual.attnpool.c_proj.weight)
        )
        one, ten = (
            tower(torch.ones(1, 3, 64, 64))[1]["tower_regularisation"].item() for tower in towers
        )
    assert ten == pytest.approx(10 * one)
    assert one > 0.01
