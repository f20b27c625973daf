"""What a trained matcher reaches on test products: retrieval, re-ranking, pre-training tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from ovarnet.catalogue.evaluation.matcher import score_pools
from ovarnet.catalogue.evaluation.pools import Pools
from ovarnet.catalogue.evaluation.pretexts import TaskResult, evaluate_pretexts
from ovarnet.catalogue.matcher import Matcher, load_matcher
from ovarnet.catalogue.pretext.patch_tasks import BLANK, GREY
from ovarnet.catalogue.search.rerank import CANDIDATES, fused_scores
from ovarnet.catalogue.tables.queried import BY_PHOTO, BY_TEXT, CUTS, QueriedProducts
from ovarnet.catalogue.training.features import PatchFeatures, cached_features
from ovarnet.catalogue.training.matcher import tokenize
from ovarnet.catalogue.training.matcher_data import MatcherDataset
from ovarnet.catalogue.training.pairs import OtherProducts
from ovarnet.evaluation.runs import Result
from ovarnet.evaluation.seed_table import markdown

RERANKED = "re-ranked "
"""Begins the names of what is measured after re-ranking."""


def retrieval_table(results: Mapping[str, Sequence[Result]], everything: str) -> str:
    """Retrieval in percent, with a row more for each matcher that re-ranks.

    Args:
        results: Row -> one result per seed.
        everything: Title of the columns of retrieval among all test products.
    """
    rows = dict(results)
    for row, seeds in results.items():
        reranked = [
            {n.removeprefix(RERANKED): v for n, v in result.items() if n.startswith(RERANKED)}
            for result in seeds
        ]
        if any(reranked):
            rows[f"dual encoder, best {CANDIDATES} re-ranked by: {row}"] = reranked
    titles = [*(f"{way}: R@{k}" for way in (BY_TEXT, BY_PHOTO, everything) for k in CUTS)]
    return markdown(rows, titles)


class MatcherEvaluation:
    """Retrieval in pools, and the pre-training tasks, on test products.

    Args:
        products: Of a catalogue.
        cache: Folder of the features.
    """

    def __init__(self, products: QueriedProducts, cache: Path):
        self.products, self.cache = products, cache

    def measure(self, checkpoint: Path, *, reranks: bool) -> Result:
        """All columns of a row.

        Args:
            checkpoint: Of the trained matcher.
            reranks: Whether it also re-ranks the dual encoder's best.
        """
        matcher = load_matcher(checkpoint, device="cpu")
        features = self.features(matcher)
        result: Result = {}
        for direction, by_photo in ((BY_TEXT, False), (BY_PHOTO, True)):
            scores = score_pools(
                matcher, self.products.test, features, self.products.pools, by_photo=by_photo
            )
            result |= self.products.recall(scores, direction)
        result |= self._tasks(matcher, features)
        if reranks:
            result |= self._reranked(matcher, features)
        return result

    def features(self, matcher: Matcher) -> PatchFeatures:
        """Of the test products, as the matcher reads them."""
        patches = matcher.encode_images
        return cached_features(
            self.products.test,
            patches.layout,
            patches.encoder,
            self.cache,
            foreground=patches.foreground,
        )

    def _tasks(self, matcher: Matcher, features: PatchFeatures) -> Result:
        """Each task once for every test product, with random masks, beside its chance."""
        design = matcher.design
        data = MatcherDataset(
            self.products.test,
            tokenize(self.products.test, matcher.tokenizer, design.tokens),
            features,
            matcher.encode_images.layout,
            matcher.tokenizer,
            OtherProducts(self.products.test, "any"),
            tasks=design.tasks,
            pairs=None,
            seed=0,
        )
        result: Result = {}
        for task, found in evaluate_pretexts(matcher.network, data, 1).items():
            name, value, chance = _printed(task, found)
            result |= {f"task {name}": value, f"chance of task {name}": chance}
        return result

    def _reranked(self, matcher: Matcher, features: PatchFeatures) -> Result:
        """Recall among all test products: the dual encoder's best, in the order of both."""
        similar = self.products.similar[self.products.queries]
        best = np.argsort(-similar, axis=1, kind="stable")[:, :CANDIDATES]
        pools = Pools(np.column_stack([self.products.queries, best]), hard=float("nan"))
        matched = score_pools(matcher, self.products.test, features, pools, by_photo=False)[:, 1:]
        scale = self.products.encoder.clip.logit_scale.exp().item()
        cosines = np.take_along_axis(similar, best, axis=1)
        fused = fused_scores(torch.from_numpy(cosines), torch.from_numpy(matched), scale)
        scores = similar - 2  # all others stay behind, in their order
        np.put_along_axis(scores, best, fused.numpy(), axis=1)
        return {f"{RERANKED}{name}": v for name, v in self.products.among_all(scores).items()}


def _printed(task: str, found: TaskResult) -> tuple[str, float, float]:
    """Name, value and chance as they are printed: in percent; divergences times 1,000."""
    assert found.chance is not None
    if task in (GREY, BLANK):
        return f"{task} (KL x 1,000, lower is better)", 1000 * found.value, 1000 * found.chance
    return task, 100 * found.value, 100 * found.chance
