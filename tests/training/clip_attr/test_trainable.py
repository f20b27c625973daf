"""Which modules of CLIP-Attr are trained, and at which rate."""

import math

import pytest
import torch

from ovarnet.config import LrMultipliers, Optimisation
from ovarnet.errors import InputError
from ovarnet.modeling.text.phrase_prompts import PhrasePrompts
from ovarnet.training.clip_attr.trainable import TrainableClipAttr


def test_modules_have_their_own_rate_and_token_embeddings_are_frozen(parts):
    clip, classifier = parts
    model = TrainableClipAttr(
        clip, classifier, LrMultipliers(prompts=1, text_tower=0.1, image_tower=0, scale=2, bias=0)
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
    model = TrainableClipAttr(*parts, LrMultipliers(image_tower=0.1)).train()
    norms = [module for module in model.clip.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert norms
    assert not any(module.training for module in norms)
    assert model.classifier.training


def test_nothing_to_train_is_an_error(parts):
    with pytest.raises(InputError, match="lr_multipliers: all are 0"):
        TrainableClipAttr(*parts, LrMultipliers(prompts=0, text_tower=0, scale=0))


def test_the_temperature_is_bounded_by_one_hundred(parts):
    model = TrainableClipAttr(*parts, LrMultipliers())
    for start, bounded in ((9.0, math.log(100)), (-1.0, 0.0), (2.0, 2.0)):
        with torch.no_grad():
            model.clip.logit_scale.fill_(start)
        model.bound_temperature()
        assert model.clip.logit_scale.item() == pytest.approx(bounded)


def test_phrase_prompts_have_the_full_rate(parts):
    clip, classifier = parts
    phrases = PhrasePrompts(clip.text_width, 2)
    model = TrainableClipAttr(clip, classifier, LrMultipliers(prompts=0, text_tower=0), phrases)
    rates = {
        id(parameter): group["lr"]
        for group in model.groups(Optimisation(lr=0.5))
        for parameter in group["params"]
    }
    assert {rates[id(parameter)] for parameter in phrases.parameters()} == {0.5}
