"""Ablation of OvarNet on the generated world: distillation, teacher, pooling, joint training.

The two-stage teacher is evaluated on the same images. The teachers are given and the same for all
seeds; a seed draws weights, batches and regions. Results are written after every run, and a run
that is already in the file is not repeated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor

from ovarnet.build import load, load_model
from ovarnet.config import OvarnetTraining, load_config
from ovarnet.data.datasets import open_dataset
from ovarnet.evaluation.evaluate import evaluate_model
from ovarnet.evaluation.protocols import AUTHORS, FREE, GIVEN, OVAD
from ovarnet.evaluation.runs import Once, Result, Run, folder_name, run_missing
from ovarnet.evaluation.seed_table import markdown
from ovarnet.io.files import write_text
from ovarnet.modeling.clip_attr import ClipAttr
from ovarnet.modeling.predictor import Predictor
from ovarnet.modeling.region_model import RegionModel
from ovarnet.structures import Proposals
from ovarnet.training.data.image_cache import ImageCache
from ovarnet.training.distillation.data import DistillationData
from ovarnet.training.distillation.stage import train_ovarnet

IMAGE_MEMORY = 2048
GROUPS = ("base", "novel", "all")
ALIKE = ("distillation.kind=probability", "distillation.cache_embeddings=true")
"""Settings of all rows, unless they change them."""
PAPER_HEAD = ("design.head=attention", "design.roi_size=12", "design.dropout=0.1")
"""The paper's pooling, on the pyramid; 12 cells per side make 36 tokens."""

NOT_DISTILLED = "without distillation"
MAIN = "probability distillation, teacher after step II, CLIP's stages as head, joint"
ATTENTION = "attentional pooling, 4 layers"
ATTENTION_NOT_DISTILLED = "attentional pooling, 4 layers, not distilled"
TWO_STAGE = {1: "two-stage CLIP-Attr after step I", 2: "two-stage CLIP-Attr after step II"}
SAME_BOXES = "two-stage CLIP-Attr after step II, on the boxes that OvarNet finds"


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        name: Of the row.
        changes: KEY=VALUE on top of the config.
        teacher: CLIP-Attr after step 1 or 2.
    """

    name: str
    changes: tuple[str, ...] = ()
    teacher: int = 2


ROWS = (
    Row(NOT_DISTILLED, ("distillation.kind=none",)),
    Row(MAIN),
    Row("feature distillation", ("distillation.kind=feature",)),
    Row("teacher after step I", teacher=1),
    Row("an adapter behind the teacher", ("distillation.adapter=true",)),
    Row("attentional pooling, 0 layers", (*PAPER_HEAD, "design.layers=0")),
    Row("attentional pooling, 2 layers", (*PAPER_HEAD, "design.layers=2")),
    Row(ATTENTION, (*PAPER_HEAD, "design.layers=4")),
    Row(ATTENTION_NOT_DISTILLED, (*PAPER_HEAD, "design.layers=4", "distillation.kind=none")),
    Row("average pooling", (*PAPER_HEAD, "design.head=average")),
    Row("CLIP's last stage alone as head", ("design.clip_source=c4",)),
    Row("categories alone", ("loss_weights.attributes=0", "distillation.attribute_weight=0")),
    Row(
        "attributes alone",
        (
            "loss_weights.categories=0",
            "loss_weights.background=0",
            "distillation.category_weight=0",
        ),
    ),
)

MEASURES = {
    "AP50": (FREE, "COCO-OVD AP50", None),
    "mAP authors": (FREE, "attribute mAP", AUTHORS),
    "mAP ovad": (FREE, "attribute mAP", OVAD),
    "accuracy": (GIVEN, "category accuracy", None),
    "mAP given": (GIVEN, "attribute mAP", None),
    "AR@100": (FREE, "proposals AR@100", None),
    "R@50": (FREE, "proposals R@50", None),
    "AR@100 refined": (FREE, "detections AR@100", None),
}
"""Name in the results -> setting, measure and protocol of a report."""

TABLES = {
    "Box-free": [
        f"{name} {group}" for name in ("AP50", "mAP authors", "mAP ovad") for group in GROUPS
    ],
    "Box-given": [f"{name} {group}" for name in ("accuracy", "mAP given") for group in GROUPS],
    "Proposals (of the own RPN, or of the offline proposer), and what is left of them after "
    "refinement and suppression": [
        f"{name} {group}"
        for name in ("AR@100", "R@50", "AR@100 refined")
        for group in ("base", "novel")
    ],
}


@dataclass
class Sizes:
    """How much is done.

    Attributes:
        seeds: Number of seeds.
        iterations: Of each training.
        train_images: Images of each source.
        test_images: Images that are evaluated.
        rows: Only rows whose name contains one of these are run.
    """

    seeds: int = 3
    iterations: int = 300
    train_images: int = 1500
    test_images: int = 300
    rows: tuple[str, ...] = ("",)

    def quick(self) -> Sizes:
        """Sizes for a few minutes; the numbers mean little."""
        return replace(self, seeds=1, iterations=30, train_images=200, test_images=60)


@dataclass
class Inputs:
    """What the ablation is given.

    Attributes:
        config: File of the stage "ovarnet".
        root: Folder of the generated world.
        teachers: Step of CLIP-Attr -> its checkpoint folder.
        output: Folder of results.json, table.md and all runs.
    """

    config: Path
    root: Path
    teachers: Mapping[int, str]
    output: Path


@dataclass
class Ablation:
    """Runs the rows; what is costly and shared by several runs is made once, when first needed."""

    inputs: Inputs
    sizes: Sizes
    once: Once = field(default_factory=Once)

    def run(self) -> dict[str, list[Result]]:
        """Row -> one result per seed; also written to results.json after every run."""
        return run_missing(self._runs(), self.inputs.output / "results.json")

    def _runs(self) -> Iterator[Run]:
        """All runs; seeds outermost, so that an interrupted table is whole for its first seeds."""
        for step, name in TWO_STAGE.items():
            if self._is_selected(name):
                yield name, 0, partial(self._measure_two_stage, step)
        for seed in range(self.sizes.seeds):
            for row in ROWS:
                if self._is_selected(row.name):
                    yield row.name, seed, partial(self._measure_row, row, seed)
            if self._is_selected(MAIN):
                yield SAME_BOXES, seed, partial(self._measure_same_boxes, seed)

    def _is_selected(self, name: str) -> bool:
        return any(part in name for part in self.sizes.rows)

    def _measure_two_stage(self, step: int) -> Result:
        return self._measure(load(self.inputs.teachers[step]))

    def _measure_row(self, row: Row, seed: int) -> Result:
        return self._measure(load(self._train(row, seed)))

    def _measure_same_boxes(self, seed: int) -> Result:
        """The teacher, with the OvarNet of the main row in place of its proposer."""
        teacher = load_model(self.inputs.teachers[2])
        own_boxes = OwnBoxes(load_model(self._folder(MAIN, seed) / "checkpoint"))
        return self._measure(
            Predictor(ClipAttr(teacher.clip, teacher.classifier, own_boxes, teacher.vocabulary))
        )

    def _train(self, row: Row, seed: int) -> Path:
        config = load_config(
            self.inputs.config,
            [
                f"seed={seed}",
                f"output={self._folder(row.name, seed)}",
                f"teacher={self.inputs.teachers[row.teacher]}",
                f"detection.root={self.inputs.root}",
                f"attributes.root={self.inputs.root}",
                f"optimisation.iterations={self.sizes.iterations}",
                f"optimisation.warmup={self.sizes.iterations // 10}",
                *ALIKE,
                *row.changes,
            ],
        )
        return train_ovarnet(
            config,
            Accelerator(),
            data=self.once("data", lambda: self._data(config)),
            images=self.once("images", lambda: ImageCache(IMAGE_MEMORY)),
            cache_folder=self.inputs.output / "cache",
        )

    def _data(self, config: OvarnetTraining) -> DistillationData:
        """The first `train_images` images of each source."""
        data = DistillationData.open(config)
        return replace(
            data,
            sources={
                name: images[: self.sizes.train_images] for name, images in data.sources.items()
            },
        )

    def _measure(self, model: Predictor) -> Result:
        """Percentages by the names of `MEASURES` and `GROUPS`: "AP50 base", ..."""
        vocabulary, images = self.once(
            "test", lambda: open_dataset("scenes", self.inputs.root, "test")
        )
        report = evaluate_model(model, vocabulary, images[: self.sizes.test_images], progress=False)
        return {
            f"{name} {group}": 100 * report.value(setting, measure, group, protocol)
            for name, (setting, measure, protocol) in MEASURES.items()
            for group in GROUPS
        }

    def _folder(self, row: str, seed: int) -> Path:
        return self.inputs.output / "runs" / folder_name(row, seed)


class OwnBoxes:
    """The refined boxes of an OvarNet as proposals (`ovarnet.modeling.proposer.Proposer`)."""

    provenance = "the refined boxes of an OvarNet"

    def __init__(self, model: RegionModel):
        self.model = model

    @torch.no_grad()
    def propose(
        self, images: Sequence[Tensor], names: Sequence[str | None] | None = None
    ) -> list[Proposals]:
        """See `ovarnet.proposals.detector.Proposer`."""
        return [
            Proposals(found.boxes.cpu(), found.objectness.cpu())
            for found in self.model(images, None, names)
        ]


def write_table(results: Mapping[str, Sequence[Result]], output: Path) -> str:
    """Write table.md, three tables and the claims that they support; returns its text."""
    parts = [
        f"{title}, %, mean ± deviation over seeds.\n\n{markdown(results, columns)}"
        for title, columns in TABLES.items()
    ]
    text = "\n".join([*parts, *claims(results)])
    write_text(output / "table.md", text)
    return text


def claims(results: Mapping[str, Sequence[Result]]) -> list[str]:
    """Differences and shares that the ablation is for, as far as its rows are there."""

    def mean(row: str, name: str) -> float:
        return sum(result[name] for result in results[row]) / len(results[row])

    lines = []
    for head, row, without in (
        ("CLIP's stages as head", MAIN, NOT_DISTILLED),
        (ATTENTION, ATTENTION, ATTENTION_NOT_DISTILLED),
    ):
        if {row, without} <= results.keys():
            gains = [
                f"{name} {mean(row, name) - mean(without, name):+.1f}"
                for name in ("AP50 novel", "mAP ovad novel", "AP50 base", "mAP ovad base")
            ]
            lines.append(f"Distillation adds, in points, with {head}: {', '.join(gains)}.\n")
    if {TWO_STAGE[2], MAIN} <= results.keys():
        shares = [
            f"{name} {100 * mean(MAIN, name) / mean(TWO_STAGE[2], name):.0f} %"
            for name in ("AP50 novel", "mAP ovad novel")
        ]
        recall = [
            f"{name} {mean(MAIN, name):.1f} / {mean(TWO_STAGE[2], name):.1f}"
            for name in ("AR@100 base", "AR@100 novel")
        ]
        lines.append(f"OvarNet relative to its teacher: {', '.join(shares)}.\n")
        lines.append(f"Its own RPN / the offline proposer: {', '.join(recall)}.\n")
    return lines
