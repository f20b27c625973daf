"""Both box-free protocols, by hand.

Boxes are 10 high, so an IoU is that of two intervals on the x axis.
"""

import numpy as np
import pytest
import torch

from ovarnet.errors import InputError
from ovarnet.evaluation.attributes import attribute_metrics
from ovarnet.evaluation.box_free import box_free_rows, match_boxes
from ovarnet.structures import Annotations, Detections


def spans(*pairs):
    return torch.tensor(
        [[left, 0, right, 10] for left, right in pairs], dtype=torch.float32
    ).reshape(-1, 4)


def truth(boxes, labels, image_id="1"):
    return Annotations(
        "x.jpg",
        image_id,
        10,
        100,
        boxes,
        torch.full((len(boxes),), -1),
        torch.tensor(labels).reshape(len(boxes), -1),
    )


def found(boxes, attribute_scores):
    scores = torch.tensor(attribute_scores, dtype=torch.float32).reshape(len(boxes), -1)
    return Detections(
        boxes,
        torch.linspace(0, 1, len(boxes)),
        torch.zeros(len(boxes), 0),
        scores,
        [],
        list("ab"[: scores.shape[1]]),
    )


def nothing(words=1):
    return Detections(
        spans(), torch.zeros(0), torch.zeros(0, 0), torch.zeros(0, words), [], list("ab"[:words])
    )


def match(gts, predictions, protocol):
    return match_boxes(spans(*predictions), spans(*gts), protocol).tolist()


def test_authors_take_the_highest_iou_and_a_prediction_may_serve_several():
    assert match([(0, 10), (1, 11), (40, 50)], [(0, 10), (45, 60)], "authors") == [0, 0, 1]


def test_authors_have_no_threshold_and_fall_back_on_the_first_prediction():
    assert match([(0, 10)], [(50, 60), (9, 19)], "authors") == [1]  # IoU 1/19
    assert match([(0, 10)], [(50, 60), (70, 80)], "authors") == [0]  # no overlap at all
    assert match([(10, 20)], [(12, 22), (8, 18)], "authors") == [0]  # equal IoU: the first


def test_ovad_is_one_to_one_with_the_largest_iou_first():
    # gt 0 overlaps prediction 0 with 9/11; gt 1 is prediction 0 exactly and takes it; gt 0 then
    # takes prediction 1 (8/12).
    assert match([(0, 10), (1, 11)], [(1, 11), (-2, 8)], "ovad") == [1, 0]
    # Only one prediction: the other ground truth goes without.
    assert match([(0, 10), (1, 11)], [(1, 11)], "ovad") == [-1, 0]


@pytest.mark.parametrize(("right", "matched"), [(20, 0), (20.01, -1), (19.99, 0)])
def test_ovad_keeps_an_iou_of_exactly_one_half(right, matched):
    assert match([(0, 10)], [(0, right)], "ovad") == [matched]


def test_ovad_ties_go_to_the_lowest_ground_truth_then_the_lowest_prediction():
    assert match([(10, 20), (14, 24)], [(12, 22)], "ovad") == [0, -1]  # both 8/12
    assert match([(10, 20)], [(12, 22), (8, 18)], "ovad") == [0]  # both 8/12
    # Ties resolved one after the other: gt 0 takes prediction 0, gt 1 what is left.
    assert match([(10, 20), (10, 20)], [(10, 20), (10, 20)], "ovad") == [0, 1]


@pytest.mark.parametrize("protocol", ["authors", "ovad"])
def test_nothing_on_one_side(protocol):
    assert match([(0, 10)], [], protocol) == [-1]
    assert match([], [(0, 10)], protocol) == []
    assert match([(5, 5)], [(5, 5)], protocol) == (
        [0] if protocol == "authors" else [-1]
    )  # no area: IoU 0, not nan


def test_rows_of_both_protocols():
    pairs = [
        (
            truth(spans((0, 10), (1, 11), (40, 50)), [[1, 0], [0, 2], [1, 1]]),
            found(spans((1, 11), (47, 57), (80, 90)), [[0.5, 0.25], [0.75, 1], [1, 1]]),
        )
    ]
    authors = box_free_rows(pairs, "authors")
    assert authors.scores.tolist() == [[0.5, 0.25], [0.5, 0.25], [0.75, 1]]
    assert authors.labels.tolist() == [[1, 0], [0, 2], [1, 1]]
    assert authors.unmatched == 0
    ovad = box_free_rows(pairs, "ovad")
    assert ovad.scores.tolist() == [
        [0, 0],
        [0.5, 0.25],
        [0, 0],
    ]  # gt 0 lost its box to gt 1; gt 2 overlaps 3/17 only
    assert ovad.labels.tolist() == [[1, 0], [0, 2], [1, 1]]
    assert (ovad.unmatched, ovad.images) == (2, 1)


def test_false_positives_are_free():
    gts, hit = truth(spans((0, 10)), [[1]]), found(spans((0, 10)), [[0.5]])
    with_extra = found(spans((0, 10), (30, 40), (50, 60)), [[0.5], [1], [1]])
    for protocol in ("authors", "ovad"):
        assert (
            box_free_rows([(gts, hit)], protocol).scores.tolist()
            == box_free_rows([(gts, with_extra)], protocol).scores.tolist()
        )


@pytest.mark.parametrize("protocol", ["authors", "ovad"])
@pytest.mark.parametrize(("silent", "scores"), [("skip", [[0.5]]), ("miss", [[0.5], [0], [0]])])
def test_images_without_predictions_or_without_ground_truth(protocol, silent, scores):
    no_truth = Annotations("x.jpg", "3", 10, 100, spans(), torch.zeros(0), torch.zeros(0, 1))
    pairs = [
        (truth(spans((0, 10)), [[1]]), found(spans((0, 10)), [[0.5]])),
        (truth(spans((0, 10), (20, 30)), [[1], [0]]), nothing()),
        (no_truth, found(spans((0, 10)), [[1]])),
        (no_truth, nothing()),
    ]
    rows = box_free_rows(pairs, protocol, silent=silent)
    assert rows.scores.tolist() == scores
    assert (rows.images, rows.images_without_predictions, rows.boxes_without_predictions) == (
        2,
        1,
        2,
    )


def test_skipping_silent_images_inflates_the_ap():
    pairs = [
        (
            truth(spans((0, 10), (20, 30)), [[1], [0]]),
            found(spans((0, 10), (20, 30)), [[0.9], [0.1]]),
        ),
        (truth(spans((0, 10), (20, 30)), [[1], [0]]), nothing()),
    ]
    ap = {
        silent: attribute_metrics(rows.scores, rows.labels, rule="ovad").ap[0]
        for silent in ("skip", "miss")
        for rows in [box_free_rows(pairs, "ovad", silent=silent)]
    }
    assert ap["skip"] == 1
    assert ap["miss"] == pytest.approx(
        1 / 2 * 1 + 1 / 2 * 2 / 4
    )  # the missed positive ties with everything at 0


def test_no_predictions_anywhere_gives_no_rows_of_the_right_width():
    silent = [(truth(spans((0, 10)), [[1, 0]]), nothing(words=2))]
    rows = box_free_rows(silent, "ovad", silent="skip")
    assert rows.scores.shape == rows.labels.shape == (0, 2)
    assert np.isnan(attribute_metrics(rows.scores, rows.labels, rule="ovad").groups["all"].ap)


def test_bad_choices_are_named():
    with pytest.raises(InputError, match="protocol must be one of authors, ovad"):
        match_boxes(spans(), spans(), "coco")
    with pytest.raises(InputError, match="'miss' or 'skip'"):
        box_free_rows([], "ovad", silent="drop")


def test_rows_keep_the_precision_of_the_scores():
    close = torch.tensor([[1 - 1e-9], [1 - 2e-9]], dtype=torch.float64)
    gts = truth(spans((0, 10), (20, 30)), [[1], [0]])
    detections = Detections(
        spans((0, 10), (20, 30)), torch.ones(2), torch.zeros(2, 0), close, [], ["a"]
    )
    rows = box_free_rows([(gts, detections)], "ovad")
    assert rows.scores.dtype == np.float64
    assert attribute_metrics(rows.scores, rows.labels).ap.tolist() == [1]  # in float32: a tie, 1/2


def test_crowds_and_boxes_without_labels_have_rows():
    gts = Annotations(
        "x.jpg",
        "1",
        10,
        100,
        spans((0, 10), (20, 30)),
        [-1, -1],
        [[2], [2]],
        torch.tensor([True, False]),
    )
    for protocol in ("authors", "ovad"):
        rows = box_free_rows([(gts, found(spans((0, 10)), [[0.5]]))], protocol)
        assert rows.labels.tolist() == [[2], [2]]
        assert rows.scores.tolist() == ([[0.5], [0.5]] if protocol == "authors" else [[0.5], [0]])
