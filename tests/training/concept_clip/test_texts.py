"""Features of texts that are computed once give what prompts give."""

import copy

import pytest
import torch
import torch.nn.functional as F

from ovarnet.modeling.text.prompts import TemplatePrompts
from ovarnet.training.concept_clip.texts import (
    centre,
    class_texts,
    joint_embeddings,
    template_features,
    text_features,
)
from ovarnet.vocabulary import Word

TEMPLATES = ["a photo of something {}.", "{}."]
TEXTS = ["a mug", "a red car", "a dog on the grass"]


@pytest.fixture
def clip(photo_clip):
    """Its projection is not the identity that it starts as."""
    torch.manual_seed(2)
    copied = copy.deepcopy(photo_clip)
    torch.nn.init.normal_(copied.model.text.proj.appearance.weight)
    return copied


def test_class_texts_are_those_of_imagenet():
    texts = class_texts()
    assert len(texts) == 1000
    assert texts[0].startswith("tench")
    assert texts[999].startswith("toilet tissue")


@torch.no_grad()
def test_the_mean_of_the_texts_is_taken_off(clip):
    projection = clip.model.text.proj
    projection.mean.fill_(9.0)  # what stood there before does not matter
    found = centre(clip, TEXTS)
    mean = projection.mean.clone()
    projection.mean.zero_()
    raw = text_features(clip, TEXTS)
    torch.testing.assert_close(raw.norm(dim=1), torch.ones(3))
    torch.testing.assert_close(mean, raw.mean(dim=0))
    torch.testing.assert_close(found, F.normalize(raw - mean, dim=-1))
    projection.mean.copy_(mean)
    torch.testing.assert_close(text_features(clip, TEXTS), found, atol=1e-5, rtol=0)


@torch.no_grad()
def test_joint_embeddings_are_those_of_the_prompts(clip):
    centre(clip, TEXTS)
    names = ["striped", "made of wood", "red"]
    features = template_features(clip, names, TEMPLATES)
    assert features.shape == (3, 2, clip.embed_dim // 2)
    torch.testing.assert_close(features[1, 1], text_features(clip, ["made of wood."])[0])
    found = joint_embeddings(clip.model.text.proj, features)
    words = [Word(name) for name in names]
    expected = TemplatePrompts(attribute_templates=TEMPLATES).encode(clip, words, "attribute")
    torch.testing.assert_close(found, expected.matrix, atol=1e-5, rtol=0)


def test_no_words_have_no_features(clip):
    features = template_features(clip, [], TEMPLATES)
    assert joint_embeddings(clip.model.text.proj, features).shape == (0, clip.embed_dim)


def test_the_learned_half_takes_gradients(clip):
    features = template_features(clip, ["red"], TEMPLATES)
    assert not features.requires_grad
    joint_embeddings(clip.model.text.proj, features)[0, 0].backward()
    assert clip.model.text.proj.appearance.weight.grad.abs().sum() > 0
