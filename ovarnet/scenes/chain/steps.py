"""The chain as a list of commands that a user could type, each with one product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ovarnet.config import load_config

MODELS = {
    "zero_shot": "CLIP-Attr, zero-shot",
    "step_one": "CLIP-Attr, step I",
    "step_two": "CLIP-Attr, step II",
    "ovarnet": "OvarNet",
}
"""Step that trains a model -> how the report calls it, in the order of the chain."""
PROPOSALS = "20"


@dataclass(frozen=True)
class Step:
    """One command of the chain.

    Attributes:
        name: Short and distinct.
        title: For people.
        command: Words after `ovarnet`.
        folder: Holds everything that the step writes.
        made: What exists in the folder when the step is done; "" stands for the folder itself.
    """

    name: str
    title: str
    command: tuple[str, ...]
    folder: Path
    made: str = ""

    @property
    def product(self) -> Path:
        """What exists when the step is done."""
        return self.folder / self.made

    @property
    def is_training(self) -> bool:
        """Whether the step trains, and can be resumed."""
        return self.command[0] in ("train", "distill")

    def settings(self) -> dict | list[str]:
        """Everything the outcome depends on.

        Returns:
            All resolved settings of a training stage; the command of any other step.
        """
        if not self.is_training:
            return list(self.command)
        config, *overrides = self.command[1:]
        return asdict(load_config(config, overrides))


@dataclass(frozen=True)
class Places:
    """Where things are.

    Attributes:
        configs: Folder of the config of every stage.
        output: Folder of everything that is written.
    """

    configs: Path
    output: Path

    @property
    def world(self) -> Path:
        """Folder of the generated world."""
        return self.output / "world"

    def run(self, name: str) -> Path:
        """Output folder of a stage."""
        return self.output / "runs" / name

    def checkpoint(self, name: str) -> Path:
        """Checkpoint of a stage."""
        return self.run(name) / "checkpoint"

    def evaluation(self, name: str) -> Path:
        """Folder of the evaluation of a model."""
        return self.output / "evaluation" / name


def all_steps(places: Places, sizes: Mapping[str, Sequence[str]]) -> list[Step]:
    """All steps, from nothing to four evaluated models.

    Args:
        places: Where configs are and results go.
        sizes: Step -> words added to its command (`sizes.py`).
    """
    steps = [
        _world(places),
        _clip(places),
        _proposer(places),
        _zero_shot(places),
        _step_one(places),
        *_caption_regions(places),
        _step_two(places),
        _ovarnet(places),
        *(_evaluation(places, model) for model in MODELS),
    ]
    return [replace(step, command=(*step.command, *sizes.get(step.name, ()))) for step in steps]


def _world(places: Places) -> Step:
    return Step(
        "world",
        "The world: scenes, labels, captions",
        ("generate", "scenes", "--root", str(places.world)),
        places.world,
    )


def _clip(places: Places) -> Step:
    return _training(
        places, "clip", "CLIP, from captions alone", "clip.yaml", f"root={places.world}"
    )


def _proposer(places: Places) -> Step:
    return _training(
        places,
        "proposer",
        "Proposer, base boxes only",
        "proposer.yaml",
        f"detection.root={places.world}",
        _tower(places),
    )


def _zero_shot(places: Places) -> Step:
    return _training(
        places,
        "zero_shot",
        "CLIP-Attr zero-shot: put together, calibrated",
        "clip_attr_zero_shot.yaml",
        *_sources(places),
        _tower(places),
        f"proposer={places.checkpoint('proposer')}",
    )


def _step_one(places: Places) -> Step:
    return _training(
        places,
        "step_one",
        "CLIP-Attr step I: base boxes and labels",
        "clip_attr.yaml",
        *_sources(places),
        _tower(places),
        f"proposer={places.checkpoint('proposer')}",
    )


def _caption_regions(places: Places) -> list[Step]:
    """What step II needs: boxes of the caption images, and their pseudo-labels by step I."""
    captions = ("--captions", _captions(places), "--images", _caption_images(places))
    proposals, labels = places.run("proposals"), places.run("pseudo_labels")
    return [
        Step(
            "proposals",
            "Proposals of the caption images",
            (
                "propose",
                "--proposer",
                str(places.checkpoint("proposer")),
                *captions,
                "--limit",
                PROPOSALS,
                "--output",
                str(proposals),
            ),
            proposals,
        ),
        Step(
            "pseudo_labels",
            "Pseudo-labels of the caption images",
            (
                "pseudo-label",
                "--model",
                str(places.checkpoint("step_one")),
                *captions,
                "--proposals",
                str(proposals),
                "--most",
                PROPOSALS,
                "--output",
                str(labels),
            ),
            labels,
        ),
    ]


def _step_two(places: Places) -> Step:
    return _training(
        places,
        "step_two",
        "CLIP-Attr step II: captions",
        "clip_attr_captions.yaml",
        *_sources(places),
        f"init_from={places.checkpoint('step_one')}",
        f"captions={_captions(places)}",
        f"images={_caption_images(places)}",
        f"pseudo_labels={places.run('pseudo_labels')}",
    )


def _ovarnet(places: Places) -> Step:
    return _training(
        places,
        "ovarnet",
        "OvarNet, distilled from step II",
        "ovarnet.yaml",
        *_sources(places),
        f"teacher={places.checkpoint('step_two')}",
        command="distill",
    )


def _evaluation(places: Places, model: str) -> Step:
    folder = places.evaluation(model)
    return Step(
        f"evaluate_{model}",
        f"Evaluation: {MODELS[model]}",
        (
            "evaluate",
            "--model",
            str(places.checkpoint(model)),
            "--dataset",
            "scenes",
            "--root",
            str(places.world),
            "--split",
            "test",
            "--output",
            str(folder),
        ),
        folder,
        "metrics.json",
    )


def _training(
    places: Places, name: str, title: str, config: str, *overrides: str, command: str = "train"
) -> Step:
    return Step(
        name,
        title,
        (command, str(places.configs / config), f"output={places.run(name)}", *overrides),
        places.run(name),
        "checkpoint",
    )


def _tower(places: Places) -> str:
    return f"clip.pretrained={places.checkpoint('clip') / 'clip.safetensors'}"


def _sources(places: Places) -> tuple[str, str]:
    return f"detection.root={places.world}", f"attributes.root={places.world}"


def _captions(places: Places) -> str:
    return str(places.world / "annotations" / "captions_scenes.json")


def _caption_images(places: Places) -> str:
    return str(places.world / "images" / "captions")
