"""Batches of the stage "catalogue_matcher": titles, patches, and what is hidden of both.

N samples, T tokens, P patches, R rows of a photo, D width of a feature, K restored patches.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ovarnet.catalogue.modeling.patches import KALEIDO_LEVELS, PatchLayout
from ovarnet.catalogue.modeling.wordpiece import TitleTokens, WordPiece
from ovarnet.catalogue.pretext.masking import (
    NOT_PREDICTED,
    Pair,
    guided_masks,
    mask_tokens,
    token_budget,
)
from ovarnet.catalogue.pretext.patch_tasks import (
    MATCH,
    WORDS,
    CorruptedPatches,
    corrupt_grid,
    corrupt_kaleido,
    patch_budgets,
)
from ovarnet.catalogue.product import Product
from ovarnet.catalogue.training.features import PatchFeatures
from ovarnet.catalogue.training.pairs import OtherProducts
from ovarnet.catalogue.training.queries import OtherQueries
from ovarnet.training.data.batch import TensorBatch
from ovarnet.training.engine.seeds import derive_seed

PAIR = 2
"""Candidates of both papers: a matched sample and a mismatched one, of two products."""
QUERY_SHARE = 0.5
"""Of the mismatched samples, where there are queries: the query is wrong, not the photo."""


@dataclass
class TextBatch(TensorBatch):
    """Tokens of texts, padded to the longest.

    Attributes:
        ids: (N, T) int64.
        segments: (N, T) int64.
        padding: (N, T) bool, True where there is no token.
    """

    ids: Tensor
    segments: Tensor
    padding: Tensor


@dataclass
class MatcherBatch(TensorBatch):
    """Corrupted products and the answers.

    Attributes:
        text: With masked words.
        words: (N, T) int64 targets, `NOT_PREDICTED` elsewhere.
        patches: (N, P, D) corrupted features.
        locations: (N, P, 5).
        restored: (N, P) bool.
        clean: (K, D) features of the restored patches, in the order of `restored.nonzero()`.
        matched: (N,) int64, 1: title and photo are of one product.
        rotation, jigsaw, camouflage: (N,) int64 labels.
    """

    text: TextBatch
    words: Tensor
    patches: Tensor
    locations: Tensor
    restored: Tensor
    clean: Tensor
    matched: Tensor
    rotation: Tensor
    jigsaw: Tensor
    camouflage: Tensor


@dataclass
class _Sample:
    ids: list[int]
    segments: list[int]
    targets: list[int]
    photo: CorruptedPatches
    rows: Tensor
    location: Tensor
    matched: bool


def pad_texts(
    ids: Sequence[Sequence[int]], segments: Sequence[Sequence[int]], pad: int
) -> TextBatch:
    """Texts of several lengths as one batch."""
    length = max(map(len, ids))
    shape = (len(ids), length)
    padded, kinds = torch.full(shape, pad), torch.zeros(shape, dtype=torch.int64)
    padding = torch.ones(shape, dtype=torch.bool)
    for row, (tokens, segment) in enumerate(zip(ids, segments, strict=True)):
        padded[row, : len(tokens)] = torch.tensor(tokens)
        kinds[row, : len(tokens)] = torch.tensor(segment)
        padding[row, : len(tokens)] = False
    return TextBatch(padded, kinds, padding)


class MatcherDataset(Dataset):
    """Products of a split, matched and mismatched.

    With two candidates every other sample of a batch gets the photo of another product. With more,
    a batch is made of groups of one product: its own title and photo first, then its title with the
    photos of others or, in every other group, its photo with the titles of others.

    Args:
        products: M.
        tokens: Of their titles.
        features: Of their photos.
        layout: Of the patches.
        tokenizer: Of the titles.
        others: Draws photos and the donors of patches.
        tasks: Which tasks are trained.
        pairs: Aligned words and patches of each product, or None.
        seed: Of the run; everything drawn depends on it, the iteration and the product.
        candidates: Size of a group; batches hold whole groups.
        other_queries: Where the titles have queries: half of the mismatched samples get a query
            that the product contradicts in place of another photo. None: there are no queries.
    """

    def __init__(
        self,
        products: Sequence[Product],
        tokens: Sequence[TitleTokens],
        features: PatchFeatures,
        layout: PatchLayout,
        tokenizer: WordPiece,
        others: OtherProducts,
        *,
        tasks: Sequence[str],
        pairs: Sequence[Sequence[Pair]] | None,
        seed: int,
        candidates: int = PAIR,
        other_queries: OtherQueries | None = None,
    ):
        self.products, self.tokens, self.features = products, tokens, features
        self.layout, self.tokenizer, self.others = layout, tokenizer, others
        self.tasks, self.pairs, self.seed = tuple(tasks), pairs, seed
        self.candidates, self.other_queries = candidates, other_queries
        self.budgets = patch_budgets(layout, self.tasks)

    def __len__(self) -> int:
        return len(self.products)

    def __getitems__(self, keys: Sequence[tuple[int, int]]) -> MatcherBatch:
        """The batch of (iteration, index) keys."""
        samples = [
            self._sample(*self._met(place, keys), random.Random(derive_seed(self.seed, *key)))
            for place, key in enumerate(keys)
        ]
        text = pad_texts(
            [sample.ids for sample in samples],
            [sample.segments for sample in samples],
            self.tokenizer.pad,
        )
        words = torch.full(text.ids.shape, NOT_PREDICTED)
        for row, sample in enumerate(samples):
            words[row, : len(sample.targets)] = torch.tensor(sample.targets)
        photos = [sample.photo for sample in samples]
        return MatcherBatch(
            text=text,
            words=words,
            patches=torch.stack([photo.patches for photo in photos]),
            locations=torch.stack([sample.location for sample in samples]),
            restored=torch.stack([photo.restored for photo in photos]),
            clean=torch.cat(
                [sample.rows[: self.layout.count][sample.photo.restored] for sample in samples]
            ),
            matched=torch.tensor([int(sample.matched) for sample in samples]),
            rotation=torch.tensor([photo.rotation for photo in photos]),
            jigsaw=torch.tensor([photo.jigsaw for photo in photos]),
            camouflage=torch.tensor([photo.camouflage for photo in photos]),
        )

    def _met(self, place: int, keys: Sequence[tuple[int, int]]) -> tuple[int, bool, bool]:
        """Product of a sample, whether it is matched, and else whether its title is replaced."""
        if MATCH not in self.tasks:
            return keys[place][1], True, False
        group, candidate = divmod(place, self.candidates)
        if self.candidates == PAIR:
            return keys[place][1], candidate == 0, False
        return keys[group * self.candidates][1], candidate == 0, group % 2 == 1

    def _sample(self, index: int, matched: bool, by_photo: bool, rng: random.Random) -> _Sample:
        titled = shown = index
        wrong_query = None
        if not matched and self.other_queries is not None and rng.random() < QUERY_SHARE:
            wrong_query = self.other_queries.tokens(index, rng)
        elif not matched and by_photo:
            titled = self.others.draw(index, rng)
        elif not matched:
            shown = self.others.draw(index, rng)
        tokens = self.tokens[titled] if wrong_query is None else wrong_query
        donor = self.others.draw(shown, rng)
        # words and patches are aligned within a product
        pairs = self.pairs[index] if self.pairs is not None and matched else []
        masks = guided_masks(
            tokens.spans() if WORDS in self.tasks else {},
            pairs,
            self.layout,
            self.budgets,
            token_budget(len(tokens.ids)),
            rng,
        )
        ids, targets = mask_tokens(tokens, masks.words, self.tokenizer, rng)
        rows = self.features.row(shown)
        if self.layout.levels == KALEIDO_LEVELS:
            photo = corrupt_kaleido(rows, self.features.row(donor), masks.patches, self.tasks, rng)
        else:
            photo = corrupt_grid(rows, masks.patches)
        place = self.features.location(shown)
        return _Sample(ids, tokens.segments, targets, photo, rows, place, matched)
