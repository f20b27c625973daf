# ruff: noqa: E402 (detectron2 is looked for first)
"""The plain training script: a few iterations, resumed, evaluated, and loaded by ovarnet."""

import json
import logging
from pathlib import Path

import pytest
import torch
from detectron2_sources import require_detectron2

require_detectron2()

from detectron2.config import get_cfg
from detectron2.engine import default_argument_parser
from torch import nn

import ovarnet
from ovarnet.errors import InputError
from ovarnet.integrations.detectron2.train_net import load_for_test, main

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def log_as_before():
    """The script takes the package's log over: its own handlers get it, and no other test's."""
    log = logging.getLogger("ovarnet")
    propagate, level, handlers = log.propagate, log.level, list(log.handlers)
    yield
    log.propagate, log.handlers = propagate, handlers
    log.setLevel(level)


def run(config, output, datasets, *more, flags=()):
    train, test = datasets
    options = [
        *("MODEL.DEVICE", "cpu", "OUTPUT_DIR", str(output)),
        *("DATASETS.TRAIN", f"('{train}',)", "DATASETS.TEST", f"('{test}',)"),
        *("SOLVER.IMS_PER_BATCH", "2", "SOLVER.MAX_ITER", "2", "SOLVER.CHECKPOINT_PERIOD", "1"),
        *more,
    ]
    file = ROOT / f"configs/detectron2/{config}.yaml"
    return main(
        default_argument_parser().parse_args(["--config-file", str(file), *flags, *options])
    )


def numbers(results):
    return [
        value
        for tasks in results.values()
        for metrics in tasks.values()
        for value in metrics.values()
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "options"),
    [
        ("clip_attr_scenes", []),
        ("ovarnet_scenes", ["teacher=scenes-clip-attr", "distillation.proposals_per_image=2"]),
    ],
)
def test_train_resume_and_evaluate(config, options, small_datasets, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    options = ("MODEL.OVARNET.STAGE_OPTIONS", str(options))
    results = run(config, tmp_path, small_datasets, *options)
    scores = results[small_datasets[1]]
    assert {"box-given attribute mAP", "box-free attribute mAP"} <= scores.keys()

    # detectron2's writers have the named losses of the last iteration
    lines = (tmp_path / "metrics.json").read_text().splitlines()
    assert "loss_attributes" in json.loads(lines[-1])

    # the last weights, by detectron2's checkpointer, score the same
    weights = (*options, "MODEL.WEIGHTS", str(tmp_path / "model_final.pth"))
    again = run(config, tmp_path / "again", small_datasets, *weights, flags=["--eval-only"])
    assert numbers(again) == pytest.approx(numbers(results), nan_ok=True)

    # one more iteration of the same run
    more = (*options, "SOLVER.MAX_ITER", "3", "DATASETS.TEST", "()")
    run(config, tmp_path, small_datasets, *more, flags=["--resume"])
    assert (tmp_path / "model_0000002.pth").is_file()

    model = ovarnet.load(tmp_path / "ovarnet", device="cpu")
    assert model.vocabulary.category_names == ["poster", "belt"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["MODEL.OVARNET.CHEKPOINT", "scenes"], "CHEKPOINT.*give --config-file"),
        (
            ["MODEL.META_ARCHITECTURE", "GeneralizedRCNN"],
            "is GeneralizedRCNN; this script trains OvarNet",
        ),
    ],
)
def test_a_config_that_cannot_be_used_is_refused(more, message, small_datasets, tmp_path):
    with pytest.raises(InputError, match=message):
        run("ovarnet_scenes", tmp_path, small_datasets, *more)


def test_a_config_file_must_be_named(tmp_path):
    with pytest.raises(InputError, match=r"config \(none\).*give --config-file"):
        main(default_argument_parser().parse_args(["OUTPUT_DIR", str(tmp_path)]))


def test_weights_to_be_evaluated_must_fit(tmp_path):
    cfg = get_cfg()
    cfg.OUTPUT_DIR, model = str(tmp_path), nn.Linear(2, 1)
    before = model.weight.clone()
    load_for_test(cfg, model, resume=False)
    assert torch.equal(model.weight, before)

    state = {"weight": torch.ones(1, 2), "bias": torch.zeros(1)}
    torch.save({"model": state, "iteration": 3}, tmp_path / "model_final.pth")
    (tmp_path / "last_checkpoint").write_text("model_final.pth")
    load_for_test(cfg, model, resume=True)
    assert model.weight.tolist() == [[1, 1]]

    cfg.MODEL.WEIGHTS = str(tmp_path / "other.pth")
    with pytest.raises(InputError, match=r"MODEL.WEIGHTS: .*other.pth cannot be read"):
        load_for_test(cfg, model, resume=False)
    torch.save({"model": {"weight": torch.ones(1, 2)}}, cfg.MODEL.WEIGHTS)
    with pytest.raises(InputError, match=r"other.pth holds another architecture: bias is missing"):
        load_for_test(cfg, model, resume=False)
