"""COCO-OVD AP50: hand-made values for every rule of COCOeval that decides a number, and pycocotools
as the reference.

Boxes are 10 high, so an IoU is that of two intervals on the x axis.
"""

import contextlib
import io
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from ovarnet.errors import InputError
from ovarnet.evaluation.coco_ovd import coco_ovd_ap50, labelled_detections
from ovarnet.structures import Annotations, Detections
from ovarnet.vocabulary import Vocabulary, Word

WORDS = Vocabulary.of([Word("cat", seen=True), Word("dog"), Word("cow", seen=True)])


def boxes_of(spans):
    return torch.tensor(
        [[left, 0, right, 10] for left, right in spans], dtype=torch.float32
    ).reshape(-1, 4)


def truth(*spans, image_id="1", category=0, crowd=None):
    categories = (
        torch.as_tensor(category).expand(len(spans)) if isinstance(category, int) else category
    )
    return Annotations(
        "x.jpg", image_id, 10, 1000, boxes_of(spans), categories, torch.zeros(len(spans), 0), crowd
    )


def found(*scored_spans, category=0):
    """Detections from (score, left, right), all of one category."""
    scores = torch.tensor([score for score, *_ in scored_spans])
    probabilities = torch.zeros(len(scored_spans), 3)
    probabilities[:, category] = scores
    return detections_of(boxes_of([span for _, *span in scored_spans]), scores, probabilities)


def detections_of(boxes, scores, probabilities):
    return Detections(
        boxes, scores, probabilities, torch.zeros(len(scores), 0), list(WORDS.category_names)
    )


def cat_ap50(*pairs, **options):
    """AP50 of category 0 over (truth, found) images."""
    return coco_ovd_ap50(
        [image for image, _ in pairs], [found for _, found in pairs], WORDS, **options
    ).ap50[0]


@pytest.mark.parametrize(
    ("detections", "expected"),
    [
        ([(0.9, 0, 10), (0.8, 20, 30)], 1),
        ([(0.9, 0, 10)], 51 / 101),  # recall 0.5: points 0, 0.01 .. 0.5
        ([(0.9, 0, 10), (0.8, 60, 70), (0.7, 20, 30)], (51 + 50 * 2 / 3) / 101),
        (
            [(0.9, 60, 70), (0.8, 0, 10), (0.7, 20, 30)],
            2 / 3,
        ),  # precision 0, 1/2, 2/3 made monotone from the right
        (
            [(0.9, 0, 10), (0.8, 0, 10), (0.7, 20, 30)],
            (51 + 50 * 2 / 3) / 101,
        ),  # a double hit is a false positive
        ([(0.9, 60, 70)], 0),
        ([], 0),
    ],
)
def test_interpolated_precision_over_101_points(detections, expected):
    assert cat_ap50((truth((0, 10), (20, 30)), found(*detections))) == pytest.approx(
        expected, abs=1e-9
    )


@pytest.mark.parametrize(("right", "expected"), [(20, 1), (20.01, 0)])
def test_an_iou_of_exactly_one_half_is_a_hit(right, expected):
    assert cat_ap50((truth((0, 10)), found((0.9, 0, right)))) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("hit_image", "miss_image", "expected"),
    [("1", "2", 1), ("2", "1", 1 / 2), ("9", "10", 1), ("b", "a", 1 / 2), ("1", "b", 1)],
)
def test_equal_scores_rank_by_ascending_image_id(hit_image, miss_image, expected):
    hit = (truth((0, 10), image_id=hit_image), found((0.5, 0, 10)))
    miss = (truth(image_id=miss_image), found((0.5, 0, 10)))
    assert cat_ap50(hit, miss) == pytest.approx(expected)
    assert cat_ap50(miss, hit) == pytest.approx(expected)  # whatever the order of the list


def test_equal_scores_in_an_image_keep_their_order():
    assert cat_ap50((truth((0, 10)), found((0.5, 0, 10), (0.5, 60, 70)))) == pytest.approx(1)
    assert cat_ap50((truth((0, 10)), found((0.5, 60, 70), (0.5, 0, 10)))) == pytest.approx(1 / 2)


def test_equal_iou_takes_the_later_ground_truth():
    detections = found(
        (0.9, 12, 22), (0.8, 9, 19)
    )  # the first has IoU 8/12 with both; the second only fits (10, 20)
    assert cat_ap50((truth((10, 20), (14, 24)), detections)) == pytest.approx(1)
    assert cat_ap50((truth((14, 24), (10, 20)), detections)) == pytest.approx(51 / 101)


def test_a_crowd_absorbs_any_number_and_is_no_ground_truth_itself():
    crowd = torch.tensor([True, False])
    detections = found((0.9, 100, 110), (0.8, 150, 160), (0.7, 0, 10))
    assert cat_ap50((truth((100, 200), (0, 10), crowd=crowd), detections)) == pytest.approx(1)
    assert cat_ap50((truth((100, 200), (0, 10)), detections)) == pytest.approx(51 / 101 * 1 / 3)


@pytest.mark.parametrize(("left", "expected"), [(95, 1), (94.9, 1 / 2)])
def test_overlap_with_a_crowd_is_taken_over_the_detection_area(left, expected):
    image = truth((100, 200), (0, 10), crowd=torch.tensor([True, False]))
    assert cat_ap50((image, found((0.9, left, 105), (0.8, 0, 10)))) == pytest.approx(
        expected
    )  # half of 95..105 lies in the crowd


def test_a_ground_truth_goes_before_a_crowd():
    image = truth((0, 100), (0, 10), crowd=torch.tensor([True, False]))
    assert cat_ap50((image, found((0.9, 0, 12)))) == pytest.approx(
        1
    )  # IoU 10/12 with the object, 1 with the crowd


@pytest.mark.parametrize(("wrong", "expected"), [(99, 1 / 100), (100, 0)])
def test_only_the_best_hundred_of_an_image_count(wrong, expected):
    detections = found(*[(0.9, 500, 510)] * wrong, (0.5, 0, 10))
    assert cat_ap50((truth((0, 10)), detections)) == pytest.approx(expected)


def test_means_over_base_and_novel_leave_out_categories_without_boxes():
    image = truth((0, 10), (20, 30), category=torch.tensor([0, 1]))
    result = coco_ovd_ap50([image], [found((0.9, 0, 10), category=0)], WORDS)
    assert result.ap50.tolist() == pytest.approx([1, 0, math.nan], nan_ok=True)
    assert [result.mean(group) for group in ("base", "novel", "all")] == pytest.approx(
        [1, 0, 1 / 2]
    )
    assert [result.skipped(group) for group in ("base", "novel", "all")] == [1, 0, 1]
    assert result.boxes.tolist() == [1, 1, 0]
    only_base = coco_ovd_ap50([truth((0, 10))], [found((0.9, 0, 10))], WORDS)
    assert math.isnan(only_base.mean("novel"))


def difficult_truth(*spans, difficult, **more):
    return replace(truth(*spans, **more), is_difficult=torch.tensor(difficult))


def test_a_difficult_box_need_not_be_found_and_spares_its_detections():
    image = difficult_truth((0, 10), (100, 110), difficult=[False, True])
    assert cat_ap50((image, found((0.9, 0, 10)))) == 1
    several = found((0.9, 100, 110), (0.8, 101, 110), (0.7, 100, 109), (0.6, 0, 10))
    assert cat_ap50((image, several)) == 1
    beside = found((0.9, 106, 116), (0.6, 0, 10))  # IoU 4/16 with the difficult box: false
    assert cat_ap50((image, beside)) == pytest.approx(1 / 2)
    only = difficult_truth((0, 10), difficult=[True])
    assert math.isnan(cat_ap50((only, found((0.9, 0, 10)))))


def test_the_box_that_a_detection_overlaps_most_decides():
    image = difficult_truth((0, 10), (0, 12), difficult=[True, False])
    assert cat_ap50((image, found((0.9, 0, 12)))) == 1
    assert cat_ap50((image, found((0.9, 0, 10)))) == 0
    other = difficult_truth(
        (0, 10), (0, 10), difficult=[True, False], category=torch.tensor([1, 0])
    )
    assert cat_ap50((other, found((0.9, 0, 10)))) == 1, "a difficult dog spares no cat"


def test_categories_that_an_image_does_not_label_count_neither_way():
    image, elsewhere = truth((0, 10)), truth(image_id="2")
    detections = found((0.9, 50, 60))
    pairs = (image, found((0.8, 0, 10)))
    assert cat_ap50(pairs, (elsewhere, detections)) == pytest.approx(1 / 2)
    cars_only = replace(elsewhere, labelled_categories=torch.tensor([False, True, True]))
    assert cat_ap50(pairs, (cars_only, detections)) == 1


def test_a_category_with_crowd_boxes_only_is_left_out():
    image = truth(
        (0, 10), (20, 30), category=torch.tensor([0, 1]), crowd=torch.tensor([False, True])
    )
    for detections in (found((0.9, 0, 10)), found()):
        assert math.isnan(coco_ovd_ap50([image], [detections], WORDS).ap50[1])


def test_categories_compete_and_unlabelled_boxes_are_no_ground_truth():
    image = truth((0, 10), (20, 30), category=torch.tensor([0, -1]))
    result = coco_ovd_ap50([image], [found((0.9, 20, 30), (0.8, 0, 10))], WORDS)
    assert result.ap50[0] == pytest.approx(
        1 / 2
    )  # the hit on the unlabelled box is a false positive
    assert coco_ovd_ap50([image], [found((0.8, 0, 10), category=1)], WORDS).ap50[0] == 0


TWO_GUESSES = detections_of(
    boxes_of([(0, 10), (20, 30)]),
    torch.tensor([0.6, 0.4]),
    torch.tensor([[0.9, 0.1, 0.9], [0.0, 0.16, 0.04]]),
)


def test_one_label_per_detection_is_the_arg_max_with_the_detection_score():
    rows, columns, scores = labelled_detections(TWO_GUESSES)
    assert (rows.tolist(), columns.tolist()) == ([0, 1], [0, 1])  # a tie goes to the lower column
    assert scores.tolist() == pytest.approx([0.6, 0.4])


def test_a_row_of_zeros_names_no_category_under_argmax():
    nothing = detections_of(
        boxes_of([(20, 30), (0, 10)]),
        torch.tensor([0.9, 0.8]),
        torch.tensor([[0.0] * 3, [0.5, 0, 0]]),
    )
    rows, columns, _ = labelled_detections(nothing)
    assert (rows.tolist(), columns.tolist()) == ([1], [0])
    assert cat_ap50((truth((0, 10)), nothing)) == pytest.approx(1)  # no false positive at .9
    many = detections_of(
        boxes_of([(0, 10)] * 101),
        torch.linspace(0.9, 0.1, 101),
        torch.tensor([[0.0] * 3] * 100 + [[0.5, 0, 0]]),
    )
    assert labelled_detections(many)[0].tolist() == [100]  # it takes none of the 100 places


def test_all_labels_rank_by_the_per_class_score_above_a_threshold():
    rows, columns, scores = labelled_detections(TWO_GUESSES, "all")
    # As in detectron2: each score over 0.05 is a detection; 0.0 and 0.04 are not.
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == [
        (0, 0),
        (0, 2),
        (1, 1),
        (0, 1),
    ]
    assert scores.tolist() == pytest.approx([0.9, 0.9, 0.16, 0.1])
    edge = detections_of(
        boxes_of([(0, 10)]), torch.ones(1), torch.tensor([[0.05, 0.0501, 0.0]], dtype=torch.float64)
    )
    assert labelled_detections(edge, "all")[1].tolist() == [1]


def test_all_labels_do_not_depend_on_the_detection_score():
    again = detections_of(TWO_GUESSES.boxes, torch.tensor([0.01, 1.0]), TWO_GUESSES.category_scores)
    for first, second in zip(
        labelled_detections(TWO_GUESSES, "all"), labelled_detections(again, "all"), strict=True
    ):
        assert first.tolist() == second.tolist()


def test_scores_that_differ_in_float64_alone_do_not_tie():
    scores = torch.tensor([1 - 2e-9, 1 - 1e-9], dtype=torch.float64)
    probabilities = torch.stack([scores, scores * 0, scores * 0], dim=1)
    close = detections_of(boxes_of([(60, 70), (0, 10)]), scores, probabilities)
    for labels in ("argmax", "all"):
        assert cat_ap50((truth((0, 10)), close), labels=labels) == pytest.approx(1)


def test_all_labels_keep_the_best_hundred_over_all_categories():
    probabilities = torch.full((60, 3), 0.5)
    probabilities[:, 1], probabilities[:, 2] = 0.4, 0.3
    many = detections_of(
        torch.tensor([[0.0, 0, 1, 1]]).repeat(60, 1), torch.full((60,), 0.5), probabilities
    )
    rows, columns, _ = labelled_detections(many, "all")
    assert np.bincount(columns, minlength=3).tolist() == [60, 40, 0]
    assert rows[60:].tolist() == list(range(40))  # equal scores: the earlier box


def test_nothing_to_label_and_bad_choices():
    assert len(labelled_detections(found())[0]) == 0
    assert len(coco_ovd_ap50([], [], Vocabulary()).ap50) == 0
    with pytest.raises(InputError, match="labels must be one of argmax, all"):
        labelled_detections(TWO_GUESSES, "best")
    with pytest.raises(InputError, match="evaluator must be one of faster-coco-eval, pycocotools"):
        coco_ovd_ap50([truth((0, 10))], [found((0.9, 0, 10))], WORDS, evaluator="lvis")
    with pytest.raises(InputError, match="1 images with ground truth but 0 with predictions"):
        coco_ovd_ap50([truth((0, 10))], [], WORDS)


def random_world(seed, images=40):
    """Ground truth with crowds and near duplicates; detections around it with one-decimal scores
    (many ties) and integer boxes."""
    random = np.random.default_rng(seed)
    annotations, predictions = [], []
    for image in range(images):
        count = int(random.integers(0, 8))
        corner = random.integers(0, 60, (count, 2))
        boxes = np.concatenate(
            [corner, corner + random.integers(4, 40, (count, 2))], axis=1
        ).astype(np.float32)
        categories, crowd = (
            torch.tensor(random.integers(-1, 3, count)),
            torch.tensor(random.random(count) < 0.2),
        )
        annotations.append(
            Annotations(
                "x.jpg",
                str(3 * image + 1),
                100,
                100,
                boxes,
                categories,
                torch.zeros(count, 0),
                crowd,
            )
        )
        around = np.concatenate(
            [boxes.repeat(3, axis=0) + random.integers(-5, 6, (3 * count, 4)), [[0, 0, 50, 50]]]
        ).astype(np.float32)
        around[:, 2:] = np.maximum(around[:, 2:], around[:, :2] + 1)
        probabilities = torch.tensor(random.random((len(around), 3)).round(1)).float()
        predictions.append(detections_of(around, probabilities.max(dim=1).values, probabilities))
    return annotations, predictions


def detectron2_results(image_id, detections):
    """Per-class scores over 0.05, the best 100 of an image."""
    results = []
    for box, scores in zip(
        detections.boxes.tolist(), detections.category_scores.tolist(), strict=True
    ):
        x1, y1, x2, y2 = box
        results += [
            {
                "image_id": image_id,
                "category_id": category,
                "score": score,
                "bbox": [x1, y1, x2 - x1, y2 - y1],
            }
            for category, score in enumerate(scores)
            if score > 0.05
        ]
    return sorted(results, key=lambda result: -result["score"])[:100]


def argmax_results(image_id, detections):
    """One result per box, with its detection score."""
    results = []
    for box, score, scores in zip(
        detections.boxes.tolist(),
        detections.scores.tolist(),
        detections.category_scores.tolist(),
        strict=True,
    ):
        x1, y1, x2, y2 = box
        if max(scores) > 0:
            results.append(
                {
                    "image_id": image_id,
                    "category_id": scores.index(max(scores)),
                    "score": score,
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                }
            )
    return sorted(results, key=lambda result: -result["score"])[:100]


def reference_ap50(annotations, predictions, results_of):
    """AP50 per category by pycocotools on plain COCO dictionaries."""
    records, results = [], []
    for image, detections in zip(annotations, predictions, strict=True):
        for box, category, crowd in zip(
            image.boxes.tolist(), image.categories.tolist(), image.is_crowd.tolist(), strict=True
        ):
            if category >= 0:
                x1, y1, x2, y2 = box
                records.append(
                    {
                        "id": len(records) + 1,
                        "image_id": int(image.image_id),
                        "category_id": category,
                        "bbox": [x1, y1, x2 - x1, y2 - y1],
                        "area": (x2 - x1) * (y2 - y1),
                        "iscrowd": int(crowd),
                    }
                )
        results += results_of(int(image.image_id), detections)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": int(image.image_id)} for image in annotations],
            "annotations": records,
            "categories": [{"id": c} for c in range(3)],
        }
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][0, :, :, 0, 2]  # IoU 0.5, all areas, 100 detections
    return precision.mean(axis=0)


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2, 3))]
)
@pytest.mark.parametrize(
    ("labels", "results_of"), [("argmax", argmax_results), ("all", detectron2_results)]
)
@pytest.mark.parametrize("evaluator", ["faster-coco-eval", "pycocotools"])
def test_equals_cocoeval_on_results_written_independently(seed, labels, results_of, evaluator):
    annotations, predictions = random_world(seed)
    expected = reference_ap50(annotations, predictions, results_of)
    assert (expected > 0.01).all()
    found = coco_ovd_ap50(annotations, predictions, WORDS, labels=labels, evaluator=evaluator)
    np.testing.assert_allclose(found.ap50, expected, rtol=0, atol=1e-6)
