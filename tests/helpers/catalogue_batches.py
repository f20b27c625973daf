"""Batches of four products whose features say which patch of which product they are."""

import numpy as np

from ovarnet.catalogue.modeling.patches import KALEIDO_LEVELS, PatchLayout
from ovarnet.catalogue.modeling.wordpiece import WordPiece
from ovarnet.catalogue.pretext.patch_tasks import KALEIDO_TASKS
from ovarnet.catalogue.product import Product
from ovarnet.catalogue.training.features import PatchFeatures
from ovarnet.catalogue.training.matcher_data import MatcherDataset
from ovarnet.catalogue.training.pairs import OtherProducts

TITLES = ["red mug with dots", "blue plate", "green belt of leather", "black hat"]
PRODUCTS = [
    Product(id=str(i), images=("a.png",), title=title, group=str(i))
    for i, title in enumerate(TITLES)
]


def dataset(tasks=KALEIDO_TASKS, levels=KALEIDO_LEVELS, rows=74, pairs=None, seed=0, candidates=2):
    """Row r of product i has the feature 100 i + r."""
    table = np.arange(4)[:, None, None] * 100 + np.arange(rows)[None, :, None]
    layout = PatchLayout(levels)
    places = np.random.default_rng(0).random((4, layout.count, 5), dtype=np.float32)
    tokenizer = WordPiece.train(TITLES * 2)
    return MatcherDataset(
        PRODUCTS,
        [tokenizer.encode(title, None, 16) for title in TITLES],
        PatchFeatures(table.astype(np.float16), places),
        layout,
        tokenizer,
        OtherProducts(PRODUCTS, "any"),
        tasks=tasks,
        pairs=pairs,
        seed=seed,
        candidates=candidates,
    )


KEYS = [(0, 0), (0, 1), (0, 2), (0, 3)]
