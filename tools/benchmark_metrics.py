"""Time the metrics against their references, and compare the numbers.

python tools/benchmark_metrics.py            AP on a VAW-test-sized matrix (31,819 boxes x 620 words) against a loop over scikit-learn
python tools/benchmark_metrics.py coco       COCOeval of faster-coco-eval against pycocotools: 5,000 images x 65 categories
"""

import argparse
import contextlib
import io
import time
import warnings

import numpy as np
import pycocotools.coco
import pycocotools.cocoeval
from faster_coco_eval import COCO, COCOeval_faster
from sklearn.metrics import average_precision_score

from ovarnet.evaluation.average_precision import average_precision


def vaw_sized(rows: int, words: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores in [0, 1] with three decimals (many ties) and labels with VAW test's shares: 0.29 %
    positive, 0.84 % negative.
    """
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


def coco_sized(images: int, categories: int, seed: int) -> tuple[dict, list[dict]]:
    """Ground truth of 7 boxes per image and 100 detections per image, half of them near a box."""
    random = np.random.default_rng(seed)
    boxes = np.concatenate(
        [random.uniform(0, 400, (images, 7, 2)), random.uniform(10, 200, (images, 7, 2))], axis=2
    )
    kinds = random.integers(1, categories + 1, (images, 7))
    chosen = random.integers(0, 7, (images, 100))
    near = np.take_along_axis(boxes, chosen[..., None], axis=1) + random.normal(
        0, 12, (images, 100, 4)
    )
    far = np.concatenate(
        [random.uniform(0, 400, (images, 100, 2)), random.uniform(10, 200, (images, 100, 2))],
        axis=2,
    )
    is_near = random.random((images, 100)) < 0.5
    found = np.where(is_near[..., None], near, far).clip(1).round(2)
    found_kinds = np.where(
        is_near,
        np.take_along_axis(kinds, chosen, axis=1),
        random.integers(1, categories + 1, (images, 100)),
    )
    scores = random.random((images, 100)).round(4)
    truth = [
        {
            "id": 7 * i + k + 1,
            "image_id": i,
            "category_id": int(kinds[i, k]),
            "bbox": boxes[i, k].tolist(),
            "iscrowd": 0,
            "area": float(boxes[i, k, 2] * boxes[i, k, 3]),
        }
        for i in range(images)
        for k in range(7)
    ]
    results = [
        {
            "image_id": i,
            "category_id": int(found_kinds[i, k]),
            "bbox": found[i, k].tolist(),
            "score": float(scores[i, k]),
        }
        for i in range(images)
        for k in range(100)
    ]
    return {
        "images": [{"id": i} for i in range(images)],
        "categories": [{"id": n + 1} for n in range(categories)],
        "annotations": truth,
    }, results


def coco_statistics(evaluation_class, truth, results: list[dict]) -> np.ndarray:
    """The twelve numbers of COCO."""
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = evaluation_class(truth, truth.loadRes(results), iouType="bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return np.array(evaluation.stats[:12])


def measure_coco(images: int, categories: int) -> None:
    data, results = coco_sized(images, categories, seed=0)
    slow, fast = pycocotools.coco.COCO(), COCO()
    for reader in (slow, fast):
        reader.dataset = data
        with contextlib.redirect_stdout(io.StringIO()):
            reader.createIndex()
    theirs, reference = timed(
        coco_statistics, pycocotools.cocoeval.COCOeval, slow, results, repeats=1
    )
    ours, values = timed(coco_statistics, COCOeval_faster, fast, results, repeats=1)
    print(
        f"{images} images x {categories} categories, {len(results)} detections; AP "
        f"{values[0]:.4f}, AP50 {values[1]:.4f}"
    )
    print(f"pycocotools           {theirs:.1f} s")
    print(f"faster-coco-eval      {ours:.1f} s   ({theirs / ours:.1f} x as fast)")
    print(f"largest difference of the 12 statistics   {np.abs(values - reference).max():.1e}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="?", choices=("attributes", "coco"), default="attributes")
    parser.add_argument("--images", type=int, default=5000, help="coco: how many")
    parser.add_argument("--rows", type=int, default=31819)
    parser.add_argument("--words", type=int, default=620)
    parser.add_argument("--repeats", type=int, default=3, help="the best of so many runs counts")
    arguments = parser.parse_args()
    if arguments.what == "coco":
        measure_coco(arguments.images, 65)
        return
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
