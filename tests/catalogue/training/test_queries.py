"""Queries that a product contradicts, and the batches that hold them."""

import random

import pytest
from catalogue_batches import KEYS, PRODUCTS, dataset

from ovarnet.catalogue.modeling.wordpiece import QUERY, WordPiece
from ovarnet.catalogue.product import Product
from ovarnet.catalogue.training.queries import OtherQueries, queries_of, words_of
from ovarnet.errors import InputError


def product(name, title, **labels):
    return Product(name, (f"{name}.jpg",), title, labels=labels)


SHOP = [
    product("a", "Red mug", color="red", finish="shiny", query="shiny mug"),
    product("b", "Big mug", color="red", query="red mug"),
    product("c", "Blue plate", color="blue", query="blue plate"),
]


def others(column="query"):
    tokenizer = WordPiece.train([p.title for p in SHOP])
    return OtherQueries(SHOP, queries_of(SHOP, column), column, tokenizer, 16)


def test_a_query_with_a_word_that_is_not_said_of_the_product():
    rng, found = random.Random(0), others()
    assert {found.draw(0, rng) for _ in range(30)} == {"blue plate"}
    assert {found.draw(1, rng) for _ in range(30)} == {"shiny mug", "blue plate"}


def test_its_tokens_stand_before_the_title():
    tokens = others().tokens(0, random.Random(0))
    assert tokens.names == ["blue", "plate", "red", "mug"]
    assert tokens.segments.count(QUERY) == 4  # [CLS], two words, [SEP]


def test_a_product_without_query_is_named():
    with pytest.raises(InputError, match="product 'd' has no query; fill the column in"):
        queries_of([*SHOP, product("d", "Cup")], "query")


def test_a_column_that_no_product_has_is_named_with_those_there_are():
    wanted = "no product has a column qwery; query_column can be .*color, finish.*query"
    with pytest.raises(InputError, match=wanted):
        queries_of(SHOP, "qwery")


def test_words():
    assert words_of("A red, red Mug") == {"a", "red", "mug"}


class Always:
    """Gives the tokens of another product."""

    def __init__(self, tokens):
        self.made = tokens

    def tokens(self, index, rng):
        return self.made[(index + 1) % len(self.made)]


def test_half_of_the_mismatched_samples_have_the_wrong_query_and_their_own_photo():
    plain = dataset()
    data = dataset()
    data.other_queries = Always(plain.tokens)
    wrong_text = wrong_photo = 0
    for step in range(40):
        batch = data.__getitems__([(step, index) for _, index in KEYS])
        shown = (batch.patches[:, 6:14, 0] // 100).mode(dim=1).values.int().tolist()
        assert batch.matched.tolist() == [1, 0, 1, 0]
        for row in (1, 3):
            wrong_photo += shown[row] != row
            wrong_text += shown[row] == row
        assert (shown[0], shown[2]) == (0, 2)
    assert len(PRODUCTS) == 4
    assert wrong_photo + wrong_text == 80
    assert 25 <= wrong_text <= 55
