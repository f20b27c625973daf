"""Logits by hand, synonyms, calibration, and words encoded once."""

import math

import pytest
import torch
import torch.nn.functional as F

from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import Clip, load_clip
from ovarnet.modeling.text.classifier import NEUTRAL_TEXTS, TextClassifier
from ovarnet.modeling.text.prompts import LearnedPrompts, TemplatePrompts
from ovarnet.modeling.text.word_embeddings import WordEmbeddings
from ovarnet.vocabulary import Vocabulary, Word

WORDS = [Word("mug"), Word("red", "color", synonyms=("red", "crimson")), Word("zebra")]


@pytest.fixture(scope="module")
def built() -> tuple[Clip, dict]:
    torch.manual_seed(0)
    clip = load_clip("ovarnet-scenes", None, random_weights=True)
    return clip, {name: tensor.clone() for name, tensor in clip.state_dict().items()}


@pytest.fixture
def clip(built) -> Clip:
    """The same weights for every test, though some tests change them."""
    clip, state = built
    clip.load_state_dict(state)
    clip.zero_grad()
    return clip


@pytest.fixture
def classifier(clip) -> TextClassifier:
    return TextClassifier(clip, LearnedPrompts(96, (1, 1, 1)), bias=-2.0).eval()


def unit_words(owner: list[int]) -> WordEmbeddings:
    """Rows (1, 0), (0, 1), (.6, .8), ... of two-dimensional embeddings."""
    rows = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])[: len(owner)]
    return WordEmbeddings(rows, torch.tensor(owner), max(owner) + 1, "attribute")


def test_logits_are_scaled_cosines_plus_bias(classifier):
    with torch.no_grad():
        classifier.clip.logit_scale.fill_(math.log(10))
    regions = torch.tensor([[3.0, 4.0], [0.0, -2.0]])  # cosines .6 .8 1 and 0 -1 -.8
    expected = torch.tensor([[4.0, 6.0, 8.0], [-2.0, -12.0, -10.0]])
    torch.testing.assert_close(classifier(regions, unit_words([0, 1, 2])), expected)


def test_synonyms_count_by_their_best_at_test_and_by_their_mean_in_training(classifier):
    regions = torch.tensor([[3.0, 4.0], [0.0, -2.0]])
    words = unit_words([0, 1, 1])
    torch.testing.assert_close(
        classifier.cosines(regions, words), torch.tensor([[0.6, 1.0], [0.0, -0.8]])
    )
    classifier.train()
    torch.testing.assert_close(
        classifier.cosines(regions, words), torch.tensor([[0.6, 0.9], [0.0, -0.9]])
    )


def test_calibration_replaces_scale_and_bias_of_its_kind_and_is_saved(classifier, clip):
    regions = torch.tensor([[3.0, 4.0]])
    before = classifier(regions, unit_words([0, 1]))
    classifier.calibrate("category", 5.0, -1.0)
    torch.testing.assert_close(classifier(regions, unit_words([0, 1])), before)
    classifier.calibrate("attribute", 5.0, -1.0)
    torch.testing.assert_close(classifier(regions, unit_words([0, 1])), torch.tensor([[2.0, 3.0]]))
    again = TextClassifier(clip, LearnedPrompts(96, (1, 1, 1)), bias=0.0)
    again.load_state_dict(classifier.state_dict())
    torch.testing.assert_close(again(regions, unit_words([0, 1])), torch.tensor([[2.0, 3.0]]))
    with pytest.raises(InputError, match="two finite numbers"):
        classifier.calibrate("category", math.nan, 0.0)


@torch.no_grad()
def test_an_unfitted_clip_is_measured_against_neutral_texts(clip):
    classifier = TextClassifier(clip, TemplatePrompts()).eval()
    regions = torch.randn(3, 128)
    words = classifier.embed(WORDS[:1], "category")
    texts = F.normalize(clip.encode_text(NEUTRAL_TEXTS), dim=-1)
    neutral = F.normalize(texts.mean(dim=0), dim=0)
    regions_unit = F.normalize(regions, dim=-1)
    expected = clip.logit_scale.exp() * (
        regions_unit @ words.matrix.T - (regions_unit @ neutral)[:, None]
    )
    torch.testing.assert_close(classifier(regions, words), expected, atol=1e-4, rtol=0)


def test_no_regions_and_no_words(classifier):
    words, none = classifier.embed(WORDS, "category"), classifier.embed([], "category")
    assert classifier(torch.zeros(0, 128), words).shape == (0, 3)
    assert classifier(torch.randn(4, 128), none).shape == (4, 0)


@torch.no_grad()
def test_a_score_does_not_depend_on_the_other_words(classifier):
    regions = torch.randn(5, 128)
    together = classifier(regions, classifier.embed(WORDS, "attribute"))
    for column, word in enumerate(WORDS):
        alone = classifier(regions, classifier.embed([word], "attribute"))
        torch.testing.assert_close(together[:, column : column + 1], alone, atol=1e-4, rtol=0)


def test_training_computes_anew_with_gradient(classifier):
    classifier.train()
    logits = classifier(torch.randn(2, 128), classifier.embed(WORDS, "attribute"))
    logits.sum().backward()
    for parameter in (
        classifier.prompts.vectors,
        classifier.bias,
        classifier.clip.logit_scale,
        classifier.clip.model.text_projection,
    ):
        assert parameter.grad.abs().sum() > 0
    assert not classifier.eval().embed(WORDS, "attribute").matrix.requires_grad


def test_the_clip_is_not_registered_a_second_time(classifier):
    assert set(classifier.state_dict()) == {"bias", "calibration", "prompts.vectors"}


def test_five_thousand_words_are_one_product(classifier, monkeypatch):
    words = WordEmbeddings(
        F.normalize(torch.randn(5000, 128), dim=-1), torch.arange(5000), 5000, "category"
    )
    products, matmul = [], torch.Tensor.__matmul__
    monkeypatch.setattr(
        torch.Tensor, "__matmul__", lambda a, b: products.append((a.shape, b.shape)) or matmul(a, b)
    )
    assert classifier(torch.randn(100, 128), words).shape == (100, 5000)
    assert products == [((100, 128), (128, 5000))]


def test_words_of_another_model_are_refused(classifier):
    with pytest.raises(InputError, match="have 2 numbers and those of the regions 128"):
        classifier(torch.randn(1, 128), unit_words([0, 1]))


@torch.no_grad()
def test_a_vocabulary_is_encoded_as_its_words_are(classifier):
    words = Vocabulary(tuple(WORDS[:1]), tuple(WORDS))
    encoded, regions = classifier.encode_vocabulary(words), torch.randn(3, 128)
    assert encoded.words is words
    assert encoded.attributes.names == ("mug", "red", "zebra")
    categories, attributes = classifier.logits(regions, encoded)
    assert torch.equal(categories, classifier(regions, classifier.embed(WORDS[:1], "category")))
    assert torch.equal(attributes, classifier(regions, classifier.embed(WORDS, "attribute")))


@torch.no_grad()
def test_neutral_texts_are_encoded_with_the_words_of_an_unfitted_clip_only(clip, classifier):
    assert classifier.embed(WORDS, "attribute").neutral is None, "it has a bias"
    unfitted = TextClassifier(clip, TemplatePrompts()).eval()
    assert unfitted.embed(WORDS, "attribute").neutral.shape == (1, 128)
    unfitted.calibrate("attribute", 5.0, -1.0)
    assert unfitted.embed(WORDS, "attribute").neutral is None
    assert unfitted.embed(WORDS, "category").neutral is not None
