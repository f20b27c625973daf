"""Which title meets which photo in a pool, with a matcher that says what it was given."""

from types import SimpleNamespace

import numpy as np
import torch

from ovarnet.catalogue.evaluation.matcher import score_pools
from ovarnet.catalogue.evaluation.pools import Pools
from ovarnet.catalogue.evaluation.retrieval import rank_pools
from ovarnet.catalogue.product import Product
from ovarnet.catalogue.training.features import PatchFeatures

PRODUCTS = [Product(id=str(i), images=("a.png",), title=str(i)) for i in range(4)]
# the patch of product i holds i; a second row stands for a pretext task and is not read
FEATURES = PatchFeatures(
    np.arange(4, dtype=np.float16)[:, None, None] + np.array([0, 100])[None, :, None],
    np.zeros((4, 1, 5), np.float32),
)
POOLS = Pools(np.array([[0, 2, 3], [1, 0, 2]]), 1.0)


class Pairs:
    encode_images = SimpleNamespace(layout=SimpleNamespace(count=1))

    def score_features(self, titles, patches, locations):
        assert patches.shape == (len(titles), 1, 1)
        return torch.tensor([10.0 * int(title) for title in titles]) + patches[:, 0, 0]


def test_photos_as_queries_and_titles_as_queries():
    by_photo = score_pools(Pairs(), PRODUCTS, FEATURES, POOLS, by_photo=True)
    assert by_photo.tolist() == [[0, 20, 30], [11, 1, 21]]
    by_title = score_pools(Pairs(), PRODUCTS, FEATURES, POOLS, by_photo=False)
    assert by_title.tolist() == [[0, 2, 3], [11, 10, 12]]
    assert rank_pools(by_photo).ranks.tolist() == [3, 2]
