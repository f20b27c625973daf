"""Step II on the tiny world."""

import copy
import json
import shutil
from dataclasses import fields, replace
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from clip_attr_runs import caption_settings
from safetensors.torch import load_file

import ovarnet
from ovarnet.config import CaptionLossWeights, CaptionTraining
from ovarnet.errors import InputError
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.prompts import LearnedPrompts
from ovarnet.training.clip_attr import step_two
from ovarnet.training.clip_attr.checkpoints import open_clip_attr
from ovarnet.training.clip_attr.step_two import (
    CaptionModel,
    held_out_choice,
    open_pairs,
    train_with_captions,
)
from ovarnet.training.clip_attr.trainable import TrainableClipAttr
from ovarnet.training.data.base_data import BaseData
from ovarnet.training.data.base_dataset import BaseBoxBatch
from ovarnet.training.data.crops import BoxCropper
from ovarnet.training.data.image_cache import ImageCache
from ovarnet.vocabulary import Vocabulary, Word

WORDS = Vocabulary(
    (Word("mug", seen=True), Word("key"), Word("car", seen=True)),
    (Word("red", seen=True), Word("gray"), Word("striped")),
)


TERMS = CaptionLossWeights(image_phrase=0, image_phrases=0)


def test_base_losses_have_their_weight_and_the_columns_of_the_base_words(small_clip):
    clip = copy.deepcopy(small_clip)
    base = Vocabulary(
        (Word("car", seen=True), Word("mug", seen=True)),
        (Word("striped", seen=True), Word("red", seen=True)),
    )
    model = CaptionModel(
        clip,
        TextClassifier(clip, LearnedPrompts(clip.text_width, (1, 1, 1)), bias=0.0),
        WORDS,
        base,
        SimpleNamespace(weights=TERMS),
        lambda categories, attributes, batch: {
            "categories": categories,
            "attributes": attributes,
            "also": batch.categories,
        },
        CaptionTraining(base_loss_weight=3.0, loss_weights=TERMS),
    )
    found = model.base_losses(
        torch.tensor([[1.0, 2.0, 4.0]]),
        torch.tensor([[8.0, 16.0, 32.0]]),
        BaseBoxBatch(torch.tensor(5.0), torch.zeros(0)),
    )
    assert {name: loss.tolist() for name, loss in found.items()} == {
        "base_categories": [[12, 3]],
        "base_attributes": [[96, 24]],
        "base_also": 15,
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "more",
    [
        {},
        {
            "base_batch_size": 0,
            "loss_weights": {"image_phrase": 0, "image_phrases": 0},
            "lr_multipliers": {"image_tower": 0},
        },
    ],
    ids=["all terms", "few terms"],
)
def test_resume_continues_the_same_run_and_the_folder_opens(
    tiny_world, step_one, pseudo_labels, tmp_path, interrupted, more
):
    whole = train_with_captions(
        caption_settings(tiny_world, step_one, pseudo_labels, tmp_path / "whole", **more),
        Accelerator(cpu=True),
    )
    broken = caption_settings(tiny_world, step_one, pseudo_labels, tmp_path / "broken", **more)
    interrupted(train_with_captions, broken)
    resumed = train_with_captions(broken, Accelerator(cpu=True), resume=True)
    for file in ("clip", "prompts"):
        assert (whole / f"{file}.safetensors").read_bytes() == (
            resumed / f"{file}.safetensors"
        ).read_bytes()
    model, image = ovarnet.load(whole, device="cpu"), str(tiny_world.images / "0.png")
    found = model.detect(image, attributes=["red"], categories=[], boxes=[[4, 4, 34, 24]])
    assert found.attribute_scores.shape == (1, 1)


def test_the_settings_of_the_loss_reach_it(
    tiny_world, step_one, pseudo_labels, tmp_path, monkeypatch
):
    made = []
    monkeypatch.setattr(
        step_two,
        "run_stage",
        lambda model, *_, after_step, **more: made.extend([model, after_step]) or model,
    )
    train_with_captions(
        caption_settings(
            tiny_world,
            step_one,
            pseudo_labels,
            tmp_path,
            unmentioned_weight=0.7,
            base_loss_weight=4,
            tower_regularisation=6,
            lr_multipliers={"image_tower": 0.1},
            loss_weights={"mentioned_attributes": 2},
            loss={"unknown_weight": 0.5},
        ),
        Accelerator(cpu=True),
    )
    criterion = made[0].criterion
    assert (
        criterion.unmentioned_weight,
        criterion.weights.mentioned_attributes,
        criterion.is_novel.tolist(),
    ) == (0.7, 2, [False, True, False]), "of red, gray and striped, gray is novel"
    assert made[1] is TrainableClipAttr.bound_temperature
    assert (
        made[0].base_loss_weight,
        made[0].base_criterion.settings.unknown_weight,
        made[0].tower.weight,
    ) == (4, 0.5, 6)


def test_step_two_refuses_an_initial_model_with_labels_of_novel_words(
    tiny_world, step_one, pseudo_labels, tmp_path, with_labels_of
):
    config = caption_settings(
        tiny_world, with_labels_of(step_one, "attributes", "gray"), pseudo_labels, tmp_path
    )
    with pytest.raises(InputError, match="such as 'gray', had labels in the training"):
        train_with_captions(config, Accelerator(cpu=True))


def test_step_two_names_base_words_that_step_one_does_not_know(
    tiny_world, step_one, pseudo_labels, tmp_path
):
    root = shutil.copytree(tiny_world.root, tmp_path / "world")
    words = (root / "vocabulary.json").read_text().replace("striped", "spotted")
    (root / "vocabulary.json").write_text(words)
    for file in root.glob("annotations/attributes_*.json"):
        file.write_text(file.read_text().replace("striped", "spotted"))
    source = {"root": str(root)}
    config = caption_settings(
        tiny_world, step_one, pseudo_labels, tmp_path / "run", detection=source, attributes=source
    )
    with pytest.raises(
        InputError, match=r"1 base word\(s\) of the data, such as 'spotted', are unknown to"
    ):
        train_with_captions(config, Accelerator(cpu=True))


def test_pseudo_labels_of_another_model_are_named(
    tiny_world, step_one, pseudo_labels, tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(step_two, "run_stage", lambda model, *_, **more: model)
    config = caption_settings(tiny_world, step_one, pseudo_labels, tmp_path)
    train_with_captions(config, Accelerator(cpu=True))
    assert "another model" not in caplog.text
    config.init_from = "scenes-clip-attr"
    train_with_captions(config, Accelerator(cpu=True))
    assert "labels was written with another model than scenes-clip-attr" in caplog.text


@pytest.fixture
def validated(world_with_val, step_one, pseudo_labels, tmp_path):
    """Called with the settings `validation` and others: three images are held out."""
    content = json.loads(world_with_val.captions.read_text())
    for name, part in (("train", slice(3, 8)), ("val", slice(0, 3))):
        lists = {key: content[key][part] for key in ("images", "annotations")}
        (tmp_path / f"{name}.json").write_text(json.dumps(lists))

    def make(validation, name="run", optimisation=None, **more):
        schedule = {"batch_size": 3, "save_every": 1, "warmup": 0, "decay": 0.0, "lr": 1e-3}
        return caption_settings(
            world_with_val,
            step_one,
            pseudo_labels,
            tmp_path / name,
            captions=str(tmp_path / "train.json"),
            validation={"captions": str(tmp_path / "val.json"), "every": 1} | validation,
            optimisation=schedule | (optimisation or {}),
            **more,
        )

    return make


def choice(config, change=lambda pairs: pairs, monkeypatch=None):
    clip, _, initial = open_clip_attr(config.init_from)
    if monkeypatch is not None:
        monkeypatch.setattr(step_two, "open_pairs", lambda *given: change(open_pairs(*given)))
    return held_out_choice(
        config,
        BaseData.open(config.detection, config.attributes),
        open_pairs(config, initial.vocabulary),
        initial.vocabulary,
        BoxCropper(clip, ImageCache(8), augment=False),
        Accelerator(cpu=True),
    )


def same(one, other):
    return all(
        torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b
        for a, b in (
            (getattr(one, field.name), getattr(other, field.name))
            for field in fields(one)
            if field.name != "base"
        )
    )


def test_validation_batches_are_fixed_and_have_no_pseudo_label(validated, monkeypatch):
    best = choice(validated({"split": "val"}))
    (batch,), (again,) = list(best.batches()), list(best.batches())
    assert same(batch, again)
    assert same(batch.base, again.base)
    assert sorted(batch.captions) == ["a car", "a red mug and a gray key", "a striped key"]
    assert len(batch.crops) == 3, "the largest proposals alone"
    assert batch.region_categories.shape == (0, 3)
    assert set(batch.base.categories.tolist()) <= {0, 1}, "mug and car; key is novel"
    assert batch.base.attributes.shape[1] == 2, "red and striped; gray is novel"

    def other_scores(pairs):
        scored = {
            name: replace(
                pairs.scored[name],
                category_logits=-pairs.scored[name].category_logits,
                attribute_logits=-pairs.scored[name].attribute_logits,
            )
            for name in pairs.scored
        }
        return replace(pairs, scored=scored)

    (changed,) = choice(validated({}), other_scores, monkeypatch).batches()
    assert same(batch, changed)
    assert changed.base is None


def test_terms_with_labels_of_words_are_not_measured(validated, monkeypatch):
    def measured(model, *_, best, **more):
        (batch,) = best.batches()
        with torch.no_grad():
            found.append((set(model.eval()(batch)), set(model.train()(batch))))
        return model

    found = []
    monkeypatch.setattr(step_two, "run_stage", measured)
    train_with_captions(validated({"split": "val"}), Accelerator(cpu=True))
    ((in_validation, in_training),) = found
    texts = {"image_caption", "image_phrase", "image_phrases"}
    assert in_validation == texts | {"base_categories", "base_attributes"}
    assert in_training > in_validation


@pytest.mark.parametrize(
    ("validation", "more", "message"),
    [
        ({"captions": None, "split": "val"}, {}, r"give validation\.captions too"),
        ({"split": "val"}, {"base_batch_size": 0}, "and base_batch_size or base_loss_weight is 0"),
        ({"split": "val"}, {"base_loss_weight": 0}, "and base_batch_size or base_loss_weight is 0"),
        (
            {},
            {"loss_weights": dict.fromkeys(("image_caption", "image_phrase", "image_phrases"), 0)},
            "image_caption, image_phrase, image_phrases of loss_weights, which are all 0",
        ),
        ({"split": "train"}, {}, r"validation\.split train is trained on"),
        (
            {},
            {"optimisation": {"batch_size": 4}},
            r"val\.json has 3 images that can be used, fewer",
        ),
        ({}, {"limit": 2, "captions": "same"}, r"val\.json: 2 of its 3 images are trained on"),
    ],
)
def test_a_validation_that_is_trained_on_or_does_nothing_is_refused(
    validated, tmp_path, validation, more, message
):
    config = validated(validation, **{key: more[key] for key in more if key != "captions"})
    if "captions" in more:
        config.captions = config.validation.captions
    with pytest.raises(InputError, match=message):
        train_with_captions(config, Accelerator(cpu=True))
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_the_weights_of_the_lowest_validation_loss_are_kept(validated, monkeypatch, interrupted):
    """Losses are given: iteration 2 is the best, and 4 the last. The rate is constant, so that a
    run of two iterations ends with the weights of iteration 2."""

    def trained(name, losses, iterations, *, validation=None, is_broken=False, resume=False):
        given = iter(losses)
        monkeypatch.setattr("ovarnet.training.engine.best_weights.reduce", lambda *_: next(given))
        validation = {"split": "val", "patience": 2} if validation is None else validation
        config = validated(validation, name, {"iterations": iterations})
        if is_broken:
            return interrupted(train_with_captions, config)
        folder = train_with_captions(config, Accelerator(cpu=True), resume=resume)
        return load_file(folder / "clip.safetensors") | load_file(folder / "prompts.safetensors")

    expected = trained("two", [], 2, validation={"captions": None})
    kept = trained("nine", [3.0, 1.0, 2.0, 2.0], 9)
    trained("broken", [3.0], 9, is_broken=True)
    resumed = trained("broken", [1.0, 2.0, 2.0], 9, resume=True)
    for weights in (kept, resumed):
        assert all(torch.equal(weights[key], expected[key]) for key in expected)
