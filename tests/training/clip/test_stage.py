"""The stage "clip": its loss, its initial weights, and the folder it writes."""

import copy
import math
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from omegaconf import OmegaConf
from open_clip.loss import ClipLoss
from safetensors.torch import load_file
from torch.nn import functional as F

from ovarnet.checkpoint import load_checkpoint
from ovarnet.config import resolve
from ovarnet.training.clip.data import CaptionPairBatch
from ovarnet.training.clip.stage import ContrastiveModel, init_from_scratch, train_clip


@pytest.mark.parametrize(("start", "bounded"), [(9.0, math.log(100)), (-1.0, 0.0), (2.0, 2.0)])
def test_the_temperature_is_bounded_by_one_hundred(small_clip, start, bounded):
    clip = copy.deepcopy(small_clip)
    with torch.no_grad():
        clip.logit_scale.fill_(start)
    clip.bound_logit_scale()
    assert clip.logit_scale.item() == pytest.approx(bounded)


def test_the_loss_is_the_symmetric_cross_entropy_of_the_pairs(small_clip):
    clip = copy.deepcopy(small_clip).eval()
    tokens = clip.tokenize(["a red car", "a dog"])
    batch = CaptionPairBatch(torch.randn(2, 3, 64, 64), tokens)
    with torch.no_grad():
        losses = ContrastiveModel(clip, ClipLoss())(batch)
        images = F.normalize(clip.encode_image(batch.images), dim=1)
        texts = F.normalize(clip.encode_text(["a red car", "a dog"]), dim=1)
        z = (clip.logit_scale.exp() * images @ texts.T).tolist()

    def cross_entropy(rows):
        return sum(
            math.log(sum(math.exp(value) for value in row)) - row[place]
            for place, row in enumerate(rows)
        ) / len(rows)

    columns = [list(column) for column in zip(*z, strict=True)]
    expected = (cross_entropy(z) + cross_entropy(columns)) / 2
    assert losses.keys() == {"contrastive"}
    assert losses["contrastive"].item() == pytest.approx(expected, rel=1e-4)


def test_the_initial_temperature_is_that_of_the_paper(small_clip):
    clip = copy.deepcopy(small_clip)
    table = clip.token_embedding.weight.clone()
    init_from_scratch(clip, SimpleNamespace(tokens=[[[5]]]), as_bag_of_words=False)
    assert clip.logit_scale.exp().item() == pytest.approx(14.3)
    assert torch.equal(clip.token_embedding.weight, table)
    init_from_scratch(clip, SimpleNamespace(tokens=[[[5]]]), as_bag_of_words=True)
    assert clip.token_embedding.weight.std().item() == pytest.approx(1.0, abs=0.01)


@pytest.mark.slow
def test_resume_continues_the_same_run_and_the_words_of_the_world_are_saved(
    tiny_world, tmp_path, interrupted
):
    def config(name):
        given = {
            "stage": "clip",
            "output": str(tmp_path / name),
            "root": str(tiny_world.root),
            "captions": "annotations/captions_scenes.json",
            "images": "images/captions",
            "clip": {"name": "ovarnet-scenes"},
            "optimisation": {"iterations": 3, "batch_size": 4, "save_every": 1, "ema": 0.5},
        }
        return resolve(OmegaConf.create(given), "test")

    whole = train_clip(config("whole"), Accelerator(cpu=True))
    interrupted(train_clip, config("broken"))
    resumed = train_clip(config("broken"), Accelerator(cpu=True), resume=True)
    first, second = (load_file(folder / "clip.safetensors") for folder in (whole, resumed))
    assert all(torch.equal(first[key], second[key]) for key in first)
    checkpoint = load_checkpoint(whole)
    assert checkpoint.vocabulary.category_names == ["mug", "key", "car"]
    assert checkpoint.settings["clip"] == {"name": "ovarnet-scenes"}
