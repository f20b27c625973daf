"""The commands of the protocol on photos: each is understood, and reads what was made before."""

from pathlib import Path

import pytest

from ovarnet.cli.commands.train import config_and_overrides
from ovarnet.cli.main import parse
from ovarnet.config import load_config
from ovarnet.photos.protocol_steps import (
    NOT_DISTILLED,
    ORACLE,
    OVARNET,
    ROWS,
    STEP_TWO,
    UNLABELLED,
    ZERO_SHOT,
    ProtocolSteps,
)

CONFIGS = Path(__file__).parents[2] / "configs" / "photos"


def inputs(config):
    """Folders of earlier stages that a stage reads."""
    found = [getattr(config, name, None) for name in ("proposer", "init_from", "teacher")]
    found.append(getattr(config, "detector", None))
    clip = getattr(config, "clip", None)
    if clip is not None and clip.pretrained not in (None, "packages"):
        found.append(str(Path(clip.pretrained).parent))
    return {folder for folder in found if folder is not None}


@pytest.mark.slow
def test_every_command_is_understood_and_reads_what_was_made_before(tmp_path):
    steps = ProtocolSteps(CONFIGS, tmp_path)(ROWS, seeds=2)
    titles = [step.title for step in steps]
    # proposer and proposals are made once, and three rows are measured box-free
    assert len(titles) == len(set(titles)) == 2 * (11 + 2 * 7) + 2 + 3
    made = {str(tmp_path / "data" / "captions")}
    for step in steps:
        args = parse(list(step.command))
        if args.command != "train":
            if args.command == "evaluate":
                assert Path(args.output) / "metrics.json" == step.product
            read = {getattr(args, name, None) for name in ("model", "proposer", "proposals")}
            assert read - {None} <= made, step.title
            made.add(args.output)
            continue
        config = load_config(*config_and_overrides(args))
        assert Path(config.output) / "checkpoint" == step.product
        labels = "all" if "all words" in step.title or "CLIP, all" in step.title else "base"
        assert config.detection.root == str(tmp_path / "protocol" / "data" / labels / "detection")
        assert inputs(config) <= made, step.title
        made.add(str(step.product))


def test_no_row_but_the_oracle_reads_labels_of_all_words(tmp_path):
    rows = [row for row in ROWS if row != ORACLE]
    for step in ProtocolSteps(CONFIGS, tmp_path)(rows, seeds=1):
        assert "data/all" not in " ".join(step.command), step.title


def test_seeds_reach_every_stage_that_has_one(tmp_path):
    steps = ProtocolSteps(CONFIGS, tmp_path)
    for row in (UNLABELLED, STEP_TWO, OVARNET, ORACLE):
        for step in steps.training(row, 1):
            seeded = [word for word in step.command if word.startswith("seed=")]
            unseeded = ("propos", "clip_attr_zero_shot", "pseudo-label")
            expected = (
                [] if any(name in " ".join(step.command[:2]) for name in unseeded) else ["seed=1"]
            )
            assert seeded == expected, step.title


def test_without_distillation_the_teacher_is_in_no_loss(tmp_path):
    steps = ProtocolSteps(CONFIGS, tmp_path)
    with_teacher, alone = (steps.training(row, 0)[-1] for row in (OVARNET, NOT_DISTILLED))
    added = [word for word in alone.command if word not in with_teacher.command]
    assert added[1:] == [f"loss_weights.{name}=0" for name in ("features", "classes", "embeddings")]


def test_without_labels_no_loss_has_one(tmp_path):
    steps = ProtocolSteps(CONFIGS, tmp_path)
    plain, with_labels = (steps.training(row, 0)[0] for row in (UNLABELLED, ZERO_SHOT))
    assert plain.product != with_labels.product
    added = [word for word in plain.command if word not in with_labels.command]
    assert added[1:] == ["loss_weights.categories=0", "loss_weights.attributes=0"]


def test_box_free_is_of_the_first_seed(tmp_path):
    steps = ProtocolSteps(CONFIGS, tmp_path)
    assert [len(steps.evaluations(ZERO_SHOT, seed)) for seed in range(2)] == [3, 2]
    assert len(steps.evaluations(ORACLE, 0)) == 2
