"""What a word can reach, by hand, and what it changes in a model's scores."""

import math

import pytest
import torch

from ovarnet.modeling.clip.concept_tower import CentredProjection
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.concept_reach import LEAST, concept_reach
from ovarnet.modeling.text.prompts import LearnedPrompts, TemplatePrompts
from ovarnet.modeling.text.stored_words import text_key
from ovarnet.vocabulary import Vocabulary, Word


def test_reach_is_the_largest_cosine_with_a_concept():
    """The learned half of a new projection is the text, so joint cosines are those of texts."""
    projection = CentredProjection(2)
    concepts = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])  # the last one is unused
    words = projection.joined(torch.tensor([[0.8, 0.6], [0.0, 1.0], [-1.0, 0.0]]))
    expected = torch.tensor([[0.8], [1.0], [LEAST]])
    joint = projection.joined(concepts)
    torch.testing.assert_close(concept_reach(words, joint), expected)
    assert concept_reach(words[:0], joint).shape == (0, 1)


@pytest.fixture
def classifier(photo_clip):
    """A photo CLIP with one concept, "cup"."""
    classifier = TextClassifier(photo_clip, TemplatePrompts(["{}"], ["{}"])).eval()
    cup = classifier.embed([Word("cup")], "category").matrix
    head = photo_clip.model.visual.head
    before = head.concepts.clone()
    head.concepts.zero_()
    head.concepts[0] = math.sqrt(2) * cup[0, : cup.shape[1] // 2]
    classifier.compare_by_reach(head)
    yield classifier
    head.concepts.copy_(before)


def test_a_concept_keeps_its_cosine_and_other_categories_are_divided(classifier):
    words = Vocabulary((Word("cup"), Word("zebra")), (Word("red"),))
    scaled = classifier.encode_vocabulary(words)
    lengths = scaled.categories.matrix.norm(dim=1)
    assert lengths[0].item() == pytest.approx(1, abs=1e-5)
    plain = TextClassifier(classifier.clip, classifier.prompts).eval().encode_vocabulary(words)
    cosine = (plain.categories.matrix[0] @ plain.categories.matrix[1]).item()
    assert lengths[1].item() == pytest.approx(1 / max(cosine, LEAST), abs=1e-5)
    torch.testing.assert_close(scaled.attributes.matrix, plain.attributes.matrix)


def test_stored_words_belong_to_the_concepts_by_value(classifier):
    """Zeros of either sign are the same."""
    key = text_key(classifier)
    with torch.no_grad():
        classifier.concepts[1:] = -0.0
        assert text_key(classifier) == key
        classifier.concepts[1, 0] = 1.0
    assert text_key(classifier) != key


def test_training_compares_by_cosines(classifier):
    classifier.train()
    with torch.no_grad():
        words = classifier.embed([Word("zebra")], "category")
    assert words.matrix.norm().item() == pytest.approx(1, abs=1e-5)


def test_learned_prompts_are_compared_by_cosines(classifier):
    """Their scale and bias were learned for cosines as they are."""
    clip = classifier.clip
    learned = TextClassifier(clip, LearnedPrompts(clip.text_width, (1, 1, 1)), bias=-2.0).eval()
    learned.compare_by_reach(clip.model.visual.head)
    with torch.no_grad():
        words = learned.embed([Word("zebra")], "category")
    assert words.matrix.norm().item() == pytest.approx(1, abs=1e-5)
