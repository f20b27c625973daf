"""The table of the matchers: its rows and runs, and what is printed."""

from pathlib import Path
from types import SimpleNamespace

from ovarnet.catalogue.tables import matcher
from ovarnet.catalogue.tables.sizes import Sizes
from ovarnet.config import load_config

CONFIGS = Path(__file__).parents[3] / "configs" / "catalogue"
ALL = "title → photo, all 9"


def test_every_row_is_a_config_that_can_be_read(tmp_path):
    seen = []
    sizes = Sizes(training_products=20, iterations=3, aligner_iterations=4)
    for row in matcher.ROWS:
        matcher.train_row(row, 1, CONFIGS, tmp_path / "matcher", sizes, seen.append)
    assert len(seen) == len(matcher.ROWS) + 1  # and the aligner
    configs = {Path(words[2]).name: load_config(words[1], words[2:]) for words in seen}
    aligner = configs.pop("alignment")
    assert (aligner.optimisation.iterations, aligner.limit) == (4, 20)
    assert all(c.seed == 1 and c.optimisation.iterations == 3 for c in configs.values())
    by_row = {row: configs[matcher.folder_name(row, 1)] for row in matcher.ROWS}
    assert [row for row, c in by_row.items() if c.alignment] == [matcher.GUIDED]
    assert len(by_row[matcher.RANDOM].tasks) == len(by_row[matcher.GUIDED].tasks) == 7
    grid, whole, locked = list(by_row.values())[:3]
    assert (grid.patches, grid.grid, whole.patches) == ("grid", 5, "kaleido")
    assert [c.data.foreground for c in (grid, whole, locked)] == [False, False, True]
    assert grid.tasks == whole.tasks == locked.tasks == ["words", "match", "blank"]
    assert [c.weights for c in list(by_row.values())[5:]] == ["adaptive", "equal"]


def test_every_row_is_measured_for_every_seed_once(tmp_path, monkeypatch):
    measured = []

    class Evaluation:
        def __init__(self, drawn, cache):
            pass

        def measure(self, checkpoint, reranks):
            measured.append((checkpoint.parent.name, reranks))
            return {"title → photo: R@1": 3.0}

    names = ("chance", "TF-IDF", "dual encoder", "oracle")
    drawn = SimpleNamespace(baselines={name: {} for name in names}, everything=ALL)
    monkeypatch.setattr(matcher, "open_drawn", lambda *given: drawn)
    monkeypatch.setattr(matcher, "MatcherEvaluation", Evaluation)
    sizes = Sizes(seeds=2, rows=("masks", "chance"))
    for _ in range(2):
        table = matcher.matcher_table(CONFIGS, tmp_path, sizes, lambda words: None)
    assert measured == [
        (matcher.folder_name(row, seed), row == matcher.GUIDED)
        for seed in (0, 1)
        for row in (matcher.RANDOM, matcher.GUIDED)
    ]
    assert "| 7 tasks, random masks | 3.0 ± 0.0 | – |" in table


def test_tasks_stand_beside_chance():
    one = {"task match": 70.0, "chance of task match": 50.0}
    results = {matcher.RANDOM: [one, one | {"task match": 72.0}], matcher.GUIDED: [one]}
    assert "| match | 50.0 ± 0.0 | 71.0 ± 1.4 | 70.0 |" in matcher.task_table(results)
    assert matcher.task_table({}) == "| | chance |\n|---|---|\n"
