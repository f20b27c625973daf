"""Scale and bias by logistic regression, on labels of base words."""

import math

import pytest
import torch

from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.prompts import TemplatePrompts
from ovarnet.structures import NO_CATEGORY, UNKNOWN, Annotations
from ovarnet.training.clip_attr.calibration import base_pairs, fit_scale_and_bias
from ovarnet.vocabulary import Vocabulary, Word


def test_scale_and_bias_are_those_the_labels_were_drawn_from():
    draw = torch.Generator().manual_seed(0)
    cosines = 0.2 + 0.1 * torch.randn(40_000, generator=draw)
    targets = (torch.rand(40_000, generator=draw) < torch.sigmoid(20 * cosines - 6)).float()
    scale, bias = fit_scale_and_bias(cosines, targets)
    assert (scale, bias) == (pytest.approx(20, rel=0.05), pytest.approx(-6, rel=0.05))


def test_the_fit_reproduces_the_share_of_positives():
    cosines = torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    targets = torch.tensor([0.0, 1.0, 0.0, 1.0, 0.0, 1.0])
    scale, bias = fit_scale_and_bias(cosines, targets)
    assert torch.sigmoid(scale * cosines + bias).mean().item() == pytest.approx(0.5, abs=1e-4)
    assert scale > 0


def test_a_single_label_and_labels_all_alike_give_finite_numbers():
    for targets in ([1.0], [0.0], [1.0, 1.0]):
        cosines = torch.tensor([0.2, 0.3])[: len(targets)]
        assert all(map(math.isfinite, fit_scale_and_bias(cosines, torch.tensor(targets))))


def test_only_labelled_pairs_of_base_words_are_used(small_clip):
    words = Vocabulary(
        (Word("mug", seen=True), Word("key"), Word("car", seen=True)),
        (Word("gray"), Word("red", seen=True)),
    )
    image = Annotations(
        "x.jpg",
        "1",
        10,
        10,
        torch.tensor([[0, 0, 5, 5], [1, 1, 9, 9], [2, 2, 4, 4.0]]),
        [2, 0, NO_CATEGORY],
        [[UNKNOWN, 1], [UNKNOWN, 0], [UNKNOWN, UNKNOWN]],
    )
    embeddings = torch.randn(3, small_clip.embed_dim, generator=torch.Generator().manual_seed(0))
    classifier = TextClassifier(small_clip, TemplatePrompts(["a {}"], ["a {}"])).eval()
    cosines, targets = base_pairs(embeddings, [image], classifier, words, "category")
    base = classifier.embed([words.categories[0], words.categories[2]], "category")
    assert targets.tolist() == [0, 1, 1, 0]
    assert torch.equal(cosines, classifier.cosines(embeddings, base)[:2].flatten())
    cosines, targets = base_pairs(embeddings, [image], classifier, words, "attribute")
    red = classifier.cosines(embeddings, classifier.embed([words.attributes[1]], "attribute"))
    assert targets.tolist() == [1, 0]
    assert torch.equal(cosines, red[:2, 0])
