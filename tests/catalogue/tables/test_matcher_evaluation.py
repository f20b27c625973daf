"""What is measured of a matcher, and the table of retrieval."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from ovarnet.catalogue.evaluation.pools import Pools
from ovarnet.catalogue.evaluation.pretexts import TaskResult
from ovarnet.catalogue.tables import matcher_evaluation

ALL = "title → photo, all 9"


def test_a_matcher_that_reranks_has_a_second_row():
    results = {"plain": [{"task match": 70.0}], "better": [{f"re-ranked {ALL}: R@1": 4.0}]}
    table = matcher_evaluation.retrieval_table(results, ALL)
    assert "| dual encoder, best 100 re-ranked by: better | – | – | – | – | 4.0 | – |" in table
    assert table.count("re-ranked by") == 1


@pytest.mark.parametrize(
    ("task", "printed"),
    [
        ("match", ("match", 75, 50)),
        ("grey", ("grey (KL x 1,000, lower is better)", 750, 500)),
    ],
)
def test_divergences_are_no_percentages(task, printed):
    assert matcher_evaluation._printed(task, TaskResult(0.75, 0.5)) == printed


def test_reranking_keeps_what_the_matcher_did_not_read_behind(monkeypatch):
    similar = np.array([[0.1, 0.9, 0.8, 0.7], [0.2, 0.9, 0.1, 0.8]], dtype=np.float32)
    given = []

    def among_all(scores):
        given.append(scores)
        return {"R": 1.0}

    clip = SimpleNamespace(logit_scale=torch.tensor(0.0))
    drawn = SimpleNamespace(
        similar=similar,
        queries=[0, 1],
        test=[],
        among_all=among_all,
        encoder=SimpleNamespace(clip=clip),
    )
    monkeypatch.setattr(matcher_evaluation, "CANDIDATES", 2)

    def score_pools(model, products, features, pools: Pools, by_photo):
        assert pools.rows.tolist() == [[0, 1, 2], [1, 1, 3]]
        return np.array([[0.0, 0.1, 0.9], [0.0, 0.9, 0.1]], dtype=np.float32)

    monkeypatch.setattr(matcher_evaluation, "score_pools", score_pools)
    evaluation = matcher_evaluation.MatcherEvaluation(drawn, Path())
    assert evaluation._reranked(None, None) == {"re-ranked R": 1.0}
    order = np.argsort(-given[0], axis=1).tolist()
    assert order == [[2, 1, 3, 0], [1, 3, 0, 2]]
