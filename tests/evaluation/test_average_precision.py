"""AP per word: values by hand, and scikit-learn as the reference."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from ovarnet.errors import InputError
from ovarnet.evaluation import average_precision as module
from ovarnet.evaluation.average_precision import average_precision


def column(values):
    return np.array(values)[:, None]


@pytest.mark.parametrize(
    ("scores", "labels", "expected"),
    [
        ([0.9, 0.8, 0.7, 0.6], [1, 0, 1, 0], 1 / 2 * 1 + 1 / 2 * 2 / 3),
        (
            [0.6, 0.7, 0.8, 0.9],
            [0, 1, 0, 1],
            1 / 2 * 1 + 1 / 2 * 2 / 3,
        ),  # the same, rows in another order
        ([0.9, 0.8], [1, 1], 1.0),
        ([0.1, 0.9], [1, 0], 1 / 2),
        ([0.5, 0.5, 0.5], [1, 0, 0], 1 / 3),  # one threshold: chance
        (
            [0.9, 0.5, 0.5, 0.1],
            [0, 1, 0, 1],
            1 / 2 * 1 / 3 + 1 / 2 * 2 / 4,
        ),  # the tied pair enters together
        ([0.0, -0.0, 0.5], [1, 0, 0], 1 / 3),  # minus zero is zero
        ([0.9, 0.8, 0.7], [2, 1, -1], 1.0),  # unknown rows, in both codings, count nowhere
        ([-3.0, 7.0, 2.0], [0, 1, 0], 1.0),  # any scale: only the order matters
    ],
)
def test_one_word(scores, labels, expected):
    assert average_precision(column(scores), column(labels))[0] == pytest.approx(
        expected, abs=1e-12
    )


def test_words_are_independent_and_undefined_ones_are_nan():
    scores = np.array([[0.9, 0.1, 0.3, 0.8], [0.2, 0.7, 0.3, 0.8]])
    labels = np.array([[0, 1, 2, 0], [1, 0, 2, 0]])
    ap = average_precision(scores, labels)
    assert ap[:2].tolist() == [0.5, 0.5]
    assert np.isnan(ap[2:]).all()  # all unknown; no positive


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("decimals", [1, 3, 9])
@pytest.mark.parametrize("block", [1 << 24, 900])
def test_equals_scikit_learn_on_the_labelled_rows(dtype, decimals, block, monkeypatch):
    monkeypatch.setattr(module, "ENTRIES_PER_BLOCK", block)  # 900: three words at a time
    random = np.random.default_rng(decimals)
    scores = random.random((300, 20)).round(decimals).astype(dtype)
    labels = random.choice([0, 1, 2, -1], p=[0.3, 0.1, 0.3, 0.3], size=(300, 20))
    expected = [
        average_precision_score(labels[known, word], scores[known, word])
        for word in range(20)
        for known in [(labels[:, word] == 0) | (labels[:, word] == 1)]
    ]
    np.testing.assert_allclose(average_precision(scores, labels), expected, rtol=0, atol=1e-12)


def test_no_rows_and_no_words():
    assert np.isnan(average_precision(np.zeros((0, 3)), np.zeros((0, 3), int))).all()
    assert average_precision(np.zeros((4, 0)), np.zeros((4, 0), int)).shape == (0,)


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([[np.nan, 1.0]], [[0, 1]], "row 0, word 0 is nan"),
        ([[0.5, np.inf]], [[0, 1]], "row 0, word 1 is inf"),
        ([[0.5, 0.5]], [[0, 3]], "labels must be 1"),
        ([[0.5, 0.5]], [[0, 0.5]], "labels must be 1"),
        ([[0.5, 0.5]], [[0], [1]], "one shape"),
        ([0.5, 0.5], [0, 1], "one shape"),
    ],
)
def test_bad_input_is_named(scores, labels, message):
    with pytest.raises(InputError, match=message):
        average_precision(np.array(scores), np.array(labels))
