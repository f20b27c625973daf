"""Every loss term of step II by hand."""

import math
from dataclasses import asdict

import pytest
import torch
from open_clip.loss import ClipLoss

from ovarnet.config import CaptionLossWeights
from ovarnet.modeling.text.phrase_prompts import PhrasePrompts
from ovarnet.training.clip_attr.step_two_criterion import (
    CaptionCriterion,
    TextEmbeddings,
    text_terms,
)
from ovarnet.training.clip_attr.step_two_data import (
    CaptionBatch,
)


def batch_of():
    """2 images, 3 regions, 2 categories, 4 attributes; the teacher's logits are drawn."""
    draw = torch.Generator().manual_seed(1)
    return CaptionBatch(
        torch.zeros(5, 3, 8, 8),
        ["a red mug and a key", "a key"],
        [["a red mug", "a key"], ["a key"]],
        image_categories=torch.tensor([[True, False], [False, False]]),
        image_attributes=torch.tensor([[True, False, False, True], [False, False, True, False]]),
        region_categories=torch.tensor([[False, True], [True, True], [True, False]]),
        region_attributes=torch.tensor(
            [[False, False, True, False], [True, True, False, False], [False, False, False, False]]
        ),
        region_mentioned=torch.tensor(
            [[True, False, False, False], [False, True, True, False], [False, True, False, False]]
        ),
        region_named=torch.tensor([True, False, True]),
        teacher_categories=2 * torch.randn(3, 2, generator=draw),
        teacher_attributes=2 * torch.randn(3, 4, generator=draw),
    )


@pytest.fixture
def texts(small_clip):
    prompts = PhrasePrompts(small_clip.text_width, 2)
    return TextEmbeddings.encode(small_clip, prompts, batch_of(), CaptionLossWeights())


def test_equal_phrases_are_one_row_of_both_images(texts):
    assert texts.phrases.shape[0] == 2
    assert texts.is_own.tolist() == [[True, True], [False, True]]
    assert texts.first.tolist() == [0, 1]
    assert texts.captions.norm(dim=1).tolist() == pytest.approx([1, 1], rel=1e-5)


NOVEL, UNMENTIONED = [False, True, True, False], 0.3


def criterion(**weights):
    terms = CaptionLossWeights(
        **{name: weights.get(name, 0.0) for name in asdict(CaptionLossWeights())}
    )
    return CaptionCriterion(ClipLoss(), terms, torch.tensor(NOVEL), UNMENTIONED)


def nce(rows, positives, divisor=1.0):
    """Mean over the rows with a positive of -log of the share of the positives; the logits of the
    others are divided."""
    losses = []
    for row, right in zip(rows.tolist(), positives.tolist(), strict=True):
        shares = [
            math.exp(z if is_right else z / divisor) for z, is_right in zip(row, right, strict=True)
        ]
        if any(right):
            losses.append(
                -math.log(
                    sum(share for share, is_right in zip(shares, right, strict=True) if is_right)
                    / sum(shares)
                )
            )
    return sum(losses) / len(losses)


def kl(teacher, student):
    """Mean over the rows of sum p log(p / q)."""
    p, q = (z.exp() / z.exp().sum(dim=1, keepdim=True) for z in (teacher, student))
    return (p * (p / q).log()).sum(dim=1).mean().item()


def mentioned(rows, batch):
    """Mean over the novel words of the regions whose category the caption names; words that are not
    mentioned weigh less."""
    entries = [
        math.log1p(math.exp(-z)) if is_mentioned else UNMENTIONED * math.log1p(math.exp(z))
        for row, attributes, named in zip(
            rows.tolist(), batch.region_mentioned.tolist(), batch.region_named.tolist(), strict=True
        )
        if named
        for z, is_mentioned, novel in zip(row, attributes, NOVEL, strict=True)
        if novel
    ]
    return sum(entries) / len(entries)


def both_ways(scale, images, texts):
    """The symmetric InfoNCE of pairs: each image among the texts, each text among the images."""
    own = torch.eye(len(images), dtype=torch.bool)
    return (nce(scale * images @ texts.T, own) + nce(scale * texts @ images.T, own)) / 2


def test_each_term_is_switchable_named_and_right(texts):
    draw = torch.Generator().manual_seed(0)
    images = torch.nn.functional.normalize(torch.randn(2, 128, generator=draw), dim=1)
    of_images, of_regions = (
        [3 * torch.randn(rows, words, generator=draw) for words in (2, 4)] for rows in (2, 3)
    )
    bias, batch = torch.tensor(-1.5), batch_of()
    z = (
        of_images[1] + 1.5,
        of_regions[1] + 1.5,
    )  # where a softmax divides logits, it takes them without the bias
    with torch.no_grad():
        expected = {
            "image_caption": both_ways(texts.scale, images, texts.captions),
            "image_phrase": both_ways(texts.scale, images, texts.phrases[[0, 1]]),
            "image_phrases": nce(
                texts.scale * images @ texts.phrases.T, torch.tensor([[True, True], [False, True]])
            ),
            "image_attributes": nce(z[0], batch.image_attributes, divisor=10),
            "image_categories": nce(of_images[0], batch.image_categories),
            "region_attributes": nce(z[1], batch.region_attributes, divisor=5),
            "region_categories": nce(of_regions[0], batch.region_categories),
            "mentioned_attributes": mentioned(of_regions[1], batch),
            "distil_attributes": kl(batch.teacher_attributes, of_regions[1]),
            "distil_categories": kl(batch.teacher_categories, of_regions[0]),
        }
    assert set(expected) == set(asdict(CaptionLossWeights()))
    for name, value in expected.items():
        for weight in (1.0, 2.0):
            found = criterion(**{name: weight})(images, texts, of_images, of_regions, bias, batch)
            assert set(found) == {name}
            assert found[name].item() == pytest.approx(weight * value, rel=1e-4), name
    paper = criterion(**asdict(CaptionLossWeights()))(
        images, texts, of_images, of_regions, bias, batch
    )
    assert set(paper) == set(expected) - {"mentioned_attributes"}, (
        "not in the paper: off by default"
    )


def test_a_learned_bias_does_not_turn_around_what_the_divisors_do(texts):
    images = torch.nn.functional.normalize(torch.randn(2, 128), dim=1)
    of_images, of_regions = (
        (torch.randn(2, 2), torch.randn(2, 4)),
        (torch.randn(3, 2), torch.randn(3, 4)),
    )
    paper = criterion(**asdict(CaptionLossWeights()))
    plain = paper(images, texts, of_images, of_regions, torch.tensor(0.0), batch_of())
    bias = torch.tensor(-10.0, requires_grad=True)
    biased = paper(
        images,
        texts,
        tuple(z + bias for z in of_images),
        tuple(z + bias for z in of_regions),
        bias,
        batch_of(),
    )
    for name, loss in plain.items():
        assert biased[name].item() == pytest.approx(loss.item(), abs=1e-5), name
    assert torch.autograd.grad(sum(biased.values()), bias)[0].item() == pytest.approx(0, abs=1e-5)


def test_terms_with_labels_of_words_do_not_choose_weights():
    weights = CaptionLossWeights(image_caption=2.0, image_phrase=3.0, image_phrases=0.0)
    kept = {name: value for name, value in asdict(text_terms(weights)).items() if value}
    assert kept == {"image_caption": 2.0, "image_phrase": 3.0}
    of_texts = CaptionCriterion(ClipLoss(), weights, torch.tensor(NOVEL), UNMENTIONED).of_texts()
    assert of_texts.weights == text_terms(weights)
