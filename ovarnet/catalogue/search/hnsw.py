"""Approximate search among many vectors: faiss's HNSW graph (M 32, as deep as its defaults)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ovarnet.errors import InputError

LINKS = 32
"""M of HNSW: links of a node."""
DEPTH = 128
"""efSearch: nodes that a search keeps in view."""
BLOCK = 10_000
"""Vectors that are added at once."""


class Hnsw:
    """A graph over unit vectors; the score of a vector is its inner product with the query.

    Args:
        index: faiss's.
    """

    def __init__(self, index: Any):
        self.index = index

    @classmethod
    def build(cls, vectors: np.ndarray, progress: Callable[[int], object] | None = None) -> Hnsw:
        """Build the graph.

        Args:
            vectors: (N, D) unit vectors, any float type.
            progress: Called with the number of vectors added since its last call.

        Raises:
            InputError: faiss is not installed.
        """
        faiss = _faiss()
        index = faiss.IndexHNSWFlat(vectors.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
        for start in range(0, len(vectors), BLOCK):
            part = np.ascontiguousarray(vectors[start : start + BLOCK], np.float32)
            index.add(part)
            if progress is not None:
                progress(len(part))
        return cls(index)

    def search(
        self, query: np.ndarray, top: int, rows: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Rows and scores of the nearest vectors, best first.

        Args:
            query: (D,).
            top: Most rows to return.
            rows: The only rows that may be returned; None: all.
        """
        faiss = _faiss()
        selector = None if rows is None else faiss.IDSelectorBatch(rows.astype(np.int64))
        settings = faiss.SearchParametersHNSW(efSearch=max(DEPTH, top), sel=selector)
        scores, found = self.index.search(
            np.ascontiguousarray(query[None], np.float32), top, params=settings
        )
        kept = found[0] >= 0
        return found[0][kept], scores[0][kept]

    def save(self, path: Path) -> None:
        """Write the graph with its vectors."""
        _faiss().write_index(self.index, str(path))

    @classmethod
    def load(cls, path: Path) -> Hnsw:
        """Read a graph.

        Raises:
            InputError: faiss is not installed, or the file is damaged.
        """
        faiss = _faiss()
        try:
            return cls(faiss.read_index(str(path)))
        except RuntimeError as error:
            raise InputError(f"{path}: damaged ({error}); make the index again") from None


def _faiss() -> Any:
    try:
        import faiss
    except ImportError:
        raise InputError(
            'searching more than 200,000 products needs faiss; pip install "ovarnet[catalogue]"'
        ) from None
    return faiss
