"""Accuracy and macro-F against scikit-learn; a value that was not met in training is wrong."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score

from ovarnet.catalogue.evaluation.labels import evaluate_labels, label_scores
from ovarnet.catalogue.training.labels import BOTH, PHOTO, TITLE

TRUTH = ["mug", "mug", "plate", "belt", "hat", "mug"]
TOLD = ["mug", "plate", "plate", "mug", "mug", "cup"]


def test_scores_are_those_of_scikit_learn():
    found = label_scores(TRUTH, TOLD, {"mug", "plate", "belt", "cup"})
    assert found.accuracy == pytest.approx(accuracy_score(TRUTH, TOLD))
    assert found.macro_f == pytest.approx(f1_score(TRUTH, TOLD, average="macro"))
    assert found.majority == 0.5
    assert (found.products, found.unseen) == (6, 1)


def test_every_column_is_asked_in_three_ways():
    class Data:
        def __len__(self):
            return 3

        def batch(self, rows, reads):
            return reads[0]

    answers = {BOTH: [0, 1, 1], PHOTO: [0, 0, 0], TITLE: [1, 1, 1]}

    def logits(read):
        return {"kind": torch.nn.functional.one_hot(torch.tensor(answers[read]), 2)}

    tagger = SimpleNamespace(values={"kind": ["belt", "mug"]}, model=SimpleNamespace(logits=logits))
    truth = [{"kind": "belt"}, {"kind": "mug"}, {}]
    found = evaluate_labels(tagger, Data(), truth)
    assert set(found) == {("kind", BOTH), ("kind", PHOTO), ("kind", TITLE)}
    accuracies = [found["kind", read].accuracy for read in (BOTH, PHOTO, TITLE)]
    assert accuracies == [1.0, 0.5, 0.5]
    assert found["kind", BOTH].products == 2
    assert np.isfinite(found["kind", PHOTO].macro_f)
