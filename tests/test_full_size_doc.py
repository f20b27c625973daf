"""The commands of docs/full_size.md exist, with their options, configs and settings; what one
writes is where the next one looks."""

import re
import shlex
from pathlib import Path

import pytest

from ovarnet.cli.commands.train import config_and_overrides
from ovarnet.cli.main import parse
from ovarnet.config import load_config

ROOT = Path(__file__).parents[1]
COMMANDS = [
    shlex.split(re.sub(r"^torchrun --nproc_per_node \d+ -m ", "", line.strip()))[1:]
    for line in (ROOT / "docs" / "full_size.md").read_text().splitlines()
    if re.match(r"    (ovarnet|torchrun) ", line)
]
INPUTS = ("proposer", "init_from", "teacher", "pseudo_labels")


def parsed(monkeypatch):
    """(command line, arguments, resolved config or None) of every command."""
    monkeypatch.chdir(ROOT)
    for words in COMMANDS:
        args = parse(words)
        if args.command == "distill" and args.teacher:
            args.overrides = [*args.overrides, f"teacher={args.teacher}"]
        yield (
            words,
            args,
            load_config(*config_and_overrides(args))
            if args.command in ("train", "distill")
            else None,
        )


@pytest.mark.slow
def test_every_command_is_one_of_ours_and_its_config_resolves(monkeypatch):
    found = list(parsed(monkeypatch))
    assert len(found) == len(COMMANDS) > 20
    configs = {Path(words[1]) for words, _, config in found if config}
    full_size = {
        path.relative_to(ROOT)
        for folder in ("coco_vaw", "lsa")
        for path in (ROOT / "configs" / folder).glob("*.yaml")
    }
    assert full_size - configs == {Path("configs/coco_vaw/clip_attr_captions_vit_b16.yaml")}, (
        "told in words: put vit_b16 for rn50"
    )


def test_what_a_command_reads_from_runs_an_earlier_one_has_written(monkeypatch):
    written = {"runs/coco_vaw/clip_attr_captions_vit_b16/checkpoint"}
    for words, args, config in parsed(monkeypatch):
        if config is None:
            needed = [
                value
                for value in (
                    getattr(args, name, None) for name in ("proposer", "proposals", "model")
                )
                if value
            ]
            made = [str(args.output)] if getattr(args, "output", None) else []
        else:
            needed = [getattr(config, name) for name in INPUTS if hasattr(config, name)] + list(
                getattr(config, "proposals", [])
            )
            made = [f"{config.output}/checkpoint"] if not args.dry_run else []
        missing = [
            path for path in needed if str(path).startswith("runs/") and str(path) not in written
        ]
        assert not missing, f"{' '.join(words)} needs {missing}"
        written |= set(made)


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("proposer", 60 * 107_761),
        ("clip_attr_rn50", 60 * (665_387 + 216_790)),
        ("clip_attr_captions_rn50", 6 * 118_287),
        ("ovarnet_rn50", 50 * (107_761 + 2 * 58_565)),
    ],
)
def test_schedules_are_the_epochs_that_their_comments_say(name, seen):
    schedule = load_config(ROOT / "configs" / "coco_vaw" / f"{name}.yaml").optimisation
    assert schedule.iterations * schedule.batch_size == pytest.approx(seen, rel=0.005)
