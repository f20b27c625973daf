"""AP50 by COCOeval of both libraries."""

import numpy as np
import pytest

from ovarnet.errors import InputError
from ovarnet.evaluation.coco_eval import ap50_of_categories
from ovarnet.evaluation.protocols import EVALUATORS


def box(image, category, left, crowd=0):
    return {
        "image_id": image,
        "category_id": category,
        "bbox": [left, 0, 10, 10],
        "area": 100,
        "iscrowd": crowd,
    }


# Category 1: two boxes. 2: one box. 3: a crowd alone. 4: nothing.
BOXES = [box(1, 1, 0), box(2, 1, 0), box(1, 2, 50), box(2, 3, 50, crowd=1)]
DATASET = {
    "images": [{"id": n, "height": 10, "width": 100} for n in (1, 2)],
    "annotations": [{"id": n, **record} for n, record in enumerate(BOXES, start=1)],
    "categories": [{"id": n, "name": str(n)} for n in (1, 2, 3, 4)],
}


def result(image, category, left, score):
    return {"image_id": image, "category_id": category, "bbox": [left, 0, 10, 10], "score": score}


@pytest.mark.parametrize("evaluator", EVALUATORS)
def test_ap50_and_categories_without_boxes(evaluator, capsys):
    results = [
        result(1, 1, 0, 0.9),
        result(1, 1, 80, 0.8),
        result(2, 1, 0, 0.7),
        result(2, 2, 50, 0.9),
        result(1, 4, 0, 0.9),
    ]
    ap50 = ap50_of_categories(DATASET, results, evaluator)
    # 1: hit, miss, hit: 51 recall points at precision 1, 50 at 2/3. 2: a miss.
    assert ap50.tolist() == pytest.approx([(51 + 50 * 2 / 3) / 101, 0, np.nan, np.nan], nan_ok=True)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("evaluator", EVALUATORS)
def test_no_results(evaluator):
    assert ap50_of_categories(DATASET, [], evaluator).tolist() == pytest.approx(
        [0, 0, np.nan, np.nan], nan_ok=True
    )


def test_another_evaluator_is_refused():
    with pytest.raises(InputError, match="got 'lvis'"):
        ap50_of_categories(DATASET, [], "lvis")
