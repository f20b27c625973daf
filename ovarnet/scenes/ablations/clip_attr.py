"""Ablation of CLIP-Attr on the generated world: zero-shot, steps I and II, oracle and chance.

The CLIP and the proposer are given and the same for all seeds; a seed draws prompts, batches and
crops. Results are written after every run, and a run that is already in the file is not repeated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from accelerate import Accelerator

from ovarnet.build import load_model, open_clip_tower, open_proposer
from ovarnet.config import CaptionTraining, ClipAttrTraining, load_config
from ovarnet.data.captions import CaptionedImage, load_captions
from ovarnet.errors import InputError
from ovarnet.evaluation.runs import Once, Run, folder_name, run_missing
from ovarnet.evaluation.seed_table import columns_of, markdown
from ovarnet.io.files import write_text
from ovarnet.modeling.clip_attr import ClipAttr
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.prompts import ATTRIBUTE_TEMPLATES, CATEGORY_TEMPLATES, TemplatePrompts
from ovarnet.proposals.store import read_proposals, write_proposals
from ovarnet.scenes.ablations.box_given import BoxGivenTest
from ovarnet.scenes.ablations.oracle import oracle_data, true_words, world_seed
from ovarnet.training.clip_attr.checkpoints import open_clip_attr
from ovarnet.training.clip_attr.pseudo_labels import write_pseudo_labels
from ovarnet.training.clip_attr.step_one import train_clip_attr
from ovarnet.training.clip_attr.step_two import train_with_captions
from ovarnet.training.clip_attr.step_two_data import CaptionData
from ovarnet.training.data.base_data import BaseData
from ovarnet.training.data.image_cache import ImageCache
from ovarnet.vocabulary import KINDS

IMAGE_MEMORY = 2048
TUNED = ("lr_multipliers.image_tower=0.25", "cached_views=0")
IMAGE_TERMS = (
    "image_caption",
    "image_phrase",
    "image_phrases",
    "image_attributes",
    "image_categories",
)
REGION_TERMS = ("region_attributes", "region_categories", "distil_attributes")
PAPER = (
    "loss_weights.mentioned_attributes=0",
    *(f"loss_weights.{name}=1" for name in (*IMAGE_TERMS, *REGION_TERMS)),
)
LARGEST = (
    "loss_weights.mentioned_attributes=0",
    "loss_weights.distil_categories=0",
    *(f"loss_weights.{name}=1" for name in IMAGE_TERMS),
)
STEP_I = "step I: prompts and text encoder, federated"
STEP_II = "step II: attributes that captions mention of a noun"

ZERO_SHOT = {
    "zero-shot, plain word": (["{}"], ["{}"]),
    "zero-shot, one template": (["a photo of a {}"], ["a photo of a {} object"]),
    "zero-shot, ensemble of templates": (CATEGORY_TEMPLATES, ATTRIBUTE_TEMPLATES),
}


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        name: Of the row.
        changes: KEY=VALUE on top of the config of the stage.
        step: 1 or 2, the stage that is trained.
        oracle: Train on labels of all words, base and novel.
        true_words: Take the words of captions from the generator instead of the parser.
    """

    name: str
    changes: tuple[str, ...] = ()
    step: int = 1
    oracle: bool = False
    true_words: bool = False


ROWS = (
    Row(
        "step I: prompts alone, without parent type",
        ("lr_multipliers.text_tower=0", "parent_type=false"),
    ),
    Row("step I: prompts alone, with parent type", ("lr_multipliers.text_tower=0",)),
    Row(STEP_I),
    Row("step I, without frequency weights", ("loss.frequency_power=0",)),
    Row("step I, unknown labels ignored", ("loss.unknown_weight=0",)),
    Row("step I, without bias", ("lr_multipliers.bias=0",)),
    Row("step I, detection data only", ("detection_share=1",)),
    Row("step I, attribute data only", ("detection_share=0",)),
    Row("step I, image tower tuned, regularised", TUNED),
    Row("step I, image tower tuned freely", (*TUNED, "tower_regularisation=0")),
    Row(STEP_II, step=2),
    Row(
        "step II, the paper's terms: the largest proposal alone, without MIL over regions",
        LARGEST,
        step=2,
    ),
    Row("step II, the paper's terms: all, with MIL-NCE over regions", PAPER, step=2),
    Row(
        "step II, ours and MIL-NCE over regions",
        tuple(f"loss_weights.{name}=1" for name in REGION_TERMS),
        step=2,
    ),
    Row("step II, without base losses", ("base_batch_size=0",), step=2),
    Row("step II, image tower frozen", ("lr_multipliers.image_tower=0",), step=2),
    Row("step II, true words instead of the parser's", step=2, true_words=True),
    Row("oracle: step I on all words", oracle=True),
    Row("oracle, image tower tuned freely", (*TUNED, "tower_regularisation=0"), oracle=True),
)


@dataclass
class Sizes:
    """How much is done.

    Attributes:
        seeds: Number of seeds.
        step_one: Iterations of step I.
        tuned: Iterations of step I where the image tower is trained.
        step_two: Iterations of step II.
        train_boxes: Boxes of each source in training.
        test_boxes: Boxes that are scored.
        caption_images: Captioned scenes of step II.
        proposals: Of each captioned scene.
        oracle_scenes: Scenes that the oracle is trained on.
        rows: Only rows whose name contains one of these are run.
    """

    seeds: int = 3
    step_one: int = 400
    tuned: int = 400
    step_two: int = 400
    train_boxes: int = 8000
    test_boxes: int = 1500
    caption_images: int = 3000
    proposals: int = 20
    oracle_scenes: int = 3000
    rows: tuple[str, ...] = ("",)

    def quick(self) -> Sizes:
        """Sizes for a few minutes; the numbers mean little."""
        return replace(
            self,
            seeds=1,
            step_one=150,
            tuned=50,
            step_two=60,
            train_boxes=2500,
            test_boxes=600,
            caption_images=500,
            oracle_scenes=800,
        )


@dataclass
class Inputs:
    """What the ablation is given.

    Attributes:
        configs: Folder of clip_attr.yaml and clip_attr_captions.yaml.
        root: Folder of the generated world.
        clip: File of CLIP weights.
        proposer: Checkpoint folder.
        output: Folder of results.json, table.md and all runs.
    """

    configs: Path
    root: Path
    clip: str
    proposer: str
    output: Path


@dataclass
class Ablation:
    """Runs the rows; what is costly and shared by several runs is made once, when first needed."""

    inputs: Inputs
    sizes: Sizes
    _once: Once = field(default_factory=Once)

    def run(self) -> dict[str, list[dict[str, float]]]:
        """Row -> one result per seed; also written to results.json after every run."""
        clip = self._step_one(Row("")).clip
        if clip is None:
            raise InputError(f"{self.inputs.configs / 'clip_attr.yaml'}: names no clip")
        self.clip = open_clip_tower(clip)
        self.test = BoxGivenTest(self.clip, "scenes", self.inputs.root, boxes=self.sizes.test_boxes)
        self.images = ImageCache(IMAGE_MEMORY)
        return run_missing(self._runs(), self.inputs.output / "results.json")

    def _runs(self) -> Iterator[Run]:
        """All runs; seeds outermost, so that an interrupted table is whole for its first seeds."""
        yield "chance", 0, self.test.chance
        for name, templates in ZERO_SHOT.items():
            yield name, 0, partial(self._zero_shot, templates)
        rows = [row for row in ROWS if any(part in row.name for part in self.sizes.rows)]
        for seed in range(self.sizes.seeds):
            for row in rows:
                yield row.name, seed, partial(self._measure, row, seed)

    def _zero_shot(self, templates: tuple[list[str], list[str]]) -> dict[str, float]:
        """Score by the cosine itself; a scale and a bias would change no rank."""
        classifier = TextClassifier(self.clip, TemplatePrompts(*templates))
        for kind in KINDS:
            classifier.calibrate(kind, 1.0, 0.0)
        return self.test(self.clip, classifier)

    def _measure(self, row: Row, seed: int) -> dict[str, float]:
        folder = self._train_one(row, seed) if row.step == 1 else self._train_two(row, seed)
        clip, classifier, _ = open_clip_attr(folder)
        return self.test(clip, classifier)

    def _train_one(self, row: Row, seed: int) -> Path:
        config = self._step_one(row, seed)
        data = self._once("oracle", self._oracle_data) if row.oracle else self._base_data(config)
        return train_clip_attr(
            config,
            Accelerator(),
            data=data,
            images=self.images,
            cache_folder=self.inputs.output / "cache",
        )

    def _train_two(self, row: Row, seed: int) -> Path:
        step_one = next(other for other in ROWS if other.name == STEP_I)
        start = self._once(("step I", seed), lambda: self._train_one(step_one, seed))
        pairs = self._once(("pairs", seed), lambda: self._pairs(start, seed))
        if row.true_words:
            parsed = self._once(
                "true words", partial(true_words, pairs.images, pairs.parsed, self._world_seed())
            )
            pairs = replace(pairs, parsed=parsed)
        config = self._step_two(row, seed, start)
        return train_with_captions(
            config, Accelerator(), data=self._base_data(config), pairs=pairs, images=self.images
        )

    def _base_data(self, config: ClipAttrTraining | CaptionTraining) -> BaseData:
        """The first `train_boxes` boxes of each source."""

        def opened() -> BaseData:
            data, most = BaseData.open(config.detection, config.attributes), self.sizes.train_boxes
            return replace(
                data, detection=data.detection.first(most), attributes=data.attributes.first(most)
            )

        return self._once("base", opened)

    def _pairs(self, start: Path, seed: int) -> CaptionData:
        """The captioned scenes with pseudo-labels of the step I model of this seed."""
        output, teacher = self.inputs.output, load_model(start)
        assert isinstance(teacher, ClipAttr)  # step I writes no other model
        images = self._caption_images()
        write_proposals(
            open_proposer(self.inputs.proposer),
            [image.file for image in images],
            output / "proposals",
            limit=self.sizes.proposals,
        )
        folder = output / f"pseudo_labels_{seed}"
        write_pseudo_labels(
            teacher, images, read_proposals(output / "proposals"), folder, most=self.sizes.proposals
        )
        return CaptionData.open(
            self._captions(), self.inputs.root / "images" / "captions", folder, teacher.vocabulary
        )

    def _step_one(self, row: Row, seed: int = 0) -> ClipAttrTraining:
        iterations = self.sizes.tuned if TUNED[0] in row.changes else self.sizes.step_one
        return load_config(
            self.inputs.configs / "clip_attr.yaml",
            [
                f"clip.pretrained={self.inputs.clip}",
                f"proposer={self.inputs.proposer}",
                f"optimisation.iterations={iterations}",
                *self._common(row, seed),
                *row.changes,
            ],
        )

    def _step_two(self, row: Row, seed: int, start: Path) -> CaptionTraining:
        return load_config(
            self.inputs.configs / "clip_attr_captions.yaml",
            [
                f"init_from={start}",
                f"optimisation.iterations={self.sizes.step_two}",
                *self._common(row, seed),
                *row.changes,
            ],
        )

    def _common(self, row: Row, seed: int) -> list[str]:
        return [
            f"seed={seed}",
            f"output={self.inputs.output / 'runs' / folder_name(row.name, seed)}",
            *(f"{source}.root={self.inputs.root}" for source in ("detection", "attributes")),
        ]

    def _oracle_data(self) -> BaseData:
        return oracle_data(
            self.test.vocabulary, self._world_seed(), self.sizes.oracle_scenes, self.images
        )

    def _caption_images(self) -> list[CaptionedImage]:
        return load_captions(self._captions(), self.inputs.root / "images" / "captions")[
            : self.sizes.caption_images
        ]

    def _captions(self) -> Path:
        return self.inputs.root / "annotations" / "captions_scenes.json"

    def _world_seed(self) -> int:
        return world_seed(self.inputs.root)


def write_table(results: Mapping[str, list[dict[str, float]]], output: Path) -> str:
    """Write table.md, the main table and that of parent types; returns its text."""
    main, types = columns_of(next(iter(results.values()))[0])
    text = (
        f"Box-given, %, mean ± deviation over seeds.\n\n{markdown(results, main)}\nBy parent "
        f"type:\n\n{markdown(results, types)}"
    )
    write_text(output / "table.md", text)
    return text
