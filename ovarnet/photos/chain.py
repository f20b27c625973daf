"""The chain on photos as a list of commands that a user could type, each run once.

A step whose product exists is not run again; an interrupted training stage is resumed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ovarnet.photos.data import TEST_FILES, write_photo_data

STATE = "state.safetensors"
"""What an interrupted training stage resumes from."""
COCO128 = "test_coco128"
EVALUATED = ("zero_shot", "ovarnet")
QUICK_PHOTOS = 24
"""Of each file of a quick run."""
QUICK_SETTINGS = {"clip_attr_zero_shot.yaml": ("calibration_boxes=100",)}
QUICK_ITERATIONS = ("optimisation.iterations=4", "optimisation.warmup=1")
QUICK_EVALUATION = ("--limit", "4")


@dataclass(frozen=True)
class Step:
    """One command of the chain.

    Attributes:
        title: For people.
        command: Words after `ovarnet`.
        product: What exists when the step is done.
    """

    title: str
    command: tuple[str, ...]
    product: Path

    def quick(self) -> Step:
        """The same with few iterations, or few photos to evaluate."""
        name, *words = self.command
        more: tuple[str, ...] = ()
        if name == "train":
            more = QUICK_SETTINGS.get(Path(words[0]).name, QUICK_ITERATIONS)
        elif name == "evaluate":
            more = QUICK_EVALUATION
        return replace(self, command=(*self.command, *more))


def run_photos(
    root: Path,
    configs: Path,
    output: Path,
    run: Callable[[Sequence[str]], object],
    *,
    quick: bool = False,
) -> None:
    """Bring the data together, train every stage, and evaluate both models on the test files.

    Args:
        root: Folder with photos, flickr8k and coco128, see docs/photos.md.
        configs: Folder of the config of every stage.
        output: Where everything is written.
        run: Called with the words of one `ovarnet` command; raises where the command fails.
        quick: Few photos and iterations, to see that every stage runs.

    Raises:
        InputError: A folder of the data is missing.
    """
    write_missing_data(root, output / "data", quick=quick)
    run_steps(steps(configs, output), run, quick=quick)


def write_missing_data(root: Path, data: Path, *, quick: bool) -> None:
    """Bring the data together, unless that is done; see `write_photo_data`."""
    if not (data / COCO128 / "test.json").is_file():
        folders = root / "photos", root / "flickr8k", root / "coco128", data
        write_photo_data(*folders, photos=QUICK_PHOTOS if quick else None)


def run_steps(
    every: Sequence[Step], run: Callable[[Sequence[str]], object], *, quick: bool
) -> None:
    """Run the steps whose product does not exist; resume a stage that was interrupted."""
    if quick:
        every = [step.quick() for step in every]
    for number, step in enumerate(every, 1):
        print(f"\n[{number}/{len(every)}] {step.title}", flush=True)
        if step.product.exists():
            print("done before, not run again", flush=True)
            continue
        is_begun = (step.product.parent / STATE).is_file()
        command = [*step.command, *(["--resume"] if is_begun else [])]
        print("ovarnet", *command, flush=True)
        run(command)


def steps(configs: Path, output: Path) -> list[Step]:
    """All steps after the data."""
    data, runs = output / "data", output / "runs"
    # "objects" names more categories than "detection"; no word is held out here
    detection = f"detection.root={data / 'objects'}"
    attributes = f"attributes.root={data / 'attributes'}"
    proposer, zero_shot, ovarnet = (
        runs / name / "checkpoint" for name in ("proposer", "zero_shot", "ovarnet")
    )
    clip = runs / "clip" / "checkpoint"
    captions = data / "captions"
    training = [
        (
            "CLIP: the head, on features of frozen encoders",
            "clip.yaml",
            clip,
            (
                detection,
                attributes,
                f"captions={captions / 'captions.json'}",
                f"images={captions / 'images'}",
            ),
        ),
        ("Proposer", "proposer.yaml", proposer, (detection,)),
        (
            "CLIP-Attr: put together, calibrated on validation photos",
            "clip_attr_zero_shot.yaml",
            zero_shot,
            (
                f"detection.root={data / 'detection'}",
                attributes,
                f"clip.pretrained={clip / 'clip.safetensors'}",
                f"proposer={proposer}",
            ),
        ),
        (
            "OvarNet, distilled from CLIP-Attr",
            "ovarnet.yaml",
            ovarnet,
            (
                detection,
                attributes,
                f"captions={captions / 'captions.json'}",
                f"caption_images={captions / 'images'}",
                f"teacher={zero_shot}",
                f"detector={proposer}",
            ),
        ),
    ]
    return [
        *(
            Step(
                title,
                ("train", str(configs / config), f"output={checkpoint.parent}", *overrides),
                checkpoint,
            )
            for title, config, checkpoint, overrides in training
        ),
        *(
            _evaluation(runs / model / "checkpoint", data / test, output / "evaluation" / model)
            for model in EVALUATED
            for test in (*TEST_FILES, COCO128)
        ),
    ]


def _evaluation(model: Path, test: Path, output: Path) -> Step:
    folder = output / test.name
    return Step(
        f"Evaluation of {model.parent.name} on {test.name}",
        (
            "evaluate",
            "--model",
            str(model),
            "--dataset",
            "custom",
            "--root",
            str(test),
            "--output",
            str(folder),
        ),
        folder / "metrics.json",
    )
