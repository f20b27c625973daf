"""Every loss term of OvarNet by hand.

All weights of terms and words differ, and so do the numbers of categories and attributes, so that
no two can be mixed up; the losses are written here again from their formulas, with `math`.
"""

import math

import pytest
import torch
from image_targets import targets
from torchvision.models.detection._utils import BoxCoder

from ovarnet.config import Distillation, OvarnetLossWeights
from ovarnet.modeling.rpn import AnchorPredictions
from ovarnet.structures import NO_CATEGORY, UNKNOWN
from ovarnet.training.distillation.criterion import OvarnetCriterion
from ovarnet.training.distillation.region_sampling import RegionTargets

TERMS = OvarnetLossWeights(
    rpn_objectness=2.5,
    rpn_boxes=1.5,
    boxes=0.7,
    categories=0.3,
    background=0.2,
    attributes=0.6,
)

DISTILLATION = Distillation(attribute_weight=0.4, category_weight=1.3)

CATEGORY_WEIGHTS, ATTRIBUTE_WEIGHTS = [0.5, 1.1, 1.4], [0.8, 1.2]

BOX_WEIGHTS, ANCHOR_WEIGHTS = (10.0, 10.0, 5.0, 5.0), (1.0, 2.0, 3.0, 4.0)


@pytest.fixture
def criterion():
    return OvarnetCriterion(
        torch.tensor(CATEGORY_WEIGHTS),
        torch.tensor(ATTRIBUTE_WEIGHTS),
        TERMS,
        DISTILLATION,
        BoxCoder(BOX_WEIGHTS),
        BoxCoder(ANCHOR_WEIGHTS),
        64,
    )


def numbers(*shape):
    """Distinct numbers between -2 and 2."""
    return torch.empty(shape).uniform_(-2, 2, generator=torch.Generator().manual_seed(7))


def mean(values):
    return sum(values) / len(values)


def bce(logit, label):
    return math.log(1 + math.exp(-logit if label else logit))


def smooth_l1(deltas, goals, beta=1 / 9):
    apart = [abs(delta - goal) for delta, goal in zip(deltas, goals, strict=True)]
    return sum(0.5 * d * d / beta if d < beta else d - beta / 2 for d in apart)


def encoded(box, reference, weights):
    """How far `reference` has to move and to grow to be `box`."""
    (x, y, w, h), (rx, ry, rw, rh) = (
        ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1) for x1, y1, x2, y2 in (box, reference)
    )
    moves = ((x - rx) / rw, (y - ry) / rh, math.log(w / rw), math.log(h / rh))
    return [weight * move for weight, move in zip(weights, moves, strict=True)]


def divergence(teacher, student):
    """KL(softmax teacher || softmax student)."""
    p, q = (
        [math.exp(logit) / sum(map(math.exp, logits)) for logit in logits]
        for logits in (teacher, student)
    )
    return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))


def values(losses):
    return {name: value.item() for name, value in losses.items()}


def close(**expected):
    return pytest.approx(expected, rel=1e-4)


ANCHORS = [[1, 1, 11, 9], [40, 40, 50, 50], [0, 0, 10, 5], [0, 4, 10, 14], [8, 0, 18, 10]]


def loss_rpn(criterion, *images):
    """Losses, logits and deltas; every anchor has its own."""
    logits, deltas = numbers(len(images), len(ANCHORS)), numbers(len(images), len(ANCHORS), 4)
    predictions = AnchorPredictions(
        torch.tensor(ANCHORS, dtype=torch.float32), logits, deltas, [len(ANCHORS)]
    )
    return (
        values(criterion.loss_rpn(predictions, list(images))),
        logits.tolist(),
        deltas.tolist(),
    )


def test_anchors_are_labelled_by_the_boxes_that_supervise_boxes(criterion):
    """Overlaps with the first box: .67 (object), 0, .5 and .43 (between: ignored), .11; with the
    third .22, and the best it has."""
    first, third = [0, 0, 10, 10], [36, 36, 46, 46]
    losses, logits, deltas = loss_rpn(
        criterion,
        targets([first], [0]),
        targets([[40, 40, 50, 50]], [NO_CATEGORY], supervised=[False]),
        targets([third], [1]),
    )
    labels = [{0: 1, 1: 0, 4: 0}, {0: 0, 2: 0, 3: 0, 4: 0}, {0: 0, 1: 1, 2: 0, 3: 0, 4: 0}]
    entries = [
        bce(row[anchor], label)
        for row, image in zip(logits, labels, strict=True)
        for anchor, label in image.items()
    ]
    moves = [
        smooth_l1(deltas[0][0], encoded(first, ANCHORS[0], ANCHOR_WEIGHTS)),
        smooth_l1(deltas[2][1], encoded(third, ANCHORS[1], ANCHOR_WEIGHTS)),
    ]
    assert len(entries) == 12
    assert losses == close(rpn_objectness=2.5 * mean(entries), rpn_boxes=1.5 * sum(moves) / 12)


def test_anchors_of_images_without_rpn_supervision_are_left_out(criterion):
    """An image of captions beside one with a box: as if the box's image were alone."""
    box = [0, 0, 10, 10]
    losses, logits, deltas = loss_rpn(
        criterion,
        targets([], [], rpn_supervised=False),
        targets([box], [0]),
        targets([box], [0], rpn_supervised=False),
    )
    entries = [bce(logits[1][anchor], label) for anchor, label in {0: 1, 1: 0, 4: 0}.items()]
    moved = smooth_l1(deltas[1][0], encoded(box, ANCHORS[0], ANCHOR_WEIGHTS))
    assert losses == close(rpn_objectness=2.5 * mean(entries), rpn_boxes=1.5 * moved / 3)
    losses, *_ = loss_rpn(criterion, targets([box], [0], rpn_supervised=False))
    assert losses == {"rpn_objectness": 0, "rpn_boxes": 0}


# with category and box; with attributes; background; a proposal of the teacher; with category and
# box
REGIONS = RegionTargets(
    boxes=torch.tensor(
        [[0.0, 0, 10, 10], [5, 5, 25, 15], [50, 50, 60, 60], [30, 30, 40, 40], [10, 20, 30, 60]]
    ),
    categories=torch.tensor([2, NO_CATEGORY, NO_CATEGORY, NO_CATEGORY, 0]),
    attributes=torch.tensor(
        [[1, UNKNOWN], [0, 1], [UNKNOWN, UNKNOWN], [UNKNOWN, UNKNOWN], [UNKNOWN, UNKNOWN]],
        dtype=torch.int8,
    ),
    is_background=torch.tensor([False, False, True, False, False]),
    is_box_supervised=torch.tensor([True, False, False, False, True]),
    gt_boxes=torch.tensor(
        [[1.0, 2, 12, 9], [0, 0, 20, 20], [50, 50, 60, 60], [30, 30, 40, 40], [14, 18, 33, 66]]
    ),
    teacher_rows=torch.tensor([0, 1, -1, 2, 3]),
)


def test_the_losses_of_labels_are_exact(criterion):
    categories, attributes, deltas = numbers(5, 3), numbers(5, 5)[:, 3:], numbers(5, 4)
    losses = values(criterion.loss_labels(categories, attributes, deltas, REGIONS))
    c, a = categories.tolist(), attributes.tolist()
    moves = [
        smooth_l1(
            deltas[row].tolist(),
            encoded(REGIONS.gt_boxes[row].tolist(), REGIONS.boxes[row].tolist(), BOX_WEIGHTS),
        )
        for row in (0, 4)
    ]
    named = [
        CATEGORY_WEIGHTS[column] * bce(c[row][column], column == right)
        for row, right in ((0, 2), (4, 0))
        for column in range(3)
    ]
    nothing = [CATEGORY_WEIGHTS[column] * bce(c[2][column], False) for column in range(3)]
    known = [
        ATTRIBUTE_WEIGHTS[column] * bce(a[row][column], label)
        for row, column, label in ((0, 0, True), (1, 0, False), (1, 1, True))
    ]
    weak_negative = bce(
        a[0][1], False
    )  # the other regions have no label at all, so their unknown ones do not count
    assert losses == close(
        boxes=0.7 * sum(moves) / 2,
        categories=0.3 * mean(named),
        background=0.2 * mean(nothing),
        attributes=0.6 * (mean(known) + 0.15 * weak_negative),
    )


def test_the_divergence_is_from_the_teacher_to_the_student(
    criterion,
):
    student, teacher = (
        (numbers(2, 3), numbers(2, 5)[:, 3:]),
        (numbers(4, 3)[2:] * 2, numbers(4, 2)[2:] * 3),
    )
    kl = [
        mean([divergence(*rows) for rows in zip(theirs.tolist(), ours.tolist(), strict=True)])
        for theirs, ours in zip(teacher, student, strict=True)
    ]
    assert values(criterion.loss_probabilities(student, teacher)) == close(
        distil_categories=1.3 * kl[0], distil_attributes=0.4 * kl[1]
    )


def test_the_feature_loss_is_one_minus_the_cosine(criterion):
    student, teacher = (
        torch.tensor([[3.0, 4, 0], [0, 0, 2]]),
        torch.tensor([[5.0, 0, 0], [0, 7, 0]]),
    )  # cosines .6 and 0
    assert values(criterion.loss_features(student, teacher)) == close(
        distil_features=5.0 * (0.4 + 1) / 2
    )
