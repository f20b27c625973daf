"""The attribute oracle by enumeration, and titles that stand for photos of similar titles."""

import numpy as np
import pytest

from ovarnet.catalogue.evaluation.baselines import oracle_recall, tfidf_scores
from ovarnet.catalogue.product import Product


def product(name, colour, group=None):
    labels = {"color": colour}
    return Product(name, (f"{name}.jpg",), name, labels=labels, group=group or name)


def test_the_oracle_guesses_among_equal_labels():
    items = [product("a", "red"), product("b", "red"), product("c", "red"), product("d", "blue")]
    assert oracle_recall(items, items, ["color"], 1) == pytest.approx((3 * 1 / 3 + 1) / 4)
    assert oracle_recall(items, items, ["color"], 2) == pytest.approx((3 * 2 / 3 + 1) / 4)
    assert oracle_recall(items, items, [], 1) == pytest.approx(1 / 4)


def test_products_of_a_group_are_all_right():
    items = [product("a", "red", "g"), product("b", "red", "g"), product("c", "red")]
    assert oracle_recall(items[:1], items, ["color"], 1) == pytest.approx(2 / 3)


def test_a_title_stands_for_the_photos_of_similar_titles():
    pytest.importorskip("sklearn")
    titles = ["red mug"] * 5 + ["blue shoe"] * 5
    photos = np.eye(2)[[0] * 5 + [1] * 5]
    scores = tfidf_scores(["a red mug", "new blue shoe"], titles, photos, np.eye(2))
    np.testing.assert_allclose(scores, np.eye(2), atol=1e-3)
