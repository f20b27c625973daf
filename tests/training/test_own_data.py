"""A few pictures of one's own: prompts learned on them."""

from dataclasses import replace

import pytest
import torch
from accelerate import Accelerator
from catalogue_data import accuracy, given

import ovarnet
from ovarnet.errors import InputError
from ovarnet.training import train


def test_prompts_learn_from_hand_written_and_from_learned_ones(catalogue, tmp_path):
    settings = {
        "prompt_vectors": [2, 1, 1],
        "cached_views": 1,
        "lr_multipliers": {"prompts": 1, "text_tower": 0, "scale": 1, "bias": 10},
        "optimisation": {"iterations": 3, "batch_size": 8, "lr": 1e-3},
    }
    first = train(
        given("clip_attr", catalogue, tmp_path / "one", **settings), Accelerator(cpu=True)
    )
    second = train(
        given("clip_attr", catalogue, tmp_path / "two", first, **settings), Accelerator(cpu=True)
    )
    one, two = (ovarnet.load(folder, device="cpu") for folder in (first, second))
    tower = ovarnet.load("scenes-clip-attr", device="cpu").model.clip.model.state_dict()
    assert all(
        torch.equal(value, tower[key])
        for key, value in two.model.clip.model.state_dict().items()
        if key != "logit_scale"
    )
    moved = (
        (two.model.classifier.prompts.vectors - one.model.classifier.prompts.vectors).abs().max()
    )
    assert 0 < moved < 0.02, "the second run goes on from the vectors of the first"
    assert len(two.detect(str(catalogue / "images/0.png"))) > 0
    probed = train(
        given("probe", catalogue, tmp_path / "three", first, penalties=[0.1]),
        Accelerator(cpu=True),
    )
    before, after = (
        accuracy(one, catalogue),
        accuracy(ovarnet.load(probed, device="cpu"), catalogue),
    )
    assert after[0] >= before[0] and after[1] > before[1], (
        "labels teach the categories and cost no color"
    )
    with pytest.raises(InputError, match="has a linear probe"):
        train(
            given("clip_attr", catalogue, tmp_path / "four", probed, **settings),
            Accelerator(cpu=True),
        )


def test_settings_that_cannot_work(catalogue, tmp_path):
    with pytest.raises(
        InputError, match="give `init_from`, a CLIP-Attr to initialise from, or both"
    ):
        train(
            replace(given("clip_attr", catalogue, tmp_path), init_from=None), Accelerator(cpu=True)
        )
    with pytest.raises(InputError, match="brings its own CLIP"):
        train(
            given("clip_attr", catalogue, tmp_path, clip={"name": "ovarnet-scenes"}),
            Accelerator(cpu=True),
        )
