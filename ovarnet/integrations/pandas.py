"""Detections -> pandas.DataFrame; pandas is imported only where a table is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ovarnet.errors import InputError
from ovarnet.structures import Detections

if TYPE_CHECKING:
    import pandas


def to_pandas(found: Detections) -> pandas.DataFrame:
    """Convert to a table, one row a box.

    Args:
        found: N boxes.

    Returns:
        N rows with the columns of `columns`.

    Raises:
        InputError: pandas is not installed.
    """
    try:
        import pandas
    except ImportError:
        raise InputError(
            "a table needs pandas, which is not installed: pip install pandas"
        ) from None
    return pandas.DataFrame(columns(found))


def columns(found: Detections) -> dict[str, Any]:
    """The columns of the table.

    Args:
        found: N boxes, C categories and A attributes.

    Returns:
        {name: N values}: ``x1``, ``y1``, ``x2``, ``y2``, ``score``, ``category`` (None without
        categories), C columns ``category_scores.WORD`` and A columns ``attribute_scores.WORD``, in
        the order of the words; one word may be both, such as "orange".
    """
    table: dict[str, Any] = dict(
        zip(("x1", "y1", "x2", "y2"), found.boxes.cpu().numpy().T, strict=True)
    )
    table["score"] = found.scores.cpu().numpy()
    table["category"] = found.best_category
    for name, words in (
        ("category_scores", found.categories),
        ("attribute_scores", found.attributes),
    ):
        scores = getattr(found, name).cpu().numpy().T
        table.update({f"{name}.{word}": row for word, row in zip(words, scores, strict=True)})
    return table
