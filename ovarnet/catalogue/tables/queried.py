"""The products that the tables of matchers evaluate on: some drawn ones, or a shop's.

N test products, Q queries, M training products, D the width of the CLIP.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from torch import Tensor

from ovarnet.catalogue.data.prepared import open_catalogue
from ovarnet.catalogue.evaluation.baselines import tfidf_scores
from ovarnet.catalogue.evaluation.pools import draw_pools
from ovarnet.catalogue.evaluation.retrieval import chance_of_hit, rank_all, rank_pools
from ovarnet.catalogue.modeling.encoder import ProductEncoder, load_encoder
from ovarnet.catalogue.product import Product
from ovarnet.catalogue.tables.sizes import Sizes
from ovarnet.evaluation.runs import Result

START = "scenes-clip-attr"
"""The CLIP of the generated world: the dual encoder of drawn products."""
BY_TEXT, BY_PHOTO = "title → photo", "photo → title"
CUTS = (1, 10)
SHOWN = ("subcategory", "color", "pattern", "finish", "border", "condition")
"""Labels that the photo of a drawn product shows and a title may say."""


class QueriedProducts:
    """Test products, queries, pools, and what the rows are compared with.

    Args:
        root: The catalogue, prepared.
        sizes: How much is evaluated.
        start: The CLIP that is the dual encoder.
        kinds: Test products of so many subcategories alone; None: all.
        shown: Labels that a photo shows and a title may say.

    Attributes:
        root: Its folder.
        test: N products.
        training: M products.
        spread: Test products of all subcategories, for labels and titles.
        queries: Rows of Q test products.
        pools: Of 101 candidates, or of all there are in a small catalogue.
    """

    def __init__(
        self,
        root: Path,
        sizes: Sizes,
        *,
        start: str = START,
        kinds: int | None = None,
        shown: Sequence[str] = SHOWN,
    ):
        catalogue = open_catalogue(root)
        everything = catalogue.split("test").products
        self.root, self.start, self.shown = root, start, shown
        self.test = everything if kinds is None else of_kinds(everything, kinds)
        self.spread = everything[: sizes.spread]  # drawn subcategories take turns
        self.training = catalogue.split("train").products[: sizes.training_products]
        order = np.random.default_rng(0).permutation(len(self.test))
        self.queries: list[int] = order[: sizes.queries].tolist()
        self.pools = draw_pools(self.test, self.queries, seed=0)

    @cached_property
    def encoder(self) -> ProductEncoder:
        """The dual encoder."""
        return load_encoder(self.start)

    @cached_property
    def images(self) -> Tensor:
        """(N, D) unit vectors of the photos by the dual encoder."""
        return self.encoder.photos(self.test, progress="test photos")

    @cached_property
    def similar(self) -> np.ndarray:
        """(N, N) cosines of titles and photos by the dual encoder."""
        texts = self.encoder.texts([product.title for product in self.test])
        return (texts @ self.images.T).numpy()

    @cached_property
    def baselines(self) -> dict[str, Result]:
        """Chance, a bag of words, the dual encoder, and who knows what titles say."""
        bag = tfidf_scores(
            [product.title for product in self.test],
            [product.title for product in self.training],
            self.encoder.photos(self.training, progress="training photos").numpy(),
            self.images.numpy(),
        )
        chance = {
            f"{direction}: R@{cut}": 100 * chance_of_hit(self.pools.rows.shape[1], 1, cut)
            for direction in (BY_TEXT, BY_PHOTO)
            for cut in CUTS
        }
        chance |= {
            f"{self.everything}: R@{cut}": 100 * chance_of_hit(len(self.test), 1, cut)
            for cut in CUTS
        }
        return {
            "chance": chance,
            "TF-IDF": self.in_pools(bag) | self.among_all(bag[self.queries]),
            "dual encoder": self.in_pools(self.similar)
            | self.in_pools(self.similar.T, BY_PHOTO)
            | self.among_all(self.similar[self.queries]),
            "oracle": self._oracle(),
        }

    @property
    def everything(self) -> str:
        """Title of the columns of retrieval among all test products."""
        return f"{BY_TEXT}, all {len(self.test)}"

    def in_pools(self, scores: np.ndarray, direction: str = BY_TEXT) -> Result:
        """Recall in percent of scores (N, N) of all queries and candidates, within the pools."""
        return self.recall(
            np.take_along_axis(scores[self.queries], self.pools.rows, axis=1), direction
        )

    def recall(self, scores: np.ndarray, direction: str) -> Result:
        """Recall in percent of the scores (Q, 101) of the pools."""
        found = rank_pools(scores)
        return {f"{direction}: R@{cut}": 100 * found.recall(cut) for cut in CUTS}

    def among_all(self, scores: np.ndarray) -> Result:
        """Recall in percent of scores (Q, N) among all test products."""
        groups = np.array([product.group for product in self.test])
        found = rank_all(scores, groups[self.queries], groups)
        return {f"{self.everything}: R@{cut}": 100 * found.recall(cut) for cut in CUTS}

    def _oracle(self) -> Result:
        """Expected recall of who sees every label that a title says, and nothing else."""
        fits = np.array(
            [[says(query, other, self.shown) for other in self.test] for query in self.test]
        )
        in_pool = np.take_along_axis(fits[self.queries], self.pools.rows, axis=1).sum(axis=1)
        among_all = fits[self.queries].sum(axis=1)
        return {
            f"{title}: R@{cut}": 100 * float(np.mean([chance_of_hit(n, 1, cut) for n in counts]))
            for title, counts in ((BY_TEXT, in_pool), (self.everything, among_all))
            for cut in CUTS
        }


def of_kinds(products: Sequence[Product], count: int) -> tuple[Product, ...]:
    """Products of `count` subcategories, evenly spread over their names."""
    kinds = sorted({product.subcategory for product in products})
    chosen = set(kinds[:: max(1, len(kinds) // count)][:count])
    return tuple(product for product in products if product.subcategory in chosen)


def says(query: Product, other: Product, shown: Sequence[str]) -> bool:
    """Whether another product has all values that a product's title says of the shown labels."""
    title = query.title.lower()
    return all(
        other.all_labels.get(column) == value
        for column in shown
        if (value := query.all_labels.get(column))
        and re.search(rf"\b{re.escape(value.lower())}\b", title)
    )
