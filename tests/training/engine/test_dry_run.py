"""--dry-run and --eval-only of every stage, through the command line, on the tiny world."""

import re
from pathlib import Path

import pytest
import torch
from torch import nn

from ovarnet.cli.main import main
from ovarnet.config import Optimisation, load_config
from ovarnet.training.engine.dry_run import SAMPLES, StepClock, Trial, duration, shortened

CONFIGS = Path(__file__).parents[3] / "configs" / "scenes"
PROBE = "../custom/probe"
WITHOUT_STEPS = ("clip_attr_zero_shot", PROBE)
SIZES = ["optimisation.batch_size=2", "optimisation.iterations=5000"]
SMALL = [
    "roi_batch_size=8",
    "rpn_batch_size=16",
    "design.short_side=[32,96]",
    "design.long_side=128",
    "distillation.proposals=2",
]


@pytest.fixture(scope="module")
def folders(tiny_world, start_files, tmp_path_factory):
    """A run folder with CLIP-Attr of step I, and what step II needs beside it."""
    runs = tmp_path_factory.mktemp("runs")
    captions = ["--captions", str(tiny_world.captions), "--images", str(tiny_world.images)]
    both = [f"detection.root={tiny_world.root}", f"attributes.root={tiny_world.root}"]
    tower = [f"clip.pretrained={start_files.clip}", f"proposer={start_files.proposer}"]
    commands = [
        [
            "train",
            f"{CONFIGS}/clip_attr.yaml",
            *both,
            *tower,
            "optimisation.iterations=1",
            "optimisation.batch_size=2",
            f"output={runs}/one",
        ],
        [
            "propose",
            "--proposer",
            str(start_files.proposer),
            *captions,
            "--limit",
            "4",
            "--output",
            f"{runs}/proposals",
        ],
        [
            "pseudo-label",
            "--model",
            f"{runs}/one/checkpoint",
            *captions,
            "--proposals",
            f"{runs}/proposals",
            "--output",
            f"{runs}/labels",
        ],
    ]
    assert [main(command) for command in commands] == [0, 0, 0]
    caption_files = [
        f"captions={tiny_world.captions}",
        f"images={tiny_world.images}",
        f"pseudo_labels={runs}/labels",
    ]
    overrides = {
        "clip": [
            f"root={tiny_world.root}",
            "captions=annotations/captions_scenes.json",
            "images=images/captions",
            *SIZES,
        ],
        "proposer": [both[0], tower[0], *SIZES],
        "clip_attr_zero_shot": [*both, *tower],
        "clip_attr": [*both, *tower, *SIZES],
        "clip_attr_captions": [
            *both,
            *caption_files,
            f"init_from={runs}/one/checkpoint",
            "base_batch_size=2",
            *SIZES,
        ],
        "ovarnet": [*both, f"teacher={runs}/one/checkpoint", *SMALL, *SIZES],
        PROBE: [
            f"init_from={runs}/one/checkpoint",
            "data.dataset=scenes",
            f"data.root={tiny_world.root}",
            "penalties=[0.1]",
        ],
    }
    return runs, overrides


def files(folder):
    return sorted(path for path in folder.rglob("*"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        "clip",
        "proposer",
        "clip_attr_zero_shot",
        "clip_attr",
        "clip_attr_captions",
        "ovarnet",
        PROBE,
    ],
)
def test_every_stage_says_what_it_needs_and_leaves_nothing(
    folders, tiny_world, tmp_path, monkeypatch, capsys, command
):
    runs, overrides = folders
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = files(tiny_world.root), files(runs)
    name = "distill" if command == "ovarnet" else "train"
    assert (
        main(
            [
                name,
                f"{CONFIGS}/{command}.yaml",
                *overrides[command],
                f"output={tmp_path}/run",
                "--dry-run",
            ]
        )
        == 0
    )
    out = capsys.readouterr().out
    assert "nothing is kept" in out
    assert re.search(r"memory +peak \d+\.\d\d GiB of this process", out)
    assert ("no training steps" in out) == (command in WITHOUT_STEPS)
    assert ("5,000 iterations: about" in out) == (command not in WITHOUT_STEPS)
    assert (files(tmp_path), (files(tiny_world.root), files(runs))) == ([], before)


def test_a_dry_run_differs_from_the_run_in_size_alone():
    config = load_config(CONFIGS.parent / "coco_vaw" / "clip_attr_rn50.yaml")
    short = shortened(config, "x")
    assert (short.limit, short.output, short.image_cache_mb, short.optimisation.batch_size) == (
        SAMPLES,
        "x",
        0,
        2048,
    )
    assert (
        config.optimisation.iterations,
        short.optimisation.iterations,
        short.optimisation.workers,
    ) == (25800, 2, 0)


@pytest.mark.parametrize(
    ("stage", "name"), [("clip", "features"), ("proposer", "maps"), ("ovarnet", "regions")]
)
def test_a_dry_run_leaves_a_folder_alone_that_runs_share(stage, name):
    config = load_config(CONFIGS.parent / "photos" / f"{stage}.yaml", [f"{name}=runs/shared"])
    assert getattr(config, name) == "runs/shared"
    assert getattr(shortened(config, "x"), name) is None


def test_the_estimate_counts_the_slower_of_reading_and_learning_when_workers_read():
    def trial(workers, reading, learning):
        return Trial(
            "x", Optimisation(iterations=100, workers=workers), 1, 0.0, reading, learning, 2**30, 0
        )

    assert trial(0, 3.0, 2.0).seconds == 500
    assert trial(4, 3.0, 2.0).seconds == 200
    assert "bound by learning" in str(trial(4, 3.0, 2.0))
    assert trial(4, 12.0, 2.0).seconds == 300
    assert "bound by reading" in str(trial(4, 12.0, 2.0))
    assert [duration(s) for s in (40, 600, 3600 * 3 + 1200, 3600 * 100)] == [
        "40 s",
        "10 min",
        "3 h 20 min",
        "4 days 4 h",
    ]


def test_the_clock_reads_forward_and_backward_of_training_steps_alone():
    clock, model = StepClock(cpu=True), nn.Linear(1, 1)
    model = clock.prepare(model)
    clock.backward(model(torch.ones(1, 1)).sum())
    model.eval()(torch.ones(1, 1))
    assert len(clock.forwards) == len(clock.backwards) == 1
    assert clock.ready <= clock.forwards[0] <= clock.backwards[0]


@pytest.mark.parametrize("flags", [["--resume", "--dry-run"], ["--dry-run", "--eval-only"]])
def test_only_one_way_to_run(flags, capsys):
    assert main(["train", f"{CONFIGS}/clip.yaml", *flags]) == 2
    assert "not allowed with" in capsys.readouterr().err


@pytest.mark.slow
def test_eval_only_scores_the_checkpoint_on_test_data_or_says_what_is_missing(
    folders, tmp_path, capsys
):
    runs, overrides = folders
    for name, message in (
        ("clip", "stage clip gives no whole model to score"),
        ("proposer", "stage proposer gives no whole model"),
        ("clip_attr", f"{tmp_path}/checkpoint does not exist"),
        (PROBE, f"{tmp_path}/checkpoint does not exist"),
    ):
        assert (
            main(
                [
                    "train",
                    f"{CONFIGS}/{name}.yaml",
                    *overrides[name],
                    f"output={tmp_path}",
                    "--eval-only",
                ]
            )
            == 2
        )
        assert message in capsys.readouterr().err
    assert (
        main(
            [
                "train",
                "--config-file",
                f"{CONFIGS}/clip_attr.yaml",
                *overrides["clip_attr"],
                f"output={runs}/one",
                "--eval-only",
            ]
        )
        == 2
    )
    assert "instances_test.json" in capsys.readouterr().err, "the tiny world has no test split"
