"""`ovarnet train`: what is refused in one line, with nothing written; runs in the same folder."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ovarnet.cli.commands.train import sources_of
from ovarnet.cli.main import main
from ovarnet.config import load_config

CONFIGS = Path(__file__).parents[3] / "configs"
TORCHRUN = ("-m", "torch.distributed.run", "--nproc_per_node", "2")
CONFIG = str(CONFIGS / "scenes" / "clip.yaml")


def refused(capsys, *overrides) -> str:
    assert main(["train", CONFIG, "root=nowhere", *overrides]) == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.count("\n") == 1
    assert written.err.startswith("error: ")
    return written.err


@pytest.mark.parametrize("inside", ["", "/run/1"])
def test_a_file_where_the_output_folder_should_be(tmp_path, capsys, inside):
    file = tmp_path / "afile"
    file.write_text("mine")
    assert f"{file}: is a file; output needs a folder" in refused(capsys, f"output={file}{inside}")
    assert file.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    "bad",
    [
        "optimisation.iterations=0",
        "optimisation.lr=-1",
        "optimisation.mixed_precision=foo",
        "optimisation.batch_size=4294967295",
        "output=${foo}",
        "output=''",
        "output=",
    ],
)
def test_bad_values_write_nothing(tmp_path, capsys, monkeypatch, bad):
    monkeypatch.chdir(tmp_path)
    assert bad.split("=")[0] in refused(capsys, "output=runs/t", bad)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("output=[", "cannot read 'output=[': line 2: did not find expected node content"),
        ("output=a: b: c", "cannot read 'output=a: b: c': line 1: mapping values are not allowed"),
        ("output=${", "cannot read 'output=${': no viable alternative"),
        ("clip.name", "'clip.name' is not of the form KEY=VALUE"),
    ],
)
def test_what_yaml_cannot_read_is_named_with_its_line(capsys, override, message):
    assert message in refused(capsys, override)


def test_missing_data_leave_no_folder_behind(tmp_path, capsys):
    assert "no such file" in refused(capsys, f"output={tmp_path}/run")
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(torch.accelerator.is_available(), reason="asks what happens without a GPU")
def test_half_precision_without_a_gpu(tmp_path, capsys):
    message = refused(capsys, f"output={tmp_path}/run", "optimisation.mixed_precision=fp16")
    assert message == "error: optimisation.mixed_precision=fp16 needs a GPU; give no or bf16\n"
    assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A folder with eight images, broken ones of the same names, and their captions."""
    root = tmp_path_factory.mktemp("corpus")
    for folder in ("images", "broken"):
        (root / folder).mkdir()
    draw = np.random.default_rng(0)
    for number in range(8):
        picture = draw.integers(0, 255, (20, 30, 3), dtype=np.uint8)
        cv2.imwrite(str(root / "images" / f"{number}.png"), picture)
        (root / "broken" / f"{number}.png").write_bytes(b"not an image")
    captions = {
        "images": [{"id": number, "file_name": f"{number}.png"} for number in range(8)],
        "annotations": [
            {"id": number, "image_id": number, "caption": f"a red mug {number}"}
            for number in range(8)
        ],
    }
    (root / "captions.json").write_text(json.dumps(captions))
    return root


@pytest.fixture
def train(corpus, tmp_path, capsys):
    """Called with words: trains a small CLIP for two steps into the same folder; returns the
    exit code and what was printed to stderr."""

    def run(*words):
        code = main(
            [
                *("train", CONFIG, f"root={corpus}", f"output={tmp_path}/run"),
                *("captions=captions.json", "images=images"),
                *("bag_of_words_init=false", "optimisation.save_every=1", "optimisation.warmup=0"),
                *("optimisation.iterations=2", "optimisation.batch_size=2", *words),
            ]
        )
        return code, capsys.readouterr().err

    return run


def weights(tmp_path):
    return load_file(tmp_path / "run/checkpoint/clip.safetensors")["token_embedding.weight"]


@pytest.mark.slow
def test_a_finished_run_is_not_overwritten_unasked(train, tmp_path):
    assert train()[0] == 0
    first = weights(tmp_path)
    code, error = train("seed=1")
    assert code == 2
    assert error == (
        f"error: {tmp_path}/run holds a finished run; give another output, or --overwrite to train "
        "again from the start\n"
    )
    assert torch.equal(weights(tmp_path), first)
    assert train("seed=1", "--overwrite")[0] == 0
    assert not torch.equal(weights(tmp_path), first)
    assert train("--overwrite")[0] == 0
    assert torch.equal(weights(tmp_path), first)


@pytest.mark.slow
def test_resume_with_other_settings_is_noted_and_with_fewer_iterations_refused(
    train, tmp_path, caplog
):
    assert train()[0] == 0
    assert train("optimisation.iterations=3", "optimisation.batch_size=4", "--resume")[0] == 0
    assert caplog.messages[-1] == (
        "resumed with other settings than before: optimisation.iterations 2 -> 3; "
        "optimisation.batch_size 2 -> 4"
    )
    code, error = train("optimisation.iterations=1", "--resume")
    assert code == 2
    assert error.endswith(
        "state.safetensors is of iteration 3, and optimisation.iterations is 1; give at least 3 to "
        "resume\n"
    )


@pytest.mark.slow
def test_an_unfinished_run_is_resumed_or_overwritten_when_asked(train, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/state.safetensors").write_bytes(b"of another run")
    code, error = train()
    assert (code, "holds an unfinished run; give --resume to continue it" in error) == (2, True)
    assert "state.safetensors is damaged" in train("--resume")[1]
    assert train("--overwrite")[0] == 0


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_broken_image_is_one_line_with_workers_too(corpus, tmp_path, capfd, workers):
    words = [
        *("train", CONFIG, f"root={corpus}", f"output={tmp_path}/run"),
        *("captions=captions.json", "images=broken", "image_cache_mb=0"),
        *("optimisation.iterations=2", f"optimisation.workers={workers}"),
        "optimisation.batch_size=2",
    ]
    assert main(words) == 2
    error = capfd.readouterr().err
    assert "Traceback" not in error
    assert error.splitlines()[-1].startswith(f"error: {corpus}/broken/")


def test_the_datasets_of_a_run():
    step_one = load_config(CONFIGS / "coco_vaw/clip_attr_rn50.yaml")
    assert sources_of(step_one) == [("coco-ovd", "datasets/coco"), ("vaw", "datasets/vaw")]
    assert sources_of(load_config(CONFIGS / "scenes/clip_attr_zero_shot.yaml")) == [
        ("scenes", "datasets/scenes")
    ]
    assert sources_of(load_config(CONFIGS / "custom/probe.yaml")) == [("custom", "datasets/mine")]
    assert sources_of(load_config(CONFIG)) == []


@pytest.mark.slow
def test_two_processes(corpus, tmp_path):
    """A batch that cannot be divided among them: tests/training/engine/test_loop.py."""
    words = [
        *("train", CONFIG, f"root={corpus}", f"output={tmp_path}/run"),
        *("captions=captions.json", "images=images"),
        *("optimisation.iterations=2", "optimisation.batch_size=4"),
    ]
    done = subprocess.run(
        [sys.executable, *TORCHRUN, "-m", "ovarnet", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run/checkpoint").is_dir()
