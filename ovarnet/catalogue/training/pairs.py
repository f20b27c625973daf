"""Which titles and photos meet in a batch: matched products, and photos of other products.

M products.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from ovarnet.catalogue.product import Product
from ovarnet.errors import InputError


class OtherProducts:
    """Draws products that are a wrong answer for another one.

    Args:
        products: M of a split.
        within: "any", or "subcategory": of the same subcategory, where it has none of the same
            category, else any; or "both": either, with equal chance. Never of the same group.

    Raises:
        InputError: All products are of one group.

    Attributes:
        fallbacks: Number of products whose subcategory has no other group.
    """

    def __init__(self, products: Sequence[Product], within: str):
        self.groups = [product.group or product.id for product in products]
        if len(set(self.groups)) < 2:
            raise InputError(
                "all products are of one group (or there is one product only), so that none is a "
                "wrong answer for another; give more products"
            )
        everything = self.everything = list(range(len(products)))
        self.pools: list[list[int]] = []
        self.within, self.fallbacks = within, 0
        if within == "any":
            self.pools = [everything] * len(products)
            return
        by_kind: dict[tuple[str, str], list[int]] = {}
        for index, product in enumerate(products):
            by_kind.setdefault(("subcategory", product.subcategory), []).append(index)
            by_kind.setdefault(("category", product.category), []).append(index)
        has_others = {
            key: len({self.groups[index] for index in pool}) > 1 for key, pool in by_kind.items()
        }
        for product in products:
            near = ("subcategory", product.subcategory)
            wide = ("category", product.category)
            self.fallbacks += not has_others[near]
            found = by_kind[near] if has_others[near] else by_kind[wide]
            self.pools.append(found if has_others[near] or has_others[wide] else everything)

    def draw(self, index: int, rng: random.Random) -> int:
        """A product of another group than product `index`."""
        is_any = self.within == "both" and rng.random() < 0.5
        pool = self.everything if is_any else self.pools[index]
        while True:
            other = pool[rng.randrange(len(pool))]
            if self.groups[other] != self.groups[index]:
                return other
