"""The rows of the base / novel protocol on photos, as commands that a user could type.

All rows share the proposer, trained on boxes of base categories, and the stored features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ovarnet.photos.chain import COCO128, Step

PART = "protocol"
TRAINED = ("detection", "attributes")
TESTS = ("test_voc", COCO128)
TEST_PHOTOS = 600
"""Of each test folder, at most."""
BOX_FREE = "test_voc_box_free"
BOX_FREE_PHOTOS = 150
"""Few, and one seed: CLIP-Attr encodes 100 crops of every photo."""
PROPOSER_ITERATIONS = 400
"""Few, so that an image is visited once or twice and keeping the trunk's maps would not pay."""
REGION_HEAD_ITERATIONS = 500
"""Half of the shipped OvarNet's."""
REGION_PHOTOS = 1500
"""Of each source, whose regions are stored for OvarNet."""
CALIBRATION_BOXES = 300
"""Few, since neither accuracy nor AP depends on the calibration."""
CAPTION_PROPOSALS = 8
"""The best of every captioned photo, and its largest, of which step II draws."""


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        title: What it is called.
        labels: Which words have labels in training: "base" or "all".
        model: Folder of its runs.
        is_box_free: Whether AP50 of the boxes it finds is measured, with seed 0.
    """

    title: str
    labels: str
    model: str
    is_box_free: bool = False


UNLABELLED = Row("no labels: CLIP of captions and ImageNet's classes", "base", "unlabelled")
ZERO_SHOT = Row("base words: CLIP, hand-written prompts", "base", "zero_shot", is_box_free=True)
STEP_ONE = Row("base words: step I, learned prompts", "base", "step_one")
STEP_TWO = Row("base words: step II, captions", "base", "step_two")
OVARNET = Row("base words: OvarNet, distilled", "base", "ovarnet", is_box_free=True)
NOT_DISTILLED = Row("base words: OvarNet, not distilled", "base", "ovarnet_alone", is_box_free=True)
ORACLE = Row("all words: CLIP, hand-written prompts (oracle)", "all", "zero_shot")
ROWS = (UNLABELLED, ZERO_SHOT, STEP_ONE, STEP_TWO, OVARNET, NOT_DISTILLED, ORACLE)


class ProtocolSteps:
    """Every step of every row.

    Args:
        configs: Folder of the config of every stage.
        output: Where everything is written.
    """

    def __init__(self, configs: Path, output: Path):
        self.configs, self.output = configs, output
        self.folder = output / PART
        self.captions = output / "data" / "captions"

    def __call__(self, rows: Sequence[Row], seeds: int) -> list[Step]:
        """All steps after the data, each once, one seed after the other."""
        steps: dict[str, Step] = {}
        for seed in range(seeds):
            for row in rows:
                for step in (*self.training(row, seed), *self.evaluations(row, seed)):
                    steps.setdefault(step.title, step)
        return list(steps.values())

    def checkpoint(self, row: Row, seed: int) -> Path:
        """The model of a row."""
        return self.folder / row.labels / f"{row.model}-{seed}" / "checkpoint"

    def metrics(self, row: Row, seed: int, test: str) -> Path:
        """Where the metrics of a model on one test folder are."""
        name = f"{row.labels}-{row.model}-{seed}"
        return self.folder / "evaluation" / name / test / "metrics.json"

    def training(self, row: Row, seed: int) -> list[Step]:
        """What must be trained, in order, until the row's model is there."""
        clip_attr = [self._clip(row, seed), self._proposer(), self._hand_written(row, seed)]
        step_one = self._step_one(seed)
        return {
            UNLABELLED.model: clip_attr,
            ZERO_SHOT.model: clip_attr,
            STEP_ONE.model: [*clip_attr[:2], step_one],
            STEP_TWO.model: [
                *clip_attr[:2],
                step_one,
                self._proposals(seed),
                self._pseudo_labels(seed),
                self._step_two(seed),
            ],
            OVARNET.model: [*clip_attr, self._ovarnet(OVARNET, seed)],
            NOT_DISTILLED.model: [*clip_attr, self._ovarnet(NOT_DISTILLED, seed)],
        }[row.model]

    def evaluations(self, row: Row, seed: int) -> list[Step]:
        """Box-given on both test folders; box-free, once, where the row has it."""
        given = ("--settings", "box-given", "--limit", str(TEST_PHOTOS))
        steps = [self._evaluation(row, seed, test, test, given) for test in TESTS]
        if row.is_box_free and seed == 0:
            found = ("--settings", "box-free", "--limit", str(BOX_FREE_PHOTOS))
            steps.append(self._evaluation(row, seed, TESTS[0], BOX_FREE, found))
        return steps

    def _train(self, title: str, config: str, checkpoint: Path, *overrides: str) -> Step:
        config_file = str(self.configs / config)
        words = ("train", config_file, f"output={checkpoint.parent}", *overrides)
        return Step(title, words, checkpoint)

    def _labels(self, labels: str) -> list[str]:
        return [f"{name}.root={self.folder / 'data' / labels / name}" for name in TRAINED]

    def _captions(self, images: str) -> list[str]:
        return [
            f"captions={self.captions / 'captions.json'}",
            f"{images}={self.captions / 'images'}",
        ]

    def _clip_checkpoint(self, row: Row, seed: int) -> Path:
        name = "clip_unlabelled" if row == UNLABELLED else "clip"
        return self.folder / row.labels / f"{name}-{seed}" / "checkpoint"

    def _clip(self, row: Row, seed: int) -> Step:
        labels = "no labels" if row == UNLABELLED else f"{row.labels} words"
        without = [f"loss_weights.{name}=0" for name in ("categories", "attributes")]
        return self._train(
            f"CLIP, {labels}, seed {seed}",
            "clip.yaml",
            self._clip_checkpoint(row, seed),
            f"seed={seed}",
            f"features={self.folder / 'features'}",
            *self._labels(row.labels),
            *self._captions("images"),
            *(without if row == UNLABELLED else []),
        )

    @property
    def _proposer_checkpoint(self) -> Path:
        return self.folder / "proposer" / "checkpoint"

    def _proposer(self) -> Step:
        return self._train(
            "Proposer, base words",
            "proposer.yaml",
            self._proposer_checkpoint,
            self._labels("base")[0],
            "views=0",
            f"optimisation.iterations={PROPOSER_ITERATIONS}",
        )

    def _clip_attr(self, row: Row, seed: int, config: str, *more: str) -> Step:
        return self._train(
            f"{row.title}, seed {seed}",
            config,
            self.checkpoint(row, seed),
            *self._labels(row.labels),
            f"clip.pretrained={self._clip_checkpoint(row, seed) / 'clip.safetensors'}",
            f"proposer={self._proposer_checkpoint}",
            *more,
        )

    def _hand_written(self, row: Row, seed: int) -> Step:
        """The CLIP-Attr of a row with these prompts; of OvarNet's rows, the teacher."""
        return self._clip_attr(
            row if row in (UNLABELLED, ORACLE) else ZERO_SHOT,
            seed,
            "clip_attr_zero_shot.yaml",
            f"calibration_boxes={CALIBRATION_BOXES}",
        )

    def _step_one(self, seed: int) -> Step:
        return self._clip_attr(STEP_ONE, seed, "clip_attr.yaml", f"seed={seed}")

    def _proposals(self, seed: int) -> Step:
        words = (
            "propose",
            *("--proposer", str(self._proposer_checkpoint)),
            *self._caption_options(),
            *("--limit", str(CAPTION_PROPOSALS), "--output", str(self.folder / "proposals")),
        )
        # an interrupted run leaves a part, which the command continues
        return Step("Proposals of captioned photos", words, self.checkpoint(STEP_TWO, seed))

    def _pseudo_labels(self, seed: int) -> Step:
        words = (
            "pseudo-label",
            *("--model", str(self.checkpoint(STEP_ONE, seed))),
            *self._caption_options(),
            *("--proposals", str(self.folder / "proposals")),
            *("--output", str(self._pseudo_label_folder(seed))),
        )
        return Step(f"Pseudo-labels, seed {seed}", words, self.checkpoint(STEP_TWO, seed))

    def _pseudo_label_folder(self, seed: int) -> Path:
        return self.folder / "base" / f"pseudo_labels-{seed}"

    def _caption_options(self) -> tuple[str, ...]:
        captions, images = self.captions / "captions.json", self.captions / "images"
        return ("--captions", str(captions), "--images", str(images))

    def _step_two(self, seed: int) -> Step:
        return self._train(
            f"{STEP_TWO.title}, seed {seed}",
            "clip_attr_captions.yaml",
            self.checkpoint(STEP_TWO, seed),
            f"seed={seed}",
            f"init_from={self.checkpoint(STEP_ONE, seed)}",
            f"pseudo_labels={self._pseudo_label_folder(seed)}",
            *self._labels("base"),
            *self._captions("images"),
        )

    def _ovarnet(self, row: Row, seed: int) -> Step:
        without = [f"loss_weights.{name}=0" for name in ("features", "classes", "embeddings")]
        return self._train(
            f"{row.title}, seed {seed}",
            "ovarnet.yaml",
            self.checkpoint(row, seed),
            f"seed={seed}",
            f"teacher={self.checkpoint(ZERO_SHOT, seed)}",
            f"detector={self._proposer_checkpoint}",
            f"regions={self.folder / 'regions'}",
            *self._labels("base"),
            *self._captions("caption_images"),
            f"limit={REGION_PHOTOS}",
            f"optimisation.iterations={REGION_HEAD_ITERATIONS}",
            *(without if row == NOT_DISTILLED else []),
        )

    def _evaluation(
        self, row: Row, seed: int, test: str, name: str, options: tuple[str, ...]
    ) -> Step:
        product = self.metrics(row, seed, name)
        words = (
            "evaluate",
            *("--model", str(self.checkpoint(row, seed))),
            *("--dataset", "custom"),
            *("--root", str(self.folder / "data" / row.labels / test)),
            *options,
            *("--output", str(product.parent)),
        )
        return Step(f"Evaluation of {row.title}, seed {seed}, {name}", words, product)
