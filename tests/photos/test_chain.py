"""The chain on photos: its commands, their order, and what is not run again."""

from pathlib import Path

import pytest

from ovarnet.cli.commands.train import config_and_overrides
from ovarnet.cli.main import parse
from ovarnet.config import load_config
from ovarnet.photos import chain
from ovarnet.photos.chain import STATE, run_photos, steps
from ovarnet.proposals.detector import PHOTOS_CHANNELS

CONFIGS = Path(__file__).parents[2] / "configs" / "photos"


@pytest.fixture
def written(monkeypatch):
    """The folders that the data were written from, and to."""
    calls = []

    def write(*folders, photos):
        calls.append((*folders, photos))
        (folders[-1] / "test_coco128").mkdir(parents=True)
        (folders[-1] / "test_coco128" / "test.json").touch()

    monkeypatch.setattr(chain, "write_photo_data", write)
    return calls


def test_every_command_is_understood_and_reads_what_was_made_before(tmp_path):
    made = {str(tmp_path / "data")}
    for step in steps(CONFIGS, tmp_path):
        args = parse(list(step.command))
        if args.command == "evaluate":
            assert args.model in made
            assert args.root.parent == tmp_path / "data"
            assert Path(args.output) / "metrics.json" == step.product
            continue
        config = load_config(*config_and_overrides(args))
        assert Path(config.output) / "checkpoint" == step.product
        assert config.detection.root.startswith(str(tmp_path / "data"))
        paths = [getattr(config, name, None) for name in ("teacher", "proposer", "detector")]
        pretrained = config.clip.pretrained if getattr(config, "clip", None) else None
        if pretrained not in (None, "packages"):
            paths.append(str(Path(pretrained).parent))
        assert {path for path in paths if path} <= made
        made.add(str(step.product))
    titles = [step.title for step in steps(CONFIGS, tmp_path)]
    assert len(set(titles)) == len(titles)


def test_the_design_is_that_of_the_proposer_whose_detector_it_takes_over():
    """Numbers that are in no weight, so that only this test compares them."""
    design = load_config(CONFIGS / "ovarnet.yaml", []).design
    assert (design.channels, design.finest_stride) == (PHOTOS_CHANNELS, 8)
    assert (design.short_side, design.long_side) == ((336, 336), 448)
    assert (design.anchor_sizes, design.anchor_scales) == ([24, 48, 96, 192], [1.0, 1.41])
    assert (design.rpn_pre_nms, design.rpn_post_nms) == ((500, 400), (300, 300))


def test_steps_run_in_order_after_the_data_and_once(tmp_path, written, capsys):
    ran = []

    def run(words):
        (step,) = (s for s in steps(CONFIGS, tmp_path) if s.command == tuple(words))
        ran.append(step.title)
        step.product.parent.mkdir(parents=True)
        step.product.touch()

    for _ in range(2):
        run_photos(Path("root"), CONFIGS, tmp_path, run)
    expected = [step.title for step in steps(CONFIGS, tmp_path)]
    assert ran == expected
    root = Path("root")
    folders = (root / "photos", root / "flickr8k", root / "coco128", tmp_path / "data")
    assert written == [(*folders, None)]
    assert capsys.readouterr().out.count("done before, not run again") == len(expected)


def test_an_interrupted_stage_is_resumed(tmp_path, written):
    ran = []
    first, *_ = steps(CONFIGS, tmp_path)
    first.product.parent.mkdir(parents=True)
    (first.product.parent / STATE).touch()
    run_photos(Path("root"), CONFIGS, tmp_path, ran.append)
    assert ran[0] == [*first.command, "--resume"]
    assert not any("--resume" in words for words in ran[1:])


def test_a_quick_run_has_few_photos_and_iterations(tmp_path, written):
    ran = []
    run_photos(Path("root"), CONFIGS, tmp_path, ran.append, quick=True)
    assert [photos for *_, photos in written] == [chain.QUICK_PHOTOS]
    assert len(ran) == len(steps(CONFIGS, tmp_path))
    for words in ran:
        args = parse(words)
        if args.command == "evaluate":
            assert args.limit == 4
            continue
        config = load_config(*config_and_overrides(args))
        if config.stage == "zero_shot":
            assert config.calibration_boxes == 100
        else:
            assert (config.optimisation.iterations, config.optimisation.warmup) == (4, 1)
