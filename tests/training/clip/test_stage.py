"""The stage "clip": its loss, its initial weights, and the folder it writes."""

import copy
import json
import math
import shutil
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
from ovarnet.data.captions import load_captions
from ovarnet.errors import InputError
from ovarnet.training.clip.data import CaptionPairBatch, CaptionPairDataset
from ovarnet.training.clip.stage import (
    ContrastiveModel,
    held_out_choice,
    init_from_scratch,
    train_clip,
)


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


@pytest.fixture
def split_world(tiny_world, tmp_path):
    """Called with the number of images of val.json: the others are in train.json."""
    root = tmp_path / "split"
    shutil.copytree(tiny_world.root, root)

    def split(held_out):
        content = json.loads(tiny_world.captions.read_text())
        for name, part in (("train", slice(held_out, 8)), ("val", slice(0, held_out))):
            lists = {key: content[key][part] for key in ("images", "annotations")}
            (root / f"{name}.json").write_text(json.dumps(lists))
        return root

    return split


def validated(root, output, optimisation=None, **validation):
    given = {
        "stage": "clip",
        "output": str(output),
        "root": str(root),
        "captions": "train.json",
        "images": "images/captions",
        "clip": {"name": "ovarnet-scenes"},
        "validation": {"captions": "val.json", "every": 1} | validation,
        "optimisation": {
            "batch_size": 2,
            "save_every": 1,
            "warmup": 0,
            "decay": 0.0,
            "lr": 1e-3,
        }
        | (optimisation or {}),
    }
    return resolve(OmegaConf.create(given), "test")


def choice(config, small_clip):
    images = load_captions(f"{config.root}/{config.captions}", f"{config.root}/{config.images}")
    return held_out_choice(config, images, small_clip, Accelerator(cpu=True))


def test_validation_batches_are_whole_fixed_and_not_flipped(split_world, small_clip, tmp_path):
    best = choice(validated(split_world(5), tmp_path, batches=3), small_clip)
    first, again = ([(batch.images, batch.tokens) for batch in best.batches()] for _ in range(2))
    assert [len(images) for images, _ in first] == [2, 2], "5 images are two batches of 2"
    for (images, tokens), (images_again, tokens_again) in zip(first, again, strict=True):
        assert torch.equal(images, images_again)
        assert tokens == tokens_again
    seen = torch.cat([images for images, _ in first])
    assert len(seen.unique(dim=0)) == 4, "no image twice"
    whole = CaptionPairDataset(
        load_captions(tmp_path / "split/val.json", tmp_path / "split/images/captions"),
        small_clip,
        seed=7,
        flip=False,
    ).pixels
    assert all((whole == image.half()).flatten(1).all(dim=1).sum() == 1 for image in seen)


def test_validation_captions_that_cannot_be_used_are_refused(split_world, small_clip, tmp_path):
    root = split_world(3)
    for more, message in [
        ({"captions": "train.json"}, r"train\.json: 5 of its 5 images are trained on"),
        ({"captions": "none.json"}, r"none\.json"),
        ({"captions": None}, None),
    ]:
        config = validated(root, tmp_path / "run", **more)
        if message is None:
            assert choice(config, small_clip) is None
        else:
            with pytest.raises(InputError, match=message):
                choice(config, small_clip)
    with pytest.raises(InputError, match=r"has 3 images that can be used, fewer than .*, 4; add"):
        choice(validated(root, tmp_path / "run", {"batch_size": 4}), small_clip)
    (root / "val.json").write_text('{"images": [], "annotations": []}')
    with pytest.raises(InputError, match=r"val\.json has no image with a caption"):
        train_clip(validated(root, tmp_path / "run"), Accelerator(cpu=True))
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_the_weights_of_the_lowest_validation_loss_are_kept(
    split_world, tmp_path, monkeypatch, interrupted
):
    """Losses are given: iteration 2 is the best, and 4 the last. The rate is constant, so that a
    run of two iterations ends with the weights of iteration 2."""
    root = split_world(3)

    def trained(name, losses, iterations, **more):
        given = iter(losses)
        monkeypatch.setattr("ovarnet.training.engine.best_weights.reduce", lambda *_: next(given))
        config = validated(
            root, tmp_path / name, {"iterations": iterations}, patience=2, **more.pop("use", {})
        )
        if more.pop("is_broken", False):
            return interrupted(train_clip, config)
        return load_file(train_clip(config, Accelerator(cpu=True), **more) / "clip.safetensors")

    expected = trained("two", [], 2, use={"captions": None})
    kept = trained("nine", [3.0, 1.0, 2.0, 2.0], 9)
    history = json.loads((tmp_path / "nine/history.json").read_text())
    assert history["validation"] == [[1, 3.0], [2, 1.0], [3, 2.0], [4, 2.0]]

    trained("broken", [3.0], 9, is_broken=True)
    resumed = trained("broken", [1.0, 2.0, 2.0], 9, resume=True)
    for weights in (kept, resumed):
        assert all(torch.equal(weights[key], expected[key]) for key in expected)
