"""The graph finds nearly all that brute force finds, also under a filter."""

import numpy as np
import pytest

from ovarnet.catalogue.search.hnsw import Hnsw
from ovarnet.errors import InputError

pytest.importorskip("faiss")


@pytest.fixture(scope="module")
def vectors():
    rows = np.random.default_rng(0).normal(size=(3000, 16)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def graph(vectors):
    return Hnsw.build(vectors)


def recall(graph, vectors, rows=None):
    allowed = np.arange(len(vectors)) if rows is None else rows
    hits = 0
    for query in vectors[:50]:
        best = allowed[np.argsort(-vectors[allowed] @ query)[:10]]
        found, scores = graph.search(query, 10, rows)
        assert (np.diff(scores) <= 0).all()
        hits += len(set(best) & set(found.tolist()))
    return hits / 500


def test_recall_against_brute_force(graph, vectors):
    assert recall(graph, vectors) >= 0.95


def test_recall_under_a_filter(graph, vectors):
    rows = np.arange(0, 3000, 3)
    found, _ = graph.search(vectors[1], 10, rows)
    assert set(found.tolist()) <= set(rows.tolist())
    assert recall(graph, vectors, rows) >= 0.9


def test_a_graph_reads_back(graph, vectors, tmp_path):
    graph.save(tmp_path / "g.faiss")
    read = Hnsw.load(tmp_path / "g.faiss")
    np.testing.assert_array_equal(read.search(vectors[5], 10)[0], graph.search(vectors[5], 10)[0])
    (tmp_path / "g.faiss").write_bytes(b"no graph")
    with pytest.raises(InputError, match="damaged"):
        Hnsw.load(tmp_path / "g.faiss")
