"""Time the attribute AP on a VAW-test-sized matrix (31,819 boxes x 620 words) against looping scikit-learn over the labelled rows.

    python tools/benchmark_metrics.py
"""

import argparse
import time
import warnings

import numpy as np
from sklearn.metrics import average_precision_score

from ovarnet.evaluation.average_precision import average_precision


def vaw_sized(rows: int, words: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores in [0, 1] with three decimals (many ties) and labels with VAW test's shares: 0.29 % positive, 0.84 % negative."""
    random = np.random.default_rng(seed)
    draw = random.random((rows, words), dtype=np.float32)
    labels = np.full((rows, words), 2, np.int8)
    labels[draw < 0.01133] = 0
    labels[draw < 0.00289] = 1
    return random.random((rows, words), dtype=np.float32).round(3), labels


def looped_scikit_learn(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    values = []
    for word in range(labels.shape[1]):
        known = labels[:, word] < 2
        values.append(average_precision_score(labels[known, word], scores[known, word]))
    return np.array(values)


def timed(function, *arguments, repeats: int) -> tuple[float, np.ndarray]:
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = function(*arguments)
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=31819)
    parser.add_argument("--words", type=int, default=620)
    parser.add_argument("--repeats", type=int, default=3, help="the best of so many runs counts")
    arguments = parser.parse_args()
    scores, labels = vaw_sized(arguments.rows, arguments.words, seed=0)
    warnings.simplefilter("error")
    theirs, reference = timed(looped_scikit_learn, scores, labels, repeats=arguments.repeats)
    ours, values = timed(average_precision, scores, labels, repeats=arguments.repeats)
    print(f"{arguments.rows} x {arguments.words}, {(labels < 2).sum()} labelled entries")
    print(f"scikit-learn, looped  {theirs:.3f} s")
    print(f"average_precision     {ours:.3f} s   ({theirs / ours:.1f} x as fast)")
    print(f"largest difference    {np.abs(values - reference).max():.1e}")


if __name__ == "__main__":
    main()
