"""The search index of a catalogue: one vector per product, and the products themselves.

N products, D the embedding width. Up to `EXACT` products a search compares with every one; above,
and with `approximate`, faiss's HNSW graph finds most of the nearest.

    INDEX/index.json            format, model, hash of its weights, settings
    INDEX/vectors.safetensors   "products" (N, D) float16
    INDEX/products.jsonl        one product a line; photos relative to INDEX
    INDEX/hnsw.faiss            the graph, where there is one
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from ovarnet.catalogue.product import Catalogue, Product
from ovarnet.catalogue.search.hnsw import Hnsw
from ovarnet.errors import InputError, did_you_mean
from ovarnet.io.files import parse_json, read_json, read_text, write_json, write_text

FORMAT = "ovarnet-index/1"
SETTINGS, VECTORS, PRODUCTS, GRAPH = (
    "index.json",
    "vectors.safetensors",
    "products.jsonl",
    "hnsw.faiss",
)
EXACT = 200_000
"""Most products that are compared one by one."""
TITLE_WEIGHT = 0.1
"""Share of the title in a product's vector; the rest is its photo."""


@dataclass(frozen=True)
class Hit:
    """A product that was found. score: cosine with the query."""

    product: Product
    score: float


@dataclass(frozen=True)
class IndexSettings:
    """How an index was made.

    Attributes:
        model: What the encoder was opened by.
        weights: Hash of its weights; queries must be encoded by the same.
        title_weight: Share of the title in a product's vector.
        foreground: Whether photos were cut to the product.
    """

    model: str
    weights: str
    title_weight: float
    foreground: bool


class SearchIndex:
    """Product vectors that are searched.

    Args:
        catalogue: N products.
        vectors: (N, D) unit vectors, any float type.
        settings: How they were made.
        graph: Searched in place of the vectors; None: every product is compared.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        vectors: np.ndarray,
        settings: IndexSettings,
        graph: Hnsw | None = None,
    ):
        assert len(vectors) == len(catalogue)
        self.catalogue, self.settings, self.graph = catalogue, settings, graph
        self.vectors = vectors

    def __len__(self) -> int:
        return len(self.catalogue)

    def search(
        self, query: np.ndarray, top: int = 10, where: Mapping[str, str] | None = None
    ) -> list[Hit]:
        """Find the nearest products.

        Args:
            query: (D,) unit vector of the encoder that the index was made with.
            top: Most products to return.
            where: Label column -> value that a product must have; case does not matter.

        Returns:
            Best first; fewer than `top` where fewer fit.

        Raises:
            InputError: Another width, or an unknown column or value.
        """
        if query.shape != (self.vectors.shape[1],):
            raise InputError(
                f"the query has {query.size} numbers and the index {self.vectors.shape[1]}; encode "
                "it with the model of the index"
            )
        rows = self.rows_where(where or {})
        if self.graph is not None and len(rows) > EXACT:
            subset = None if len(rows) == len(self) else rows
            found, scores = self.graph.search(query, min(top, len(rows)), subset)
        else:
            found, scores = self._compare(query, top, rows)
        return [
            Hit(self.catalogue[int(row)], float(score))
            for row, score in zip(found, scores, strict=True)
        ]

    def rows_where(self, where: Mapping[str, str]) -> np.ndarray:
        """Rows of the products whose labels have the given values.

        Raises:
            InputError: An unknown column or value.
        """
        fits = np.ones(len(self), bool)
        for column, value in where.items():
            wanted = {
                name
                for name in self.catalogue.values(column)
                if name.casefold() == value.casefold()
            }
            if not wanted:
                values = self.catalogue.values(column)
                raise InputError(
                    f"no product has {column}={value!r:.60}{did_you_mean(value, values)}; it has "
                    f"{', '.join(values[:20])}{', ...' if len(values) > 20 else ''}"
                )
            fits &= [product.all_labels.get(column) in wanted for product in self.catalogue]
        return np.flatnonzero(fits)

    def _compare(
        self, query: np.ndarray, top: int, rows: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        vectors = self.vectors if len(rows) == len(self) else self.vectors[rows]
        scores = vectors.astype(np.float32) @ query.astype(np.float32)
        best = np.argsort(-scores, kind="stable")[:top]
        return rows[best], scores[best]


def product_vectors(images: np.ndarray, titles: np.ndarray, title_weight: float) -> np.ndarray:
    """Unit vectors (N, D) of photo and title together; both are unit vectors (N, D)."""
    mixed = (1 - title_weight) * images + title_weight * titles
    return mixed / np.linalg.norm(mixed, axis=1, keepdims=True).clip(min=1e-12)


def save_index(folder: str | Path, index: SearchIndex) -> Path:
    """Write an index folder, replacing an older one in one step.

    Args:
        folder: Its final name.
        index: What to write.

    Raises:
        InputError: The folder exists and is no index.
    """
    folder = Path(os.path.abspath(folder))
    if folder.exists() and not (folder / SETTINGS).is_file() and any(folder.iterdir()):
        raise InputError(f"{folder}: is there and holds no index; give another --output")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as temporary:
        new = Path(temporary) / "new"
        new.mkdir()
        settings = index.settings
        write_json(
            new / SETTINGS,
            {
                "format": FORMAT,
                "model": settings.model,
                "weights": settings.weights,
                "title_weight": settings.title_weight,
                "foreground": settings.foreground,
                "products": len(index),
                "width": index.vectors.shape[1],
            },
            indent=1,
        )
        save_file({"products": np.ascontiguousarray(index.vectors, np.float16)}, new / VECTORS)
        (new / VECTORS).chmod(0o644)  # safetensors makes it readable by its owner alone
        lines = [
            json.dumps(_record(product, folder), ensure_ascii=False) for product in index.catalogue
        ]
        write_text(new / PRODUCTS, "\n".join(lines) + "\n")
        if index.graph is not None:
            index.graph.save(new / GRAPH)
        if folder.exists():
            os.replace(folder, Path(temporary) / "old")
        os.replace(new, folder)
    return folder


def load_index(folder: str | Path) -> SearchIndex:
    """Open an index.

    Args:
        folder: One that `save_index` wrote, or one that holds it as `index`.

    Raises:
        InputError: There is none, it is of another version, or damaged.
    """
    folder = Path(folder)
    if not (folder / SETTINGS).is_file() and (folder / "index" / SETTINGS).is_file():
        folder = folder / "index"
    if not (folder / SETTINGS).is_file():
        raise InputError(
            f"{folder}: no index; make one: ovarnet catalogue index --root SHOP --output {folder}"
        )
    stated = read_json(folder / SETTINGS, dict)
    if stated.get("format") != FORMAT:
        raise InputError(f"{folder}: not an index of this version ({FORMAT}); make it again")
    try:
        settings = IndexSettings(
            str(stated["model"]),
            str(stated["weights"]),
            float(stated["title_weight"]),
            bool(stated["foreground"]),
        )
        vectors = load_file(folder / VECTORS)["products"]
        lines = read_text(folder / PRODUCTS).splitlines()
        products = [_product(parse_json(line), folder) for line in lines]
        size = (int(stated["products"]), int(stated["width"]))
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, OSError, SafetensorError) as error:
        raise _damaged(folder, f"{type(error).__name__}: {error}") from None
    if vectors.shape != size or len(products) != size[0]:
        raise _damaged(folder, f"{len(products)} products, vectors {vectors.shape}")
    has_graph = (folder / GRAPH).is_file()
    graph = Hnsw.load(folder / GRAPH) if has_graph else None
    return SearchIndex(Catalogue(products, str(folder)), vectors, settings, graph)


def check_model(index: SearchIndex, weights: str, model: str) -> None:
    """Refuse to search an index with another model than it was made with.

    Raises:
        InputError: The hashes of the weights differ.
    """
    if weights != index.settings.weights:
        raise InputError(
            f"the index was made with {index.settings.model} (weights {index.settings.weights}) "
            f"and {model} has weights {weights}; make the index again with this model"
        )


def _damaged(folder: Path, why: str) -> InputError:
    return InputError(f"{folder}: the index is damaged ({why}); make it again")


def _record(product: Product, folder: Path) -> dict[str, Any]:
    return {
        "id": product.id,
        "image": os.path.relpath(product.image, folder),
        "title": product.title,
        "labels": product.all_labels,
    }


def _product(record: dict[str, Any], folder: Path) -> Product:
    return Product(
        id=str(record["id"]),
        images=(os.path.normpath(folder / record["image"]),),
        title=str(record["title"]),
        labels={str(name): str(value) for name, value in record["labels"].items()},
    )
