"""Step II on the tiny world."""

import copy
import shutil
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from clip_attr_runs import caption_settings

import ovarnet
from ovarnet.config import CaptionLossWeights, CaptionTraining
from ovarnet.errors import InputError
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.prompts import LearnedPrompts
from ovarnet.training.clip_attr import step_two
from ovarnet.training.clip_attr.step_two import CaptionModel, train_with_captions
from ovarnet.training.clip_attr.trainable import TrainableClipAttr
from ovarnet.training.data.base_dataset import BaseBoxBatch
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
