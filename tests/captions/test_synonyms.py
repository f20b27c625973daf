"""Lists that are edited by hand: no word twice, all singular, no synonym that is a category."""

import json
from pathlib import Path

from ovarnet.captions.inflection import singular
from ovarnet.captions.synonyms import CATEGORY_SYNONYMS, FIXED_EXPRESSIONS

WORDS = json.loads((Path(__file__).parent / "words.json").read_text(encoding="utf-8"))
COCO_CATEGORIES = {category["name"] for category in WORDS["categories"]}


def test_synonyms_are_of_coco_categories():
    assert set(CATEGORY_SYNONYMS) <= COCO_CATEGORIES


def test_no_synonym_means_two_categories():
    words = [word for text in CATEGORY_SYNONYMS.values() for word in text.split()]
    assert len(words) == len(set(words))
    assert not set(words) & {name.replace(" ", "_") for name in COCO_CATEGORIES}


def test_fixed_expressions_are_several_words_in_the_singular():
    expressions = FIXED_EXPRESSIONS.split()
    assert len(expressions) == len(set(expressions))
    for expression in expressions:
        words = expression.split("_")
        assert len(words) > 1
        assert singular(words[-1]) == words[-1], expression
