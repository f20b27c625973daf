"""What is trained from or beside the matchers: labels, titles, and matchers that read queries."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ovarnet.catalogue.tables import labels, queries, written_titles
from ovarnet.catalogue.tables.matcher import (
    CACHE,
    GUIDED,
    WITHOUT_TASKS,
    open_drawn,
    train_row,
)
from ovarnet.catalogue.tables.sizes import Sizes
from ovarnet.catalogue.tables.training import RunCommand, train_missing
from ovarnet.evaluation.runs import Once, Result, Run, folder_name, run_missing
from ovarnet.evaluation.seed_table import markdown
from ovarnet.io.files import write_text

PARTS = (
    (
        (labels.MAJORITY, labels.TFIDF, *labels.READ_ROWS),
        labels.TITLES,
    ),
    (
        (written_titles.FREQUENT, written_titles.NEAREST, written_titles.WRITTEN),
        written_titles.TITLES,
    ),
    ((queries.WORDS, queries.PHOTO, queries.MATCHER), [queries.AUC]),
)
"""Rows and columns of each table."""


def fine_tuning_tables(configs: Path, output: Path, sizes: Sizes, run: RunCommand) -> str:
    """Train and evaluate every row; what is in results.json is not run again.

    Args:
        configs: Folder of the stages' configs.
        output: Where runs, results.json and table.md are written; the matchers are those of the
            folder `matcher` beside it, trained where they are missing.
        sizes: How much is run.
        run: Runs a command.

    Returns:
        Three tables: labels, titles, queries.

    Raises:
        InputError: A command failed, or scikit-learn is not installed.
    """
    rows = FineTuning(configs, output, sizes, run)
    wanted = [one for one in rows.runs() if sizes.wants(one[0])]
    results = run_missing(wanted, output / "results.json")
    table = "\n".join(
        markdown({row: results[row] for row in names if row in results}, columns)
        for names, columns in PARTS
    )
    write_text(output / "table.md", table)
    return table


class FineTuning:
    """The rows of the tables; see `fine_tuning_tables` for the arguments."""

    def __init__(self, configs: Path, output: Path, sizes: Sizes, run: RunCommand):
        self.configs, self.output, self.sizes, self.run = configs, output, sizes, run
        self.matchers = output.parent / "matcher"
        self.drawn = open_drawn(output, sizes, run)
        self.cache = self.matchers / CACHE
        self.once = Once()

    def runs(self) -> list[Run]:
        """Every row for every seed, what needs no training first."""
        plain = (
            *(labels.MAJORITY, labels.TFIDF),
            *(written_titles.FREQUENT, written_titles.NEAREST),
            *(queries.WORDS, queries.PHOTO),
        )
        trained = (*labels.READ_ROWS, written_titles.WRITTEN, queries.MATCHER)
        seeds = range(self.sizes.seeds)
        every = [(row, 0) for row in plain] + [(row, seed) for seed in seeds for row in trained]
        return [(row, seed, partial(self.measure, row, seed)) for row, seed in every]

    def measure(self, row: str, seed: int) -> Result:
        """All columns of a row, trained where needed."""
        if row in labels.READ_ROWS:
            return self.labels(seed)[row]
        if row == written_titles.WRITTEN:
            return self.titles(seed)
        return self.queries(seed) if row == queries.MATCHER else self.baselines()[row]

    def baselines(self) -> dict[str, Result]:
        """All rows without training, computed once."""
        return self.once(
            "baselines",
            lambda: (
                labels.label_baselines(self.drawn.training, self.drawn.spread)
                | written_titles.title_baselines(self.drawn)
                | queries.query_baselines(self.drawn)
            ),
        )

    def labels(self, seed: int) -> dict[str, Result]:
        """The rows of labels of a seed, trained and evaluated once."""

        def measure() -> dict[str, Result]:
            columns = ",".join(labels.COLUMNS)
            checkpoint = self._fine_tuned("labels", seed, [f"columns=[{columns}]"])
            return labels.fine_tuned_labels(checkpoint, self.drawn, self.cache)

        return self.once(("labels", seed), measure)

    def titles(self, seed: int) -> Result:
        """The row of titles of a seed."""
        return written_titles.written_titles(self._fine_tuned("captions", seed, []), self.drawn)

    def queries(self, seed: int) -> Result:
        """The row of queries of a seed; its matcher is trained with queries from the start."""
        checkpoint = train_missing(
            self.configs / "kaleido.yaml",
            self.output / "runs" / folder_name("queries", seed),
            [
                *self._data(seed),
                *WITHOUT_TASKS,
                f"crops.cache={self.cache}",
                f"query_column={queries.COLUMN}",
                f"optimisation.iterations={self.sizes.iterations}",
            ],
            self.run,
        )
        return queries.matched_queries(checkpoint, self.drawn, self.cache)

    def _fine_tuned(self, stage: str, seed: int, more: Sequence[str]) -> Path:
        matcher = train_row(GUIDED, seed, self.configs, self.matchers, self.sizes, self.run)
        return train_missing(
            self.configs / f"{stage}.yaml",
            self.output / "runs" / folder_name(stage, seed),
            [
                *self._data(seed),
                f"init_from={matcher}",
                f"cache={self.cache}",
                f"optimisation.iterations={self.sizes.fine_tuning_iterations}",
                *more,
            ],
            self.run,
        )

    def _data(self, seed: int) -> list[str]:
        return [
            f"data.root={self.drawn.root}",
            f"limit={self.sizes.training_products}",
            f"seed={seed}",
        ]
