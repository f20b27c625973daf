"""Pools of 101: the own product first, no other of its group, the subcategory before the rest."""

import numpy as np
import pytest

from ovarnet.catalogue.evaluation.pools import draw_pools
from ovarnet.catalogue.product import Product
from ovarnet.errors import InputError


def products():
    """120 mugs, two of one group; 30 plates of the same category; 60 cars."""
    kinds = [("kitchen", "mug")] * 120 + [("kitchen", "plate")] * 30 + [("toys", "car")] * 60
    return [
        Product(str(n), (f"{n}.jpg",), f"t{n}", category, subcategory, group=str(max(n, 1)))
        for n, (category, subcategory) in enumerate(kinds)
    ]


def test_negatives_are_of_the_subcategory_and_not_of_the_group():
    items = products()
    pools = draw_pools(items, [0, 5], seed=3)
    assert pools.rows.shape == (2, 101)
    assert pools.rows[:, 0].tolist() == [0, 5]
    assert pools.hard == 1.0
    assert 1 not in pools.rows[0]
    for row in pools.rows:
        assert len(set(row)) == 101
        assert {items[i].subcategory for i in row} == {"mug"}


def test_a_small_subcategory_is_topped_up_from_its_category_first():
    items = products()
    pools = draw_pools(items, [130], seed=3)
    kinds = [items[i].subcategory for i in pools.rows[0, 1:]]
    assert (kinds.count("plate"), kinds.count("mug"), kinds.count("car")) == (29, 71, 0)
    assert pools.hard == 0.29


def test_the_seed_draws_the_pools():
    items = products()
    first, again, other = (draw_pools(items, [0], seed=seed).rows for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_too_few_products_are_refused():
    with pytest.raises(InputError, match="needs 300 products of other groups and there are 208"):
        draw_pools(products(), [0], seed=0, negatives=300)
