import copy
import math
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from clip_attr_runs import step_one_settings

import ovarnet
from ovarnet.config.settings import FederatedLoss, Optimisation, TrainedParts
from ovarnet.errors import InputError
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.prompts import LearnedPrompts
from ovarnet.structures import NEGATIVE, POSITIVE, UNKNOWN
from ovarnet.training.clip_attr import step_one as federated
from ovarnet.training.clip_attr.step_one import FederatedModel, start_bias, train_clip_attr
from ovarnet.training.clip_attr.step_one_criterion import FederatedCriterion
from ovarnet.training.clip_attr.tower_regularisation import RegularisedTower
from ovarnet.training.clip_attr.trainable import TrainableClipAttr
from ovarnet.training.data.base_boxes import BaseData


@pytest.fixture
def parts(small_clip):
    clip = copy.deepcopy(small_clip)
    return clip, TextClassifier(clip, LearnedPrompts(clip.text_width, (1, 1, 1)), bias=0.0)


def test_parts_learn_at_their_own_rate_and_token_embeddings_never(parts):
    clip, classifier = parts
    model = TrainableClipAttr(
        clip, classifier, TrainedParts(prompts=1, text_tower=0.1, image_tower=0, scale=2, bias=0)
    )
    rates = {
        id(parameter): group["lr"]
        for group in model.groups(Optimisation(lr=0.5))
        for parameter in group["params"]
    }
    assert rates.pop(id(classifier.prompts.vectors)) == 0.5
    assert rates.pop(id(clip.logit_scale)) == 1.0
    assert set(rates.values()) == {0.05}
    assert set(rates) == {id(parameter) for parameter in clip.text_parameters()}
    assert not clip.token_embedding.weight.requires_grad
    assert not any(p.requires_grad for p in clip.image_parameters())


def test_towers_keep_batch_norm_in_eval(parts):
    model = TrainableClipAttr(*parts, TrainedParts(image_tower=0.1)).train()
    norms = [module for module in model.clip.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert norms
    assert not any(module.training for module in norms)
    assert model.classifier.training


def test_nothing_to_learn_is_an_error(parts):
    with pytest.raises(InputError, match="every part has rate 0"):
        TrainableClipAttr(*parts, TrainedParts(prompts=0, text_tower=0, scale=0))


def test_the_anchor_is_zero_at_the_start_and_only_then(parts):
    clip, _ = parts
    crops = torch.randn(2, 3, 64, 64)
    tower = RegularisedTower(clip, TrainedParts(image_tower=0.1), weight=10)
    assert tower(crops)[1]["tower_regularisation"].item() == pytest.approx(0, abs=1e-4)
    with torch.no_grad():
        clip.model.visual.attnpool.c_proj.weight.add_(
            torch.randn_like(clip.model.visual.attnpool.c_proj.weight)
        )
    assert tower(crops)[1]["tower_regularisation"].item() > 0.1
    assert RegularisedTower(clip, TrainedParts(image_tower=0.1), weight=0)(crops)[1] == {}
    embeddings, losses = RegularisedTower(clip, TrainedParts(image_tower=0), weight=10)(crops)
    assert losses == {}
    assert not embeddings.requires_grad


def test_the_anchor_has_its_weight(parts):
    clip, _ = parts
    towers = [RegularisedTower(clip, TrainedParts(image_tower=0.1), weight) for weight in (1, 10)]
    with torch.no_grad():
        clip.model.visual.attnpool.c_proj.weight.add_(
            torch.randn_like(clip.model.visual.attnpool.c_proj.weight)
        )
        one, ten = (
            tower(torch.ones(1, 3, 64, 64))[1]["tower_regularisation"].item() for tower in towers
        )
    assert ten == pytest.approx(10 * one)
    assert one > 0.01


def test_the_temperature_is_bounded_by_one_hundred(parts):
    model = TrainableClipAttr(*parts, TrainedParts())
    for start, bounded in ((9.0, math.log(100)), (-1.0, 0.0), (2.0, 2.0)):
        with torch.no_grad():
            model.clip.logit_scale.fill_(start)
        model.bound_temperature()
        assert model.clip.logit_scale.item() == pytest.approx(bounded)


def bce(logit, target):
    return math.log1p(math.exp(-logit if target else logit))


def test_every_setting_of_the_loss_counts():
    data = SimpleNamespace(
        weights=lambda settings: (torch.tensor([2.0, 0.5]), torch.tensor([3.0, 0.25, 1.0]))
    )
    criterion = FederatedCriterion(data, FederatedLoss(category_weight=4.0, unknown_weight=0.3))
    batch = {
        "categories": torch.tensor([1]),
        "attributes": torch.tensor([[POSITIVE, NEGATIVE, UNKNOWN]], dtype=torch.int8),
    }
    logits = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.5, 1.5, -1.0]])
    losses = criterion(*logits, batch)
    assert losses["categories"].item() == pytest.approx(4 * (2 * bce(1, 0) + 0.5 * bce(-2, 1)) / 2)
    assert losses["attributes"].item() == pytest.approx(
        (3 * bce(0.5, 1) + 0.25 * bce(1.5, 0)) / 2 + 0.3 * bce(-1, 0)
    )
    judged = criterion(*logits, batch | {"judged": torch.tensor([False, True])})
    assert judged["categories"].item() == pytest.approx(4 * 0.5 * bce(-2, 1))
    assert judged["attributes"] == losses["attributes"]


def test_the_start_bias_gives_the_mean_logit_of_a_probability(parts, tiny_world):
    clip, classifier = parts
    base = BaseData.open(*[settings_source(tiny_world)] * 2).base
    embeddings = torch.nn.functional.normalize(torch.randn(5, clip.embed_dim), dim=-1)
    bias = start_bias(classifier.eval(), embeddings, base, 0.1)
    with torch.no_grad():
        classifier.bias.fill_(bias)
        logits = torch.cat(
            [
                classifier(embeddings, classifier.embed(words, kind)).flatten()
                for words, kind in ((base.categories, "category"), (base.attributes, "attribute"))
            ]
        )
    assert logits.mean().sigmoid().item() == pytest.approx(0.1, rel=1e-3)


def settings_source(tiny_world):
    from ovarnet.config.settings import DataSource

    return DataSource(root=str(tiny_world.root))


def test_only_base_words_are_embedded_and_each_source_has_its_own_loss(parts, tiny_world):
    data = BaseData.open(*[settings_source(tiny_world)] * 2)
    clip, classifier = parts
    model = FederatedModel(
        clip,
        classifier,
        data.base,
        FederatedCriterion(data, FederatedLoss()),
        TrainedParts(),
        tower_regularisation=0,
    )
    asked, embed = [], classifier.embed
    classifier.embed = lambda words, kind: (
        asked.extend(word.name for word in words) or embed(words, kind)
    )
    categories, attributes = torch.tensor([0, 1]), torch.tensor([[1, 0]], dtype=torch.int8)
    losses = model(
        {
            "embeddings": torch.randn(3, clip.embed_dim),
            "categories": categories,
            "attributes": attributes,
        }
    )
    assert set(asked) == {"mug", "car", "red", "striped"}
    assert set(losses) == {
        "categories",
        "attributes",
    }
    only = model(
        {
            "embeddings": torch.randn(2, clip.embed_dim),
            "categories": categories,
            "attributes": attributes[:0],
        }
    )
    assert set(only) == {"categories"}
    assert all(torch.isfinite(loss) for loss in losses.values())


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"cached_views": 2},
        {"trained": {"image_tower": 0.1, "bias": 1.0}, "loss": {"sampled_categories": 1}},
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


def test_training_starts_at_the_bias_of_the_start_probability_and_bounds_the_temperature(
    tiny_world, start_files, tmp_path, monkeypatch
):
    bounds = []
    monkeypatch.setattr(
        federated,
        "run_stage",
        lambda model, *_, after_step, **more: bounds.append(after_step) or model,
    )
    folder = train_clip_attr(
        step_one_settings(
            tiny_world,
            start_files,
            tmp_path,
            cached_views=1,
            trained={"bias": 1.0},
            prior_probability=0.2,
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
        tiny_world, start_files, tmp_path, cached_views=1, trained={"image_tower": 0.1}
    )
    with pytest.raises(InputError, match="frozen image tower"):
        train_clip_attr(config, Accelerator(cpu=True))


@pytest.mark.parametrize("part", ["proposer", "start"])
def test_step_one_refuses_what_had_labels_of_novel_words(
    tiny_world, start_files, tmp_path, taught, part
):
    before = train_clip_attr(
        step_one_settings(
            tiny_world, start_files, tmp_path / "before", optimisation={"iterations": 1}
        ),
        Accelerator(cpu=True),
    )
    config = step_one_settings(tiny_world, start_files, tmp_path / "run")
    if part == "proposer":
        config.proposer = taught(start_files.proposer, "categories", "key")
    else:
        config.start, config.clip = taught(before, "attributes", "gray"), None
    with pytest.raises(
        InputError,
        match=f"such as '{'key' if part == 'proposer' else 'gray'}', had labels in the training of",
    ):
        train_clip_attr(config, Accelerator(cpu=True))


def test_on_ones_own_data_step_one_says_so_and_goes_on(
    tiny_world, start_files, tmp_path, taught, caplog
):
    config = step_one_settings(
        tiny_world,
        start_files,
        tmp_path / "run",
        proposer=taught(start_files.proposer, "categories", "key"),
        optimisation={"iterations": 1},
    )
    data = BaseData.open(config.detection, config.attributes)
    config.attributes.dataset = "custom"
    train_clip_attr(config, Accelerator(cpu=True), data=data)
    assert "such as 'key', had labels in the training of" in caplog.text
    assert "numbers on novel words will not be open-vocabulary numbers" in caplog.text
