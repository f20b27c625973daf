"""Stage "catalogue_labels": label columns from photo, title or both.

N products, T tokens, P patches, D width of a patch feature, C values of a column.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import Dataset

from ovarnet.catalogue.losses.pretext import accuracy
from ovarnet.catalogue.modeling.heads import LabelHeads
from ovarnet.catalogue.modeling.product_bert import ProductBert
from ovarnet.catalogue.modeling.wordpiece import TOKENIZER_FILE, WordPiece
from ovarnet.catalogue.pretext.masking import NOT_PREDICTED
from ovarnet.catalogue.product import Catalogue, Product
from ovarnet.catalogue.training.features import PatchFeatures
from ovarnet.catalogue.training.matcher_data import TextBatch, pad_texts
from ovarnet.catalogue.training.saving import save_model
from ovarnet.catalogue.training.start import open_start
from ovarnet.config.catalogue_bert import LabelTraining
from ovarnet.training.data.batch import TensorBatch
from ovarnet.training.engine.loop import run_stage
from ovarnet.training.engine.seeds import derive_seed

logger = logging.getLogger(__name__)
BOTH, PHOTO, TITLE = "both", "photo", "title"
INPUTS = (BOTH, PHOTO, TITLE)
"""What a model reads: without a title it gets an empty one, without a photo patches of zeros."""


@dataclass
class LabelBatch(TensorBatch):
    """Products and their labels.

    Attributes:
        text: Titles.
        patches: (N, P, D).
        locations: (N, P, 5).
        targets: (N, columns) int64, `NOT_PREDICTED` where a product has no value.
    """

    text: TextBatch
    patches: Tensor
    locations: Tensor
    targets: Tensor


class LabelDataset(Dataset):
    """Products with their labels; what is read of a product is drawn anew at every visit.

    Args:
        products: M.
        features: Of their photos.
        tokenizer: Of their titles.
        length: Most tokens.
        values: Column -> its values; others are not predicted.
        seed: Of the run.
        patches: P.
    """

    def __init__(
        self,
        products: Sequence[Product],
        features: PatchFeatures,
        tokenizer: WordPiece,
        length: int,
        values: Mapping[str, Sequence[str]],
        *,
        seed: int,
        patches: int,
    ):
        self.features, self.tokenizer, self.seed, self.patches = features, tokenizer, seed, patches
        self.tokens = [tokenizer.encode(product.title, None, length) for product in products]
        self.empty = tokenizer.encode("", None, length)
        places = {
            column: {value: index for index, value in enumerate(found)}
            for column, found in values.items()
        }
        self.targets = torch.tensor(
            [
                [
                    place.get(product.all_labels.get(column, ""), NOT_PREDICTED)
                    for column, place in places.items()
                ]
                for product in products
            ]
        )

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitems__(self, keys: Sequence[tuple[int, int]]) -> LabelBatch:
        """The batch of (iteration, index) keys."""
        reads = [
            random.Random(derive_seed(self.seed, step, index)).choice(INPUTS)
            for step, index in keys
        ]
        return self.batch([index for _, index in keys], reads)

    def batch(self, rows: Sequence[int], reads: Sequence[str]) -> LabelBatch:
        """Some products, each with what is read of it: "both", "photo" or "title"."""
        tokens = [
            self.empty if read == PHOTO else self.tokens[row]
            for row, read in zip(rows, reads, strict=True)
        ]
        patches = torch.stack([self.features.row(row)[: self.patches] for row in rows])
        patches[[read == TITLE for read in reads]] = 0
        return LabelBatch(
            pad_texts(
                [found.ids for found in tokens],
                [found.segments for found in tokens],
                self.tokenizer.pad,
            ),
            patches,
            torch.stack([self.features.location(row) for row in rows]),
            self.targets[list(rows)],
        )


class LabelModel(nn.Module):
    """Encoder and classifiers, with their losses.

    Args:
        encoder: Of a matcher.
        heads: One for each column.
    """

    def __init__(self, encoder: ProductBert, heads: LabelHeads):
        super().__init__()
        self.encoder, self.heads = encoder, heads
        self._measured: dict[str, Tensor] = {}

    def logits(self, batch: LabelBatch) -> dict[str, Tensor]:
        """Column -> (N, C)."""
        text = batch.text
        encoded = self.encoder(
            text.ids, text.segments, text.padding, batch.patches, batch.locations
        )
        return self.heads(encoded.pooled)

    def forward(self, batch: LabelBatch) -> dict[str, Tensor]:
        """Cross entropy of each column, mean over the products that have a value."""
        losses = {}
        for place, (column, logits) in enumerate(self.logits(batch).items()):
            targets = batch.targets[:, place]
            known = targets != NOT_PREDICTED
            losses[column] = (
                F.cross_entropy(logits[known], targets[known]) if known.any() else logits.sum() * 0
            )
            self._measured[f"{column} accuracy"] = accuracy(logits, targets)
        return losses

    def measures(self) -> dict[str, Tensor]:
        """Accuracies in the last batch, for the log."""
        return self._measured


def train_labels(config: LabelTraining, accelerator: Accelerator, *, resume: bool = False) -> Path:
    """Fine-tune a matcher's encoder and write the checkpoint folder of a tagger.

    Args:
        config: Settings of the stage.
        accelerator: Device, precision and processes.
        resume: Continue from the last saved state.

    Returns:
        The checkpoint folder.

    Raises:
        InputError: The matcher cannot be opened, or the catalogue lacks a column.
    """
    start = open_start(config, accelerator)
    catalogue = Catalogue(start.products, config.data.root)
    values = {column: sorted(catalogue.values(column)) for column in config.columns}
    for column, found in values.items():
        if len(found) == 1:
            logger.warning("column %s has one value, %s: nothing to learn", column, found[0])
    data = LabelDataset(
        start.products,
        start.features,
        start.tokenizer,
        start.design.tokens,
        values,
        seed=config.seed,
        patches=start.patches,
    )
    torch.manual_seed(config.seed)
    heads = LabelHeads(
        start.design.hidden, {column: len(found) for column, found in values.items()}
    )
    model = LabelModel(start.network.encoder.requires_grad_(True), heads)
    trained = run_stage(model, data, config, accelerator, resume=resume)
    return save_model(
        config,
        accelerator,
        "labels",
        {"matcher": asdict(start.design), "labels": values},
        {"encoder": trained.encoder, "heads": trained.heads},
        {TOKENIZER_FILE: start.tokenizer.to_json()},
    )
