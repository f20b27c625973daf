"""Titles written for drawn products, beside the most frequent title and the nearest product's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ovarnet.catalogue.evaluation.captioning import bleu, cider, rouge_l
from ovarnet.catalogue.product import Product
from ovarnet.catalogue.tables.queried import QueriedProducts
from ovarnet.catalogue.title_writer import load_title_writer
from ovarnet.evaluation.runs import Result

FREQUENT, NEAREST = "titles: the most frequent", "titles: of the nearest training photo"
WRITTEN = "titles: written by the fine-tuned matcher"
BLEU, ROUGE, CIDER = "BLEU-4", "ROUGE-L", "CIDEr (0 to 10)"
TITLES = [BLEU, ROUGE, CIDER]


def written_titles(checkpoint: Path, drawn: QueriedProducts) -> Result:
    """Scores of a fine-tuned model."""
    writer = load_title_writer(checkpoint, device="cpu")
    return scores(writer.describe([product.image for product in drawn.spread]), drawn.spread)


def title_baselines(drawn: QueriedProducts) -> dict[str, Result]:
    """The most frequent training title, and that of the training photo of the nearest vector."""
    known = [product.title for product in drawn.training]
    most = Counter(known).most_common(1)[0][0]
    similar = drawn.encoder.photos(drawn.spread) @ drawn.encoder.photos(drawn.training).T
    nearest = [known[row] for row in similar.argmax(dim=1).tolist()]
    return {
        FREQUENT: scores([most] * len(drawn.spread), drawn.spread),
        NEAREST: scores(nearest, drawn.spread),
    }


def scores(written: Sequence[str], products: Sequence[Product]) -> Result:
    """BLEU-4 and ROUGE-L in percent, and CIDEr; all titles of a group are right.

    Args:
        written: A title for each product.
        products: With their titles.
    """
    right: dict[str, list[str]] = {}
    for product in products:
        right.setdefault(product.group, []).append(product.title)
    references = [right[product.group] for product in products]
    return {
        BLEU: 100 * bleu(written, references),
        ROUGE: 100 * rouge_l(written, references),
        CIDER: cider(written, references),
    }
