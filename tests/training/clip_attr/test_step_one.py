"""Step I on the tiny world: losses, initial bias, resumed runs, base and novel words."""

import pytest
import torch
from accelerate import Accelerator
from clip_attr_runs import step_one_settings
from safetensors.torch import load_file

import ovarnet
from ovarnet.config import DataSource, FederatedLoss, LrMultipliers
from ovarnet.errors import InputError
from ovarnet.io.files import read_json
from ovarnet.training.clip_attr import step_one as step_one_stage
from ovarnet.training.clip_attr.step_one import (
    FederatedModel,
    held_out_choice,
    initial_bias,
    train_clip_attr,
)
from ovarnet.training.clip_attr.step_one_criterion import FederatedCriterion
from ovarnet.training.clip_attr.trainable import TrainableClipAttr
from ovarnet.training.data.base_data import BaseData
from ovarnet.training.data.base_dataset import BaseBoxBatch
from ovarnet.training.data.crops import BoxCropper
from ovarnet.training.data.image_cache import ImageCache
from ovarnet.training.engine.best_weights import FILE, BestWeights


def test_the_initial_bias_gives_the_mean_logit_of_a_probability(parts, tiny_world):
    clip, classifier = parts
    base = BaseData.open(*[DataSource(root=str(tiny_world.root))] * 2).base
    embeddings = torch.nn.functional.normalize(torch.randn(5, clip.embed_dim), dim=-1)
    bias = initial_bias(classifier.eval(), embeddings, base, 0.1)
    with torch.no_grad():
        classifier.bias.fill_(bias)
        logits = torch.cat(
            [
                classifier(embeddings, classifier.embed(words, kind)).flatten()
                for words, kind in ((base.categories, "category"), (base.attributes, "attribute"))
            ]
        )
    assert logits.mean().sigmoid().item() == pytest.approx(0.1, rel=1e-3)


def test_only_base_words_are_embedded_and_each_source_has_its_own_loss(parts, tiny_world):
    data = BaseData.open(*[DataSource(root=str(tiny_world.root))] * 2)
    clip, classifier = parts
    model = FederatedModel(
        clip,
        classifier,
        data.base,
        FederatedCriterion(data, FederatedLoss()),
        LrMultipliers(),
        tower_regularisation=0,
    )
    encoded, embed = [], classifier.embed
    classifier.embed = lambda words, kind: (
        encoded.extend(word.name for word in words) or embed(words, kind)
    )
    categories, attributes = torch.tensor([0, 1]), torch.tensor([[1, 0]], dtype=torch.int8)
    losses = model(BaseBoxBatch(categories, attributes, embeddings=torch.randn(3, clip.embed_dim)))
    assert set(encoded) == {"mug", "car", "red", "striped"}
    assert set(losses) == {
        "categories",
        "attributes",
    }
    only = model(
        BaseBoxBatch(categories, attributes[:0], embeddings=torch.randn(2, clip.embed_dim))
    )
    assert set(only) == {"categories"}
    assert all(torch.isfinite(loss) for loss in losses.values())


def test_the_validation_loss_is_of_base_words_of_its_split_and_of_the_same_boxes_each_time(
    parts, world_with_val, start_files, tmp_path
):
    def choice(split):
        config = step_one_settings(
            world_with_val, start_files, tmp_path, validation={"split": split, "batches": 3}
        )
        data = BaseData.open(config.detection, config.attributes)
        crops = BoxCropper(parts[0], ImageCache(8))
        return held_out_choice(config, data, crops, is_main=True)

    best = choice("val")
    first, again = (
        [(batch.categories, batch.attributes, batch.crops) for batch in best.batches()]
        for _ in range(2)
    )
    assert len(first) == 3
    for one, other in zip(first, again, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
        categories, attributes, _ = one
        assert set(categories.tolist()) <= {0, 1}  # mug and car; key is novel
        assert attributes.shape[1] == 2  # red and striped; gray is novel
    assert choice(None) is None
    with pytest.raises(InputError, match=r"validation\.split train is trained on; give a split"):
        choice("train")


@pytest.mark.slow
def test_the_checkpoint_has_the_weights_of_the_lowest_validation_loss(
    world_with_val, start_files, tmp_path, monkeypatch
):
    losses = iter([3.0, 1.0, 2.0, 2.0, 2.0])
    measure = BestWeights.measure

    def fixed(self, model, step, device):
        monkeypatch.setattr("ovarnet.training.engine.best_weights.reduce", lambda *_: next(losses))
        return measure(self, model, step, device)

    monkeypatch.setattr(BestWeights, "measure", fixed)
    more = {"optimisation": {"iterations": 9}, "validation": {"split": "val", "batches": 1}}
    more["validation"] |= {"every": 1, "patience": 2}
    folder = train_clip_attr(
        step_one_settings(world_with_val, start_files, tmp_path / "run", **more),
        Accelerator(cpu=True),
    )
    history = read_json(tmp_path / "run/history.json", dict)
    assert history["validation"] == [[1, 3.0], [2, 1.0], [3, 2.0], [4, 2.0]]

    # of iteration 2; the checkpoint holds the same prompts
    best = load_file(tmp_path / "run" / FILE)
    prompts = load_file(folder / "prompts.safetensors")
    shared = [key for key in prompts if f"classifier.prompts.{key}" in best]
    assert shared
    assert all(torch.equal(prompts[key], best[f"classifier.prompts.{key}"]) for key in shared)


@pytest.mark.slow
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"cached_views": 2},
        {"lr_multipliers": {"image_tower": 0.1, "bias": 1.0}, "loss": {"sampled_categories": 1}},
    ],
    ids=["crops", "cached", "tuned"],
)
def test_resume_continues_the_same_run_and_the_folder_opens(
    tiny_world, start_files, tmp_path, interrupted, more
):
    whole = train_clip_attr(
        step_one_settings(tiny_world, start_files, tmp_path / "whole", **more),
        Accelerator(cpu=True),
    )
    broken = step_one_settings(tiny_world, start_files, tmp_path / "broken", **more)
    interrupted(train_clip_attr, broken)
    resumed = train_clip_attr(broken, Accelerator(cpu=True), resume=True)
    for file in ("clip", "prompts", "proposer"):
        assert (whole / f"{file}.safetensors").read_bytes() == (
            resumed / f"{file}.safetensors"
        ).read_bytes()
    model = ovarnet.load(whole, device="cpu")
    found = model.detect(
        str(tiny_world.images / "0.png"),
        categories=["mug", "submarine"],
        attributes=["red"],
        boxes=[[4, 4, 34, 24]],
    )
    assert found.category_scores.shape == (1, 2)
    assert found.attribute_scores.shape == (1, 1)


@pytest.mark.slow
def test_the_bias_is_initialised_for_the_prior_probability_and_the_temperature_bounded(
    tiny_world, start_files, tmp_path, monkeypatch
):
    bounds = []
    monkeypatch.setattr(step_one_stage, "PRIOR_PROBABILITY", 0.2)
    monkeypatch.setattr(
        step_one_stage,
        "run_stage",
        lambda model, *_, after_step, **more: bounds.append(after_step) or model,
    )
    folder = train_clip_attr(
        step_one_settings(
            tiny_world,
            start_files,
            tmp_path,
            cached_views=1,
            lr_multipliers={"bias": 1.0},
        ),
        Accelerator(cpu=True),
    )
    found = ovarnet.load(folder, device="cpu").detect(
        str(tiny_world.images / "0.png"),
        categories=["mug", "car"],
        attributes=["red", "striped"],
        boxes=[[4, 4, 34, 24], [20, 24, 60, 54], [2, 2, 22, 22]],
    )
    assert torch.cat(
        [found.category_scores, found.attribute_scores]
    ).mean().item() == pytest.approx(0.2, abs=0.02)
    assert bounds == [TrainableClipAttr.bound_temperature]


def test_cached_views_need_a_frozen_tower(tiny_world, start_files, tmp_path):
    config = step_one_settings(
        tiny_world, start_files, tmp_path, cached_views=1, lr_multipliers={"image_tower": 0.1}
    )
    with pytest.raises(InputError, match="frozen image tower"):
        train_clip_attr(config, Accelerator(cpu=True))


@pytest.fixture
def without_iterations(monkeypatch):
    """The model is kept as it is initialised."""
    monkeypatch.setattr(step_one_stage, "run_stage", lambda model, *_, **more: model)


@pytest.mark.parametrize("part", ["proposer", "init_from"])
def test_step_one_refuses_what_had_labels_of_novel_words(
    tiny_world, start_files, step_one, tmp_path, with_labels_of, part
):
    config = step_one_settings(tiny_world, start_files, tmp_path / "run")
    if part == "proposer":
        config.proposer = with_labels_of(start_files.proposer, "categories", "key")
    else:
        config.init_from, config.clip = with_labels_of(step_one, "attributes", "gray"), None
    with pytest.raises(
        InputError,
        match=f"such as '{'key' if part == 'proposer' else 'gray'}', had labels in the training of",
    ):
        train_clip_attr(config, Accelerator(cpu=True))


def test_with_ones_own_data_step_one_warns(
    tiny_world, start_files, tmp_path, with_labels_of, without_iterations, caplog
):
    config = step_one_settings(
        tiny_world,
        start_files,
        tmp_path / "run",
        proposer=with_labels_of(start_files.proposer, "categories", "key"),
    )
    data = BaseData.open(config.detection, config.attributes)
    config.attributes.dataset = "custom"
    train_clip_attr(config, Accelerator(cpu=True), data=data)
    assert "such as 'key', had labels in the training of" in caplog.text
    assert "numbers on novel words will not be open-vocabulary numbers" in caplog.text


@pytest.mark.parametrize(("stage", "refused"), [("clip_attr", True), ("clip", False)])
def test_a_clip_with_labels_of_novel_words_is_refused_and_one_of_captions_is_not(
    tiny_world, start_files, labelled_clip, without_iterations, tmp_path, stage, refused
):
    clip = {"pretrained": labelled_clip(stage, "attributes", "gray")}
    config = step_one_settings(tiny_world, start_files, tmp_path / "run", clip=clip)
    if not refused:
        assert train_clip_attr(config, Accelerator(cpu=True)).is_dir()
        return
    with pytest.raises(InputError, match=r"'gray', had labels in the training of .*labelled"):
        train_clip_attr(config, Accelerator(cpu=True))
