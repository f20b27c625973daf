"""The e-commerce CLIP on a shop's own photos: what training and each of its terms bring.

Every row is evaluated on the test products, title to photo and photo to title.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ovarnet.catalogue.data.prepared import open_catalogue
from ovarnet.catalogue.evaluation.evaluate import (
    IMAGE_TO_TEXT,
    POOL,
    TEXT_TO_IMAGE,
    add_baselines,
    evaluate_retrieval,
)
from ovarnet.catalogue.modeling.encoder import open_clip
from ovarnet.catalogue.product import Product
from ovarnet.catalogue.tables.sizes import Sizes
from ovarnet.catalogue.tables.training import RunCommand, prepare_missing, train_missing
from ovarnet.catalogue.training.clip.features import photo_features
from ovarnet.catalogue.training.clip.model import PhotoHead
from ovarnet.catalogue.training.clip.stage import FEATURES, product_boxes
from ovarnet.evaluation.report import Report
from ovarnet.evaluation.runs import Result, Run, folder_name, run_missing
from ovarnet.evaluation.seed_table import markdown
from ovarnet.io.files import write_text

CONFIG = "clip_photos.yaml"
START = "photos-clip-attr"
CONTRASTIVE = "trained, contrastive"
TRAINED = {
    CONTRASTIVE: ("prototypes=0", "neighbours=0"),
    "with prototypes": ("prototypes=0.2", "neighbours=0"),
    "with neighbours": ("prototypes=0", "neighbours=0.2"),
    "with both": ("prototypes=0.2", "neighbours=0.2"),
}
"""Row -> overrides of the config."""
CHANCE, TFIDF, UNTRAINED, ORACLE = "chance", "TF-IDF", "before training", "oracle"
KNOWN = ("article_type", "color", "gender")
"""What the oracle knows, as far as the catalogue has it."""
DIRECTIONS = {TEXT_TO_IMAGE: "title → photo", IMAGE_TO_TEXT: "photo → title"}
MEASURES = ("R@1", "R@10")


def clip_table(root: Path, configs: Path, output: Path, sizes: Sizes, run: RunCommand) -> str:
    """Train and evaluate every row; what is in results.json is not run again.

    Args:
        root: A catalogue, prepared if it is not.
        configs: Folder of the stages' configs.
        output: Where runs, results.json and table.md are written.
        sizes: How much is run.
        run: Runs a command.

    Returns:
        The table, in percent.

    Raises:
        InputError: The catalogue cannot be read, or a command failed.
    """
    shop = Shop(prepare_missing(root, run))

    def trained(row: str, seed: int) -> Result:
        return shop.retrieval(str(train_clip(row, seed, root, configs, output, sizes, run)))

    runs: list[Run] = [
        (CHANCE, 0, lambda: shop.baselines()[CHANCE]),
        (TFIDF, 0, lambda: shop.baselines()[TFIDF]),
        (UNTRAINED, 0, lambda: shop.retrieval(START)),
        *(
            (row, seed, lambda row=row, seed=seed: trained(row, seed))
            for seed in range(sizes.seeds)
            for row in TRAINED
        ),
        (ORACLE, 0, lambda: shop.baselines()[ORACLE]),
    ]
    results = run_missing([one for one in runs if sizes.wants(one[0])], output / "results.json")
    table = markdown(results, columns(len(shop.test)))
    write_text(output / "table.md", table)
    return table


def train_clip(
    row: str, seed: int, root: Path, configs: Path, output: Path, sizes: Sizes, run: RunCommand
) -> Path:
    """Train one row of `TRAINED`, unless that is done; returns the checkpoint folder."""
    return train_missing(
        configs / CONFIG,
        output / "runs" / folder_name(row, seed),
        [
            f"data.root={root}",
            f"seed={seed}",
            f"optimisation.iterations={sizes.clip_iterations}",
            *TRAINED[row],
        ],
        run,
    )


def columns(products: int) -> list[str]:
    """Titles of the columns: direction, protocol and measure."""
    return [
        f"{title}, {protocol}: {measure}"
        for protocol in (f"all {products:,}", POOL)
        for title in DIRECTIONS.values()
        for measure in MEASURES
    ]


class Shop:
    """Test and training products with the features of their photos, made when first needed.

    Args:
        root: A prepared catalogue.
    """

    def __init__(self, root: Path):
        catalogue = open_catalogue(root)
        self.folder = root / "prepared" / FEATURES
        self.test = catalogue.split("test").products
        self.training = catalogue.split("train").products
        self.known = [column for column in KNOWN if column in catalogue.columns]

    def retrieval(self, model: str) -> Result:
        """Recall of a photo CLIP in percent, by column."""
        images, texts = self.encode(model, self.test)
        report = Report({})
        evaluate_retrieval(self.test, images, texts, report)
        return self._percent(report, "", "value")

    def baselines(self) -> dict[str, Result]:
        """Chance, a bag of words, and the oracle."""
        images, texts = self.encode(START, self.test)
        training_images, _ = self.encode(START, self.training)
        report = Report({})
        evaluate_retrieval(self.test, images, texts, report)
        add_baselines(report, self.test, images, self.training, training_images, self.known)
        return {
            CHANCE: self._percent(report, "", "chance"),
            TFIDF: self._percent(report, ", TF-IDF baseline", "value"),
            ORACLE: self._percent(report, f", who knows {', '.join(self.known)}", "value"),
        }

    @torch.no_grad()
    def encode(self, model: str, products: Sequence[Product]) -> tuple[np.ndarray, np.ndarray]:
        """Unit vectors (N, D) of photos and of titles."""
        clip = open_clip(model).eval()
        files = [product.image for product in products]
        boxes = product_boxes(products, foreground=True)
        features = photo_features(clip, files, boxes, self.folder)
        titles = list(dict.fromkeys(product.title for product in products))
        rows = {title: row for row, title in enumerate(titles)}
        head = PhotoHead(clip, titles)
        images = torch.cat([head.images(part.float()) for part in features.split(256)])
        texts = head.texts(torch.tensor([rows[product.title] for product in products]))
        return images.numpy(), texts.numpy()

    def _percent(self, report: Report, suffix: str, field: str) -> Result:
        """The rows of a report whose protocol ends so, named as in `columns`."""
        protocols = (f"all {len(self.test):,}", POOL)
        return {
            f"{DIRECTIONS[row.setting]}, {protocol}: {row.measure}": 100 * getattr(row, field)
            for row in report.rows
            for protocol in protocols
            if row.protocol == protocol + suffix and row.measure in MEASURES
        }
