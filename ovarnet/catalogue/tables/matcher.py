"""FashionBERT and Kaleido-BERT on the drawn catalogue: patches, tasks, masks, weights of losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ovarnet.catalogue.tables.matcher_evaluation import MatcherEvaluation, retrieval_table
from ovarnet.catalogue.tables.queried import QueriedProducts
from ovarnet.catalogue.tables.sizes import Sizes
from ovarnet.catalogue.tables.training import RunCommand, draw_missing, train_missing
from ovarnet.evaluation.runs import Result, Run, folder_name, run_missing
from ovarnet.evaluation.seed_table import markdown
from ovarnet.io.files import write_text

WITHOUT_TASKS = ("tasks=[words,match,blank]", "alignment=null")
LOCKED = "kaleido patches, locked"
RANDOM, GUIDED = "7 tasks, random masks", "7 tasks, guided masks"
ROWS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "5 x 5 grid, whole photo": (
        "kaleido.yaml",
        ("patches=grid", "grid=5", "data.foreground=false", *WITHOUT_TASKS),
    ),
    "kaleido patches, whole photo": ("kaleido.yaml", ("data.foreground=false", *WITHOUT_TASKS)),
    LOCKED: ("kaleido.yaml", WITHOUT_TASKS),
    RANDOM: ("kaleido.yaml", ("alignment=null",)),
    GUIDED: ("kaleido.yaml", ()),
    "FashionBERT, adaptive weights": ("fashionbert.yaml", ()),
    "FashionBERT, equal weights": ("fashionbert.yaml", ("weights=equal",)),
}
"""Row -> config and overrides."""
RERANKERS = (LOCKED, GUIDED)
CACHE = "features"


def matcher_table(configs: Path, output: Path, sizes: Sizes, run: RunCommand) -> str:
    """Train and evaluate every row; what is in results.json is not run again.

    Args:
        configs: Folder of the stages' configs.
        output: Where the drawn catalogue, runs, results.json and table.md are written.
        sizes: How much is run.
        run: Runs a command.

    Returns:
        A table of retrieval and one of the pre-training tasks.

    Raises:
        InputError: A command failed.
    """
    drawn = open_drawn(output, sizes, run)
    evaluation = MatcherEvaluation(drawn, output / CACHE)

    def trained(row: str, seed: int) -> Result:
        checkpoint = train_row(row, seed, configs, output, sizes, run)
        return evaluation.measure(checkpoint, reranks=row in RERANKERS)

    def baseline(row: str) -> Result:
        return drawn.baselines[row]

    before = ("chance", "TF-IDF", "dual encoder")
    runs: list[Run] = [
        *((row, 0, lambda row=row: baseline(row)) for row in (*before, "oracle")),
        *(
            (row, seed, lambda row=row, seed=seed: trained(row, seed))
            for seed in range(sizes.seeds)
            for row in ROWS
        ),
    ]
    wanted = [one for one in runs if sizes.wants(one[0])]
    results = run_missing(wanted, output / "results.json")
    table = retrieval_table(results, drawn.everything) + "\n" + task_table(results)
    write_text(output / "table.md", table)
    return table


def open_drawn(output: Path, sizes: Sizes, run: RunCommand) -> QueriedProducts:
    """The drawn catalogue beside the tables, drawn where it is missing."""
    root = draw_missing(output.parent / "drawn", sizes.products, run)
    return QueriedProducts(root, sizes, kinds=sizes.kinds)


def train_row(
    row: str, seed: int, configs: Path, output: Path, sizes: Sizes, run: RunCommand
) -> Path:
    """Train one row, unless that is done; returns the checkpoint folder."""
    config, overrides = ROWS[row]
    data = [
        f"data.root={output.parent / 'drawn'}",
        f"crops.cache={output / CACHE}",
        f"limit={sizes.training_products}",
    ]
    if config == "kaleido.yaml" and row == GUIDED:
        aligner = train_missing(
            configs / "alignment.yaml",
            output / "runs" / "alignment",
            [*data, f"optimisation.iterations={sizes.aligner_iterations}"],
            run,
        )
        overrides = (f"alignment={aligner}",)
    return train_missing(
        configs / config,
        output / "runs" / folder_name(row, seed),
        [
            *data,
            f"seed={seed}",
            f"optimisation.iterations={sizes.iterations}",
            *overrides,
        ],
        run,
    )


def task_table(results: Mapping[str, Sequence[Result]]) -> str:
    """Each task of the rows with seven: accuracy in percent, or the divergence, beside chance."""
    rows = [row for row in (RANDOM, GUIDED) if row in results]
    tasks = [name for name in results[rows[0]][0] if name.startswith("task ")] if rows else []
    return markdown(
        {
            task.removeprefix("task "): [
                {"chance": results[rows[0]][seed][f"chance of {task}"]}
                | {row: results[row][seed][task] for row in rows if seed < len(results[row])}
                for seed in range(len(results[rows[0]]))
            ]
            for task in tasks
        },
        ["chance", *rows],
    )
