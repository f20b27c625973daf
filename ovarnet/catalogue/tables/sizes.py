"""How much the tables of `ovarnet reproduce catalogue` run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Sizes:
    """How much is run.

    Attributes:
        seeds: Number of seeds of the trained rows.
        rows: Only rows whose name contains one of these.
        clip_iterations: Of each run on a shop's photos.
        products: Of the drawn catalogue.
        training_products: Of these, that a matcher is trained on.
        iterations: Of each matcher.
        aligner_iterations: Of the captioner that aligns words and patches.
        fine_tuning_iterations: Of each model that starts from a matcher.
        kinds: Subcategories whose test products are evaluated on, evenly spread.
        spread: Test products, of all subcategories, for labels and titles.
        queries: Of each direction of retrieval.
    """

    seeds: int = 3
    rows: Sequence[str] = ("",)
    clip_iterations: int = 240
    products: int = 7640
    training_products: int = 1500
    iterations: int = 400
    aligner_iterations: int = 300
    fine_tuning_iterations: int = 200
    kinds: int = 3
    spread: int = 240
    queries: int = 100

    def chosen(self, seeds: int | None, rows: Sequence[str] | None) -> Sizes:
        """With other seeds and rows, where they are given."""
        return replace(self, seeds=seeds or self.seeds, rows=rows or self.rows)

    def wants(self, row: str) -> bool:
        """Whether a row of this name is run."""
        return any(text in row for text in self.rows)


FULL = Sizes()
QUICK = Sizes(
    seeds=1,
    clip_iterations=2,
    products=400,
    training_products=40,
    iterations=2,
    aligner_iterations=20,
    fine_tuning_iterations=2,
    kinds=40,
    spread=40,
    queries=4,
)
"""Does every row run? Its numbers mean nothing."""
