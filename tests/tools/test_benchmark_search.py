"""The benchmark of the search: its vectors, its exact search, and what it prints."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

FILE = Path(__file__).parents[2] / "tools" / "benchmark_search.py"


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("benchmark_search", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_vectors_are_unit_and_lie_near_one_subspace(benchmark):
    first, second = (benchmark.made_vectors(300, 64, seed) for seed in (0, 1))
    assert first.dtype == np.float16
    assert np.allclose(np.linalg.norm(first.astype(np.float32), axis=1), 1, atol=1e-2)
    assert not np.allclose(first, second)
    together = np.concatenate([first, second]).astype(np.float32)
    energy = np.linalg.svd(together, compute_uv=False) ** 2
    assert 0.9 < energy[: benchmark.FREE].sum() / energy.sum() < 0.99


def test_the_exact_search_and_recall(benchmark, monkeypatch):
    monkeypatch.setattr(benchmark, "BLOCK", 7)
    vectors = np.eye(20, dtype=np.float16)
    query = np.arange(20, dtype=np.float32)
    assert benchmark.compare_all(vectors, query).tolist() == list(range(19, 9, -1))
    assert benchmark.recall([np.array([1, 2])], [np.array([2, 3])]) == 0.5


def test_it_runs(benchmark, monkeypatch, capsys):
    pytest.importorskip("faiss")
    monkeypatch.setattr(sys, "argv", ["benchmark_search.py", "--vectors", "2000", "--queries", "5"])
    benchmark.main()
    printed = capsys.readouterr().out
    assert printed.startswith("2,000 vectors of 256 numbers, M 32, efSearch 128\n")
    assert "recall@10 1.000" in printed or "recall@10 0.9" in printed
