"""Stage "catalogue_matcher": FashionBERT or Kaleido-BERT on the products of a catalogue.

N samples, P patches, D width of a patch feature.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn import functional as F

from ovarnet.catalogue.data.prepared import open_catalogue
from ovarnet.catalogue.losses.adaptive import weigh_losses
from ovarnet.catalogue.losses.pretext import accuracy, match_loss, patch_loss, word_loss
from ovarnet.catalogue.modeling.bert import Bert
from ovarnet.catalogue.modeling.build import (
    CLIP_START,
    build_network,
    check_tasks,
    patch_layout,
    start_bert,
)
from ovarnet.catalogue.modeling.clip_start import clip_of_patches, start_from_clip
from ovarnet.catalogue.modeling.crop_encoder import CropEncoder, open_crop_encoder
from ovarnet.catalogue.modeling.matcher import SLOT_TASKS, MatcherNetwork
from ovarnet.catalogue.modeling.wordpiece import TOKENIZER_FILE, TitleTokens, WordPiece
from ovarnet.catalogue.pretext.alignment import coverage
from ovarnet.catalogue.pretext.masking import NOT_PREDICTED, Pair
from ovarnet.catalogue.pretext.patch_tasks import BLANK, GREY, MATCH, WORDS
from ovarnet.catalogue.product import Product
from ovarnet.catalogue.training.aligner import align_products
from ovarnet.catalogue.training.features import cached_features
from ovarnet.catalogue.training.matcher_data import PAIR, MatcherBatch, MatcherDataset
from ovarnet.catalogue.training.pairs import OtherProducts
from ovarnet.catalogue.training.queries import OtherQueries, queries_of
from ovarnet.catalogue.training.saving import save_model
from ovarnet.config.catalogue_bert import MatcherDesign, MatcherTraining
from ovarnet.errors import InputError
from ovarnet.training.engine.loop import run_stage

logger = logging.getLogger(__name__)


class MatcherModel(nn.Module):
    """A matcher with the losses of its tasks.

    Args:
        network: Encoder and heads.
        weights: Of the losses: "sum", "equal" or "adaptive".
        match_weight: Further factor of the loss of match.
        candidates: Size of the groups of a batch, see `MatcherDataset`.
    """

    def __init__(
        self,
        network: MatcherNetwork,
        weights: str,
        *,
        match_weight: float = 1.0,
        candidates: int = PAIR,
    ):
        super().__init__()
        self.network, self.weights, self.candidates = network, weights, candidates
        self.match_weight = match_weight
        self._measured: dict[str, Tensor] = {}

    def forward(self, batch: MatcherBatch) -> dict[str, Tensor]:
        """The weighted loss of each task."""
        losses, self._measured = task_losses(self.network, batch, self.candidates)
        weighted = weigh_losses(losses, self.weights)
        if MATCH in weighted:
            weighted[MATCH] = self.match_weight * weighted[MATCH]
        return weighted

    def measures(self) -> dict[str, Tensor]:
        """Accuracies in the last batch, for the log."""
        return self._measured


def task_losses(
    network: MatcherNetwork, batch: MatcherBatch, candidates: int = PAIR
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Losses of the tasks that the network has, and accuracies of those that are classifications.

    Args:
        network: Encoder and heads.
        batch: Corrupted products.
        candidates: Size of its groups.

    Returns:
        Task -> loss, and "TASK accuracy" -> share.
    """
    text = batch.text
    encoded = network.encoder(text.ids, text.segments, text.padding, batch.patches, batch.locations)
    losses: dict[str, Tensor] = {}
    measured: dict[str, Tensor] = {}
    for task in network.tasks:
        if task in (GREY, BLANK):
            continue
        if task == WORDS:
            chosen = batch.words != NOT_PREDICTED
            table = network.encoder.bert.tokens.weight
            logits = network.heads[WORDS](encoded.text[chosen], table)
            targets = batch.words[chosen]
            losses[task] = word_loss(logits, targets)
        elif task == MATCH:
            logits, targets = network.heads[MATCH](encoded.pooled), batch.matched
            losses[task] = match_loss(logits, targets, candidates)
        else:
            rows, _ = SLOT_TASKS[task]
            logits, targets = network.heads[task](encoded.patches[:, rows]), getattr(batch, task)
            losses[task] = F.cross_entropy(logits, targets)
        measured[f"{task} accuracy"] = accuracy(logits, targets)
    return losses | _restoration(network, batch, encoded.patches), measured


def _restoration(network: MatcherNetwork, batch: MatcherBatch, states: Tensor) -> dict[str, Tensor]:
    """Losses of grey and blank patches, each over the patches of its own level."""
    tasks = [task for task in (GREY, BLANK) if task in network.tasks]
    if not tasks:
        return {}
    predicted = network.heads["patches"](states, batch.restored)
    levels = network.encoder.layout.level_of.to(states.device)
    level = levels.expand_as(batch.restored)[batch.restored]
    is_last = level == len(network.encoder.layout.levels) - 1
    chosen = {GREY: ~is_last, BLANK: is_last}
    return {task: patch_loss(predicted[chosen[task]], batch.clean[chosen[task]]) for task in tasks}


def train_matcher(
    config: MatcherTraining, accelerator: Accelerator, *, resume: bool = False
) -> Path:
    """Train a matcher and write its checkpoint folder.

    Args:
        config: Settings of the stage.
        accelerator: Device, precision and processes.
        resume: Continue from the last saved state.

    Returns:
        The checkpoint folder.

    Raises:
        InputError: The catalogue is not prepared, a photo or a weights file cannot be read, or the
            settings do not fit each other.
    """
    check_tasks(config.patches, config.tasks)
    _check_groups(config)
    products = open_catalogue(config.data.root).split("train")[: config.limit]
    torch.manual_seed(config.seed)
    bert, tokenizer = start_bert(config.encoder, [product.title for product in products])
    encoder = open_crop_encoder(config.crops.network, config.crops.side).to(accelerator.device)
    design = make_design(config, bert, encoder)
    network = build_network(design, bert)
    starts_from_clip = config.encoder.start == CLIP_START
    clip = clip_of_patches(config.crops.network, encoder.width) if starts_from_clip else None

    queries = None
    if config.query_column is not None:
        queries = queries_of(products, config.query_column)
    tokens = tokenize(products, tokenizer, config.encoder.tokens, queries)
    dataset = make_dataset(config, products, tokens, tokenizer, encoder, accelerator)
    if clip is not None:
        start_from_clip(network.encoder, tokenizer, clip, some_patches(dataset))
    model = MatcherModel(
        network, config.weights, match_weight=config.match_weight, candidates=config.candidates
    )
    trained = run_stage(model, dataset, config, accelerator, resume=resume).network
    settings, texts = {"matcher": asdict(design)}, {TOKENIZER_FILE: tokenizer.to_json()}
    return save_model(config, accelerator, "matcher", settings, {"network": trained}, texts)


def some_patches(dataset: MatcherDataset, most: int = 200) -> Tensor:
    """(M, P, D) clean features of the first products, M at most `most`."""
    count = dataset.layout.count
    return torch.stack(
        [dataset.features.row(index)[:count] for index in range(min(most, len(dataset)))]
    )


def _check_groups(config: MatcherTraining) -> None:
    batch = config.optimisation.batch_size
    if config.candidates > PAIR and batch % config.candidates:
        raise InputError(
            f"optimisation.batch_size is {batch}, which is no whole number of groups of "
            f"candidates={config.candidates}; give a multiple of it"
        )


def make_design(config: MatcherTraining, bert: Bert, encoder: CropEncoder) -> MatcherDesign:
    """What the checkpoint of a run says about its network."""
    return MatcherDesign(
        patches=config.patches,
        grid=config.grid,
        foreground=config.data.foreground,
        tasks=list(config.tasks),
        network=config.crops.network,
        side=config.crops.side,
        digest=encoder.digest,
        features=encoder.width,
        vocabulary=len(bert.tokens.weight),
        hidden=bert.hidden,
        layers=len(bert.layers),
        heads=bert.heads,
        feed_forward=bert.feed_forward,
        positions=len(bert.positions.weight),
        tokens=config.encoder.tokens,
        dropout=config.encoder.dropout,
    )


def tokenize(
    products: tuple[Product, ...],
    tokenizer: WordPiece,
    length: int,
    queries: Sequence[str] | None = None,
) -> list[TitleTokens]:
    """Tokens of all titles, with queries where given; says how many were cut or are unknown."""
    asked = [None] * len(products) if queries is None else queries
    tokens = [
        tokenizer.encode(product.title, query, length)
        for product, query in zip(products, asked, strict=True)
    ]
    cut = sum(found.was_cut for found in tokens)
    unknown = sum(tokenizer.unknown in found.ids for found in tokens)
    for count, problem in ((cut, f"are cut to {length} tokens"), (unknown, "hold unknown letters")):
        if count:
            logger.warning("%d of %d titles %s", count, len(tokens), problem)
    return tokens


def align(
    config: MatcherTraining, products: tuple[Product, ...], tokens: list[TitleTokens]
) -> list[list[Pair]] | None:
    """Aligned words and patches of the training products; None without an aligner.

    Raises:
        InputError: Nothing could be aligned, or the patches are a grid.
    """
    if config.alignment is None:
        return None
    if config.patches == "grid":
        raise InputError("alignment needs patches=kaleido; a grid masks at random")
    titles = [found.names for found in tokens]
    pairs = align_products(
        config.alignment,
        products,
        titles,
        config.crops.cache,
        teacher_forcing=config.teacher_forcing,
    )
    share = coverage(titles, pairs)
    if not share:
        raise InputError(
            f"{config.alignment} aligns no word of the {len(titles)} titles; train it longer "
            "(optimisation.iterations), or leave alignment out"
        )
    logger.warning("%.1f %% of the content words are aligned with patches", 100 * share)
    return pairs


def make_dataset(
    config: MatcherTraining,
    products: tuple[Product, ...],
    tokens: list[TitleTokens],
    tokenizer: WordPiece,
    encoder: CropEncoder,
    accelerator: Accelerator,
) -> MatcherDataset:
    """The training data of a run; the main process fills the cache of features."""
    layout = patch_layout(config.patches, config.grid)
    with accelerator.main_process_first():
        features = cached_features(
            products, layout, encoder, config.crops.cache, foreground=config.data.foreground
        )
        pairs = align(config, products, tokens)
    others = OtherProducts(products, config.negatives)
    if others.fallbacks:
        logger.warning(
            "%d products have no other group in their subcategory; their negatives come from the "
            "category",
            others.fallbacks,
        )
    return MatcherDataset(
        products,
        tokens,
        features,
        layout,
        tokenizer,
        others,
        tasks=config.tasks,
        pairs=pairs,
        seed=config.seed,
        candidates=config.candidates,
        other_queries=other_queries(config, products, tokenizer),
    )


def other_queries(
    config: MatcherTraining, products: tuple[Product, ...], tokenizer: WordPiece
) -> OtherQueries | None:
    """Draws queries that a product contradicts; None without a column of queries."""
    column = config.query_column
    if column is None:
        return None
    queries = queries_of(products, column)
    return OtherQueries(products, queries, column, tokenizer, config.encoder.tokens)
