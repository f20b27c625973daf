"""The worst mistakes of a model, worked out by hand."""

import torch
from report_objects import TRUTH, WORDS, N, P, U, annotated, detected

from ovarnet.scenes.report import mistakes

PAIRS = [
    (
        TRUTH,
        detected(
            TRUTH.boxes.tolist(),
            [1.0, 1.0],
            [[0.2, 0.9], [0.8, 0.3]],
            [[0.1, 0.7, 0.9], [0.4, 0.2, 0.6]],
        ),
    )
]


def test_worst_categories_and_attributes():
    wrong = mistakes.wrong_categories(PAIRS, WORDS, 9)
    assert [(one.predicted, one.true) for one in wrong] == [
        ("key 0.90", "mug (0.20)"),
        ("mug 0.80", "key (0.30)"),
    ]
    assert wrong[0].file == "a.jpg"
    assert wrong[0].box == (0, 0, 40, 40)
    assert len(mistakes.wrong_categories(PAIRS, WORDS, 1)) == 1
    false = mistakes.false_attributes(PAIRS, WORDS, 9)
    assert [(one.predicted, one.true) for one in false] == [
        ("gray 0.70", "red"),
        ("red 0.40", "gray"),
    ]  # the unknown label does not count
    missed = mistakes.missed_attributes(PAIRS, WORDS, 9)
    assert [(one.predicted, one.true) for one in missed] == [
        ("gray 0.70", "red (0.10)"),
        ("red 0.40", "gray (0.20)"),
    ]
    only_stripes = annotated([[60, 0, 100, 40]], [1], [[N, U, P]])
    [alone] = mistakes.missed_attributes([(only_stripes, PAIRS[0][1][1:])], WORDS, 9)
    assert (alone.predicted, alone.true) == (
        "not striped",
        "striped (0.60)",
    )  # no other pattern is known to be false


def test_at_most_two_mistakes_of_a_word():
    boxes = [[0, 0, 9, 9 + row] for row in range(4)]
    truth = annotated(boxes, [0] * 4, [[U, U, U]] * 4)
    found = detected(
        boxes, [1.0] * 4, [[0.1, 0.6], [0.1, 0.9], [0.1, 0.7], [0.9, 0.1]], [[0.0] * 3] * 4
    )
    assert [one.predicted for one in mistakes.wrong_categories([(truth, found)], WORDS, 9)] == [
        "key 0.90",
        "key 0.70",
    ]
    assert mistakes.confusions([(truth, found)], WORDS) == [("mug", "key", 3, 4)]


def test_what_was_found_in_nothing():
    found = detected(
        [[0, 0, 40, 40], [0, 60, 30, 90], [38, 0, 62, 40]],
        [0.9, 0.4, 0.3],
        [[0.9, 0.1]] * 3,
        [[0.0] * 3] * 3,
    )
    worst = mistakes.background_detections([(TRUTH, found)], 9)
    assert [(one.predicted, one.true, one.box) for one in worst] == [
        ("mug 0.40", "no object fits", (0, 60, 30, 90)),
        ("mug 0.30", "no object fits", (38, 0, 62, 40)),
    ]
    nothing_there = TRUTH[torch.zeros(2, dtype=torch.bool)]
    assert len(mistakes.background_detections([(nothing_there, found)], 9)) == 2
