"""The tables of what is fine-tuned: rows, runs, and that each is trained once."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from ovarnet.catalogue.tables import fine_tuning, labels, queries, written_titles
from ovarnet.catalogue.tables.matcher import GUIDED, folder_name
from ovarnet.catalogue.tables.sizes import Sizes
from ovarnet.config import load_config

CONFIGS = Path(__file__).parents[3] / "configs" / "catalogue"


@pytest.fixture
def rows(monkeypatch, tmp_path):
    ran, drawn = [], SimpleNamespace(root=tmp_path / "drawn")
    monkeypatch.setattr(fine_tuning, "open_drawn", lambda *given: drawn)
    sizes = Sizes(seeds=1, training_products=20, iterations=3, fine_tuning_iterations=4)
    return fine_tuning.FineTuning(CONFIGS, tmp_path / "fine-tuning", sizes, ran.append), ran


def test_runs_start_from_the_guided_matcher_of_their_seed(rows, monkeypatch):
    made, ran = rows
    monkeypatch.setattr(labels, "fine_tuned_labels", lambda *given: dict.fromkeys(labels.READ_ROWS))
    monkeypatch.setattr(written_titles, "written_titles", lambda *given: None)
    monkeypatch.setattr(queries, "matched_queries", lambda *given: None)
    made.labels(0)
    made.labels(0)
    made.titles(0)
    made.queries(0)
    trained = [words for words in ran if words[0] == "train"]
    configs = [load_config(words[1], words[2:]) for words in trained]
    stages = [config.stage for config in configs]
    # nothing is there, so the matcher and its aligner are trained before each of the first two
    first = ["catalogue_alignment", "catalogue_matcher"]
    assert stages == [*first, "catalogue_labels", *first, "catalogue_captions", "catalogue_matcher"]
    matcher = made.matchers / "runs" / folder_name(GUIDED, 0) / "checkpoint"
    assert configs[2].init_from == configs[5].init_from == str(matcher)
    assert configs[2].columns == list(labels.COLUMNS)
    assert configs[2].optimisation.iterations == 4
    asked = configs[6]
    assert (asked.query_column, asked.tasks) == ("query", ["words", "match", "blank"])


def test_tables_have_the_rows_that_were_measured(monkeypatch, tmp_path):
    def runs(self):
        return [
            (labels.MAJORITY, 0, lambda: {"category: accuracy": 12.0}),
            (
                written_titles.WRITTEN,
                0,
                lambda: {"BLEU-4": 5.0, "ROUGE-L": 6.0, "CIDEr (0 to 10)": 1.0},
            ),
            (queries.PHOTO, 0, lambda: {"AUC": 60.0}),
        ]

    monkeypatch.setattr(fine_tuning.FineTuning, "runs", runs)
    monkeypatch.setattr(fine_tuning, "open_drawn", lambda *given: None)
    text = fine_tuning.fine_tuning_tables(CONFIGS, tmp_path / "out", Sizes(), print)
    assert "| labels: most frequent value | 12.0 | – |" in text
    assert "| titles: written by the fine-tuned matcher | 5.0 | 6.0 | 1.0 |" in text
    assert "| queries: dual encoder, query and photo | 60.0 |" in text
    assert text == (tmp_path / "out/table.md").read_text()


def test_every_row_has_a_table(rows):
    made, _ = rows
    names = {row for row, _, _ in made.runs()}
    assert names == {row for rows_of_table, _ in fine_tuning.PARTS for row in rows_of_table}
