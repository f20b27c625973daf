"""Re-ranking: both models count, and nothing is added or lost."""

import pytest
import torch

from ovarnet.catalogue.product import Product
from ovarnet.catalogue.search.index import Hit
from ovarnet.catalogue.search.rerank import fused_scores, rerank


class Known:
    """Says how well a phrase fits by the name of the photo."""

    def __init__(self, **scores):
        self.scores, self.asked = scores, []

    def score(self, titles, images):
        self.asked += titles
        return torch.tensor([self.scores[image] for image in images])


def hits(**scores):
    return [Hit(Product(name, (name,), f"title of {name}"), s) for name, s in scores.items()]


def test_the_score_is_the_geometric_mean():
    scores = fused_scores(torch.tensor([0.5, 0.5]), torch.tensor([0.9, 0.1]), 10)
    assert scores.tolist() == pytest.approx([0.45**0.5, 0.05**0.5])


def test_products_are_sorted_by_both():
    matcher = Known(a=0.1, b=0.9, c=0.9)
    found = rerank(matcher, "red mug", hits(a=0.30, b=0.29, c=0.05), 10)
    assert [hit.product.id for hit in found] == ["b", "a", "c"]
    assert matcher.asked == ["red mug"] * 3
    assert found[0].score > found[1].score > found[2].score


def test_nothing_found_stays_nothing():
    assert rerank(Known(), "red mug", [], 10) == []
