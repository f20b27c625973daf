"""Scores of a matcher for pools of candidates, which it reads one pair at a time.

Q queries, K candidates of a query, P patches, D width of a patch feature.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from tqdm import tqdm

from ovarnet.catalogue.evaluation.pools import Pools
from ovarnet.catalogue.matcher import Matcher
from ovarnet.catalogue.product import Product
from ovarnet.catalogue.training.features import PatchFeatures


def score_pools(
    matcher: Matcher,
    products: Sequence[Product],
    features: PatchFeatures,
    pools: Pools,
    *,
    by_photo: bool,
) -> np.ndarray:
    """Score every candidate of every query.

    Args:
        matcher: Trained.
        products: N products.
        features: Of their photos, cut as the matcher reads them.
        pools: Candidates; the query is the first of each row.
        by_photo: A photo is the query and titles are the candidates; else the reverse.

    Returns:
        (Q, K) float32, as `ovarnet.catalogue.evaluation.retrieval.rank_pools` takes them.
    """
    count = matcher.encode_images.layout.count
    scores = []
    for row in tqdm(pools.rows.tolist(), desc="scoring pools", unit="query", mininterval=2.0):
        photos = [row[0]] * len(row) if by_photo else row
        texts = row if by_photo else [row[0]] * len(row)
        patches = torch.stack([features.row(index)[:count] for index in photos])
        locations = torch.stack([features.location(index) for index in photos])
        titles = [products[index].title for index in texts]
        scores.append(matcher.score_features(titles, patches, locations).numpy())
    return np.stack(scores)
