"""Time the metrics against their references, and compare the numbers.

python tools/benchmark_metrics.py            AP on a matrix of the size of VAW's test set (31,819
                                             boxes x 620 words) against a loop over scikit-learn
python tools/benchmark_metrics.py coco       COCOeval of faster-coco-eval against pycocotools:
                                             5,000 images x 65 categories
"""

from __future__ import annotations

import argparse
import contextlib
import io
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pycocotools.coco
import pycocotools.cocoeval
from faster_coco_eval import COCO, COCOeval_faster
from sklearn.metrics import average_precision_score

from ovarnet.evaluation.average_precision import average_precision

BOXES_PER_IMAGE, DETECTIONS_PER_IMAGE = 7, 100


def vaw_sized(rows: int, words: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores with three decimals (many ties) and labels with the shares of VAW's test set.

    Returns:
        Scores (rows, words) float32 in [0, 1]; labels (rows, words) int8 of which 0.29 % are
        positive and 0.84 % negative.
    """
    random = np.random.default_rng(seed)
    draw = random.random((rows, words), dtype=np.float32)
    labels = np.full((rows, words), 2, np.int8)
    labels[draw < 0.01133] = 0
    labels[draw < 0.00289] = 1
    return random.random((rows, words), dtype=np.float32).round(3), labels


def looped_scikit_learn(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(A,) AP of each word by scikit-learn."""
    values = []
    for word in range(labels.shape[1]):
        known = labels[:, word] < 2
        values.append(average_precision_score(labels[known, word], scores[known, word]))
    return np.array(values)


def timed(
    function: Callable[..., np.ndarray], *arguments: Any, repeats: int
) -> tuple[float, np.ndarray]:
    """The least seconds of `repeats` runs, and the result."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = function(*arguments)
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def coco_sized(images: int, categories: int, seed: int) -> tuple[dict, list[dict]]:
    """Ground truth of 7 boxes per image and 100 detections per image, half of them near a box."""
    random = np.random.default_rng(seed)
    shape = (images, DETECTIONS_PER_IMAGE)
    boxes = random_xywh(random, (images, BOXES_PER_IMAGE))
    kinds = random.integers(1, categories + 1, (images, BOXES_PER_IMAGE))

    chosen = random.integers(0, BOXES_PER_IMAGE, shape)
    shifts = random.normal(0, 12, (*shape, 4))
    near = np.take_along_axis(boxes, chosen[..., None], axis=1) + shifts
    far = random_xywh(random, shape)
    is_near = random.random(shape) < 0.5
    found = np.where(is_near[..., None], near, far).clip(1).round(2)
    found_kinds = np.where(
        is_near,
        np.take_along_axis(kinds, chosen, axis=1),
        random.integers(1, categories + 1, shape),
    )
    scores = random.random(shape).round(4)

    truth = [
        {
            "id": BOXES_PER_IMAGE * i + k + 1,
            "image_id": i,
            "category_id": int(kinds[i, k]),
            "bbox": boxes[i, k].tolist(),
            "iscrowd": 0,
            "area": float(boxes[i, k, 2] * boxes[i, k, 3]),
        }
        for i in range(images)
        for k in range(BOXES_PER_IMAGE)
    ]
    results = [
        {
            "image_id": i,
            "category_id": int(found_kinds[i, k]),
            "bbox": found[i, k].tolist(),
            "score": float(scores[i, k]),
        }
        for i in range(images)
        for k in range(DETECTIONS_PER_IMAGE)
    ]
    dataset = {
        "images": [{"id": i} for i in range(images)],
        "categories": [{"id": n + 1} for n in range(categories)],
        "annotations": truth,
    }
    return dataset, results


def random_xywh(random: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """(*shape, 4) boxes: corners in 0..400, sides in 10..200."""
    corners, sides = random.uniform(0, 400, (*shape, 2)), random.uniform(10, 200, (*shape, 2))
    return np.concatenate([corners, sides], axis=2)


def coco_statistics(evaluation_class: Any, truth: Any, results: list[dict]) -> np.ndarray:
    """The twelve numbers of COCO."""
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = evaluation_class(truth, truth.loadRes(results), iouType="bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return np.array(evaluation.stats[:12])


def measure_coco(images: int, categories: int) -> None:
    """Time both COCOevals once and print the difference of their numbers."""
    data, results = coco_sized(images, categories, seed=0)
    reference, fast = pycocotools.coco.COCO(), COCO()
    for reader in (reference, fast):
        reader.dataset = data
        with contextlib.redirect_stdout(io.StringIO()):
            reader.createIndex()
    theirs, expected = timed(
        coco_statistics, pycocotools.cocoeval.COCOeval, reference, results, repeats=1
    )
    ours, values = timed(coco_statistics, COCOeval_faster, fast, results, repeats=1)
    print(
        f"{images} images x {categories} categories, {len(results)} detections; AP "
        f"{values[0]:.4f}, AP50 {values[1]:.4f}"
    )
    print(f"pycocotools           {theirs:.1f} s")
    print(f"faster-coco-eval      {ours:.1f} s   ({theirs / ours:.1f} x as fast)")
    print(f"largest difference of the 12 statistics   {np.abs(values - expected).max():.1e}")


def measure_attributes(rows: int, words: int, repeats: int) -> None:
    """Time AP of all words at once against the loop and print the difference of the numbers."""
    scores, labels = vaw_sized(rows, words, seed=0)
    theirs, expected = timed(looped_scikit_learn, scores, labels, repeats=repeats)
    ours, values = timed(average_precision, scores, labels, repeats=repeats)
    print(f"{rows} x {words}, {(labels < 2).sum()} labelled entries")
    print(f"scikit-learn, looped  {theirs:.3f} s")
    print(f"average_precision     {ours:.3f} s   ({theirs / ours:.1f} x as fast)")
    print(f"largest difference    {np.abs(values - expected).max():.1e}")


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="?", choices=("attributes", "coco"), default="attributes")
    parser.add_argument("--images", type=int, default=5000, help="coco: how many")
    parser.add_argument("--rows", type=int, default=31819, help="attributes: boxes")
    parser.add_argument("--words", type=int, default=620, help="attributes: words")
    parser.add_argument("--repeats", type=int, default=3, help="attributes: the best run counts")
    arguments = parser.parse_args()
    warnings.simplefilter("error")
    if arguments.what == "coco":
        measure_coco(arguments.images, categories=65)
    else:
        measure_attributes(arguments.rows, arguments.words, arguments.repeats)


if __name__ == "__main__":
    main()
