"""Words of the vocabulary in a sentence."""

import pytest

from ovarnet.captions.matcher import Term, TermMatcher
from ovarnet.captions.pipelines import blank_english
from ovarnet.vocabulary import Vocabulary, Word


def terms(text, vocabulary):
    nlp = blank_english()
    return TermMatcher(vocabulary, nlp)(nlp(text))


def test_the_longest_term_wins():
    words = Vocabulary.of(["dog", "hot dog"], ["hot"])
    assert terms("a hot dog and a hot plate", words) == [
        Term(1, 3, "hot dog", ()),
        Term(5, 6, None, ("hot",)),
    ]


@pytest.mark.parametrize("text", ["grey", "GRAY", "gray"])
def test_spellings(text):
    assert terms(text, Vocabulary.of([], ["gray"])) == [Term(0, 1, None, ("gray",))]


def test_plurals_are_of_categories_alone():
    words = Vocabulary.of(["knife"], ["stripe"])
    assert terms("knives stripes", words) == [Term(0, 1, "knife", ())]


def test_names_come_before_synonyms_and_those_before_general_ones():
    words = Vocabulary.of([Word("car", synonyms=("truck", "van")), "truck", "person"])
    assert [term.category for term in terms("truck van man", words)] == ["truck", "car", "person"]


def test_one_word_may_be_category_and_attribute():
    assert terms("orange", Vocabulary.of(["orange"], ["orange"])) == [
        Term(0, 1, "orange", ("orange",))
    ]


def test_a_fixed_expression_means_nothing():
    words = Vocabulary.of(["dog"], ["hot", "parking"])
    assert terms("hot dog , parking lot", words) == [Term(0, 2, None, ()), Term(3, 5, None, ())]
