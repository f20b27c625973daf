"""Wrong answers are of another group, and near ones where there are some."""

import random

import pytest

from ovarnet.catalogue.product import Product
from ovarnet.catalogue.training.pairs import OtherProducts
from ovarnet.errors import InputError


def product(number, group, category, subcategory):
    return Product(
        id=str(number),
        images=("a.png",),
        title="a",
        group=group,
        category=category,
        subcategory=subcategory,
    )


PRODUCTS = [
    product(0, "a", "kitchen", "mug"),
    product(1, "a", "kitchen", "mug"),
    product(2, "b", "kitchen", "mug"),
    product(3, "c", "kitchen", "plate"),
    product(4, "d", "clothes", "belt"),
]


def drawn(within, index):
    others, rng = OtherProducts(PRODUCTS, within), random.Random(0)
    return {others.draw(index, rng) for _ in range(200)}, others.fallbacks


def test_any_product_of_another_group():
    assert drawn("any", 0) == ({2, 3, 4}, 0)


def test_same_subcategory_then_category_then_any():
    assert drawn("subcategory", 0) == ({2}, 2)
    assert drawn("subcategory", 3)[0] == {0, 1, 2}
    assert drawn("subcategory", 4)[0] == {0, 1, 2, 3}


def test_one_group_is_refused():
    with pytest.raises(InputError, match="all products are of one group"):
        OtherProducts(PRODUCTS[:2], "any")


def test_both_draws_from_the_subcategory_half_of_the_time():
    others, rng = OtherProducts(PRODUCTS, "both"), random.Random(0)
    found = [others.draw(0, rng) for _ in range(600)]
    assert set(found) == {2, 3, 4}
    # 2 is of the same subcategory: half of all, and a third of the other half
    assert found.count(2) / 600 == pytest.approx(2 / 3, abs=0.06)
