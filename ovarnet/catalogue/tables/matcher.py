"""FashionBERT and Kaleido-BERT on the drawn catalogue: patches, tasks, masks, weights of losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from ovarnet.catalogue.evaluation.matcher import score_pools
from ovarnet.catalogue.evaluation.pools import Pools
from ovarnet.catalogue.evaluation.pretexts import TaskResult, evaluate_pretexts
from ovarnet.catalogue.matcher import Matcher, load_matcher
from ovarnet.catalogue.pretext.patch_tasks import BLANK, GREY
from ovarnet.catalogue.search.rerank import CANDIDATES, fused_scores
from ovarnet.catalogue.tables.drawn import BY_PHOTO, BY_TEXT, CUTS, DrawnProducts
from ovarnet.catalogue.tables.sizes import Sizes
from ovarnet.catalogue.tables.training import RunCommand, draw_missing, train_missing
from ovarnet.catalogue.training.features import PatchFeatures, cached_features
from ovarnet.catalogue.training.matcher import tokenize
from ovarnet.catalogue.training.matcher_data import MatcherDataset
from ovarnet.catalogue.training.pairs import OtherProducts
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
RERANKED = f"dual encoder, best {CANDIDATES} re-ranked by: "
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
        return evaluation.measure(train_row(row, seed, configs, output, sizes, run), row)

    def baseline(row: str) -> Result:
        return drawn.baselines()[row]

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
    table = tables(results, drawn.everything)
    write_text(output / "table.md", table)
    return table


def open_drawn(output: Path, sizes: Sizes, run: RunCommand) -> DrawnProducts:
    """The drawn catalogue beside the tables, drawn where it is missing."""
    return DrawnProducts(draw_missing(output.parent / "drawn", sizes.products, run), sizes)


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


def tables(results: Mapping[str, Sequence[Result]], everything: str) -> str:
    """Retrieval in percent; then every task of the rows that have all seven.

    Args:
        results: Row -> one result per seed.
        everything: Title of the columns of retrieval among all test products.
    """
    rows = dict(results)
    for row in RERANKERS:
        if row in results:
            rows[RERANKED + row] = [
                {
                    name.removeprefix("re-ranked "): value
                    for name, value in result.items()
                    if name.startswith("re-ranked ")
                }
                for result in results[row]
            ]
    titles = [*(f"{way}: R@{k}" for way in (BY_TEXT, BY_PHOTO, everything) for k in CUTS)]
    return markdown(rows, titles) + "\n" + task_table(results)


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


class MatcherEvaluation:
    """Retrieval in pools, and the pre-training tasks, on test products.

    Args:
        drawn: The products.
        cache: Folder of the features.
    """

    def __init__(self, drawn: DrawnProducts, cache: Path):
        self.drawn, self.cache = drawn, cache

    def measure(self, checkpoint: Path, row: str) -> Result:
        """All columns of a row."""
        matcher = load_matcher(checkpoint, device="cpu")
        features = self.features(matcher)
        result: Result = {}
        for direction, by_photo in ((BY_TEXT, False), (BY_PHOTO, True)):
            scores = score_pools(
                matcher, self.drawn.test, features, self.drawn.pools, by_photo=by_photo
            )
            result |= self.drawn.recall(scores, direction)
        result |= self._tasks(matcher, features)
        if row in RERANKERS:
            result |= self._reranked(matcher, features)
        return result

    def features(self, matcher: Matcher) -> PatchFeatures:
        """Of the test products, as the matcher reads them."""
        patches = matcher.encode_images
        return cached_features(
            self.drawn.test,
            patches.layout,
            patches.encoder,
            self.cache,
            foreground=patches.foreground,
        )

    def _tasks(self, matcher: Matcher, features: PatchFeatures) -> Result:
        """Each task once for every test product, with random masks, beside its chance."""
        design = matcher.design
        data = MatcherDataset(
            self.drawn.test,
            tokenize(self.drawn.test, matcher.tokenizer, design.tokens),
            features,
            matcher.encode_images.layout,
            matcher.tokenizer,
            OtherProducts(self.drawn.test, "any"),
            tasks=design.tasks,
            pairs=None,
            seed=0,
        )
        result: Result = {}
        for task, found in evaluate_pretexts(matcher.network, data, 1).items():
            name, value, chance = _printed(task, found)
            result |= {f"task {name}": value, f"chance of task {name}": chance}
        return result

    def _reranked(self, matcher: Matcher, features: PatchFeatures) -> Result:
        """Recall among all test products: the dual encoder's best, in the order of both."""
        similar = self.drawn.similar[self.drawn.queries]
        best = np.argsort(-similar, axis=1, kind="stable")[:, :CANDIDATES]
        pools = Pools(np.column_stack([self.drawn.queries, best]), hard=float("nan"))
        matched = score_pools(matcher, self.drawn.test, features, pools, by_photo=False)[:, 1:]
        scale = self.drawn.encoder.clip.logit_scale.exp().item()
        cosines = np.take_along_axis(similar, best, axis=1)
        fused = fused_scores(torch.from_numpy(cosines), torch.from_numpy(matched), scale)
        scores = similar - 2  # all others stay behind, in their order
        np.put_along_axis(scores, best, fused.numpy(), axis=1)
        return {f"re-ranked {name}": v for name, v in self.drawn.among_all(scores).items()}


def _printed(task: str, found: TaskResult) -> tuple[str, float, float]:
    """Name, value and chance as they are printed: in percent; divergences times 1,000."""
    assert found.chance is not None
    if task in (GREY, BLANK):
        return f"{task} (KL x 1,000, lower is better)", 1000 * found.value, 1000 * found.chance
    return task, 100 * found.value, 100 * found.chance
