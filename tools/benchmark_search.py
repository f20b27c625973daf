#!/usr/bin/env python
"""Time the search among many product vectors: the HNSW graph beside comparing every product.

    python tools/benchmark_search.py --vectors 1000000

The vectors are made: points of a few dozen free directions with noise around them, as the vectors
of a CLIP lie near a subspace; unit length, half precision. Queries are made alike. Seconds are of
the processor, so that other work on the machine does not count; one thread.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
from tqdm import tqdm

from ovarnet.catalogue.search.hnsw import DEPTH, LINKS, Hnsw

FREE, NOISE = 32, 0.3
"""Directions that vectors differ in, and the length of the noise beside them."""
TOP = 10
BLOCK = 50_000


def made_vectors(count: int, width: int, seed: int) -> np.ndarray:
    """Unit vectors (count, width) float16; those of one width lie near the same subspace."""
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(width, FREE)))[0].astype(np.float32)
    rng = np.random.default_rng([1, seed])
    vectors = np.empty((count, width), np.float16)
    for start in range(0, count, BLOCK):
        rows = min(BLOCK, count - start)
        free = rng.standard_normal((rows, FREE), dtype=np.float32)
        free /= np.linalg.norm(free, axis=1, keepdims=True)
        noise = rng.standard_normal((rows, width), dtype=np.float32) * (NOISE / width**0.5)
        part = free @ basis.T + noise
        vectors[start : start + rows] = part / np.linalg.norm(part, axis=1, keepdims=True)
    return vectors


def compare_all(vectors: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Rows of the nearest vectors, as the exact search finds them."""
    scores = np.concatenate(
        [
            vectors[start : start + BLOCK].astype(np.float32) @ query
            for start in range(0, len(vectors), BLOCK)
        ]
    )
    return np.argsort(-scores, kind="stable")[:TOP]


def recall(found: list[np.ndarray], right: list[np.ndarray]) -> float:
    """Share of the nearest vectors that were found."""
    hits = [len(set(f.tolist()) & set(r.tolist())) for f, r in zip(found, right, strict=True)]
    return sum(hits) / sum(map(len, right))


def peak_gb() -> float:
    """Most memory that this process has had, GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--vectors", type=int, default=1_000_000)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--queries", type=int, default=100)
    args = parser.parse_args()
    import faiss

    faiss.omp_set_num_threads(1)
    vectors = made_vectors(args.vectors, args.width, 0)
    queries = made_vectors(args.queries, args.width, 1).astype(np.float32)
    print(f"{args.vectors:,} vectors of {args.width} numbers, M {LINKS}, efSearch {DEPTH}")

    start = time.process_time()
    right = [compare_all(vectors, query) for query in queries]
    seconds = (time.process_time() - start) / args.queries
    print(f"every vector compared: {1000 * seconds:.1f} ms a query, peak {peak_gb():.2f} GB")

    start = time.process_time()
    with tqdm(total=args.vectors, desc="graph", unit="vector") as bar:
        graph = Hnsw.build(vectors, bar.update)
    print(f"graph built in {time.process_time() - start:.0f} s, peak {peak_gb():.2f} GB")

    start = time.process_time()
    found = [graph.search(query, TOP)[0] for query in queries]
    seconds = (time.process_time() - start) / args.queries
    print(
        f"graph: {1000 * seconds:.2f} ms a query, recall@{TOP} {recall(found, right):.3f}, "
        f"peak {peak_gb():.2f} GB"
    )


if __name__ == "__main__":
    main()
