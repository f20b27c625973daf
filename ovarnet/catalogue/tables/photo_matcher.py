"""Matchers on a shop's own photos, and what they add to the CLIP that is trained there."""

from __future__ import annotations

from pathlib import Path

from ovarnet.catalogue.tables.clip import CONTRASTIVE, KNOWN, train_clip
from ovarnet.catalogue.tables.matcher_evaluation import MatcherEvaluation, retrieval_table
from ovarnet.catalogue.tables.queried import QueriedProducts
from ovarnet.catalogue.tables.sizes import Sizes
from ovarnet.catalogue.tables.training import RunCommand, prepare_missing, train_missing
from ovarnet.evaluation.runs import Result, Run, folder_name, run_missing
from ovarnet.io.files import write_text

ROWS = {
    "kaleido patches, locked": "kaleido_photos.yaml",
    "FashionBERT, equal weights": "fashionbert_photos.yaml",
}
"""Row -> config."""
BASELINES = ("chance", "TF-IDF", "dual encoder", "oracle")
CACHE = "features"


def photo_matcher_table(
    root: Path, configs: Path, output: Path, sizes: Sizes, run: RunCommand
) -> str:
    """Train and evaluate every row; what is in results.json is not run again.

    Args:
        root: A catalogue, prepared if it is not.
        configs: Folder of the stages' configs.
        output: Where runs, results.json and table.md are written; the CLIP is that of the folder
            `clip` beside it, trained where it is missing.
        sizes: How much is run.
        run: Runs a command.

    Returns:
        The table, in percent.

    Raises:
        InputError: The catalogue cannot be read, or a command failed.
    """
    prepare_missing(root, run)
    clip = train_clip(CONTRASTIVE, 0, root, configs, output.parent / "clip", sizes, run)
    products = QueriedProducts(root, sizes, start=str(clip), shown=KNOWN)
    evaluation = MatcherEvaluation(products, output / CACHE)

    def trained(row: str, seed: int) -> Result:
        checkpoint = train_missing(
            configs / ROWS[row],
            output / "runs" / folder_name(row, seed),
            [
                f"data.root={root}",
                f"crops.network={clip}",
                f"crops.cache={output / CACHE}",
                f"limit={sizes.training_products}",
                f"seed={seed}",
                f"optimisation.iterations={sizes.iterations}",
            ],
            run,
        )
        return evaluation.measure(checkpoint, reranks=True)

    runs: list[Run] = [
        *((row, 0, lambda row=row: products.baselines[row]) for row in BASELINES),
        *(
            (row, seed, lambda row=row, seed=seed: trained(row, seed))
            for seed in range(sizes.seeds)
            for row in ROWS
        ),
    ]
    wanted = [one for one in runs if sizes.wants(one[0])]
    results = run_missing(wanted, output / "results.json")
    table = retrieval_table(results, products.everything)
    write_text(output / "table.md", table)
    return table
