"""The results of a chain, made by hand."""

import pytest
from report_objects import TRUTH, WORDS, written_metrics

from ovarnet.scenes.chain.ledger import Entry, Ledger
from ovarnet.scenes.chain.steps import MODELS, Places
from ovarnet.scenes.report.chain_results import STUDENT, TEACHER, ChainResults


@pytest.fixture
def chain_results(tmp_path):
    """Two timed steps, two images, and metrics that differ between teacher and student."""
    training = Entry(
        "CLIP, from captions alone",
        ["train", "clip.yaml"],
        {"seed": 3, "optimisation": {"iterations": 1800, "batch_size": 128}},
        seconds=90.0,
        cpu_seconds=60.0,
        finished="2026-11-28 10:00:00",
    )
    evaluation = Entry(
        "Evaluation: OvarNet", ["evaluate", "--limit", "40", "--split", "test"], [], seconds=30.0
    )
    evaluation.settings = evaluation.command
    ledger = Ledger(
        tmp_path / "chain.json", {"cores": "2"}, {"clip": training, "evaluate": evaluation}
    )
    metrics = {title: written_metrics(tmp_path / "m.json", 0.5, 0.4) for title in MODELS.values()}
    metrics[STUDENT] = written_metrics(tmp_path / "m.json", 0.5, 0.8, 0.5)
    return ChainResults(
        places=Places(tmp_path, tmp_path / "out"),
        ledger=ledger,
        metrics=metrics,
        models={},
        vocabulary=WORDS,
        images=[TRUTH, TRUTH],
        milliseconds={TEACHER: 30.0, STUDENT: 12.0},
    )
