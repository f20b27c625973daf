"""The chain with commands that only leave their product behind: what runs, in which order, what is
kept, and what is made again."""

from pathlib import Path

import pytest

from ovarnet.cli.main import main
from ovarnet.errors import InputError
from ovarnet.scenes.chain.ledger import Ledger
from ovarnet.scenes.chain.run import run_chain
from ovarnet.scenes.chain.sizes import QUICK
from ovarnet.scenes.chain.steps import Places, all_steps

CONFIGS = Path(__file__).parents[3] / "configs" / "scenes"
NAMES = [
    "world",
    "clip",
    "proposer",
    "zero_shot",
    "step_one",
    "proposals",
    "pseudo_labels",
    "step_two",
    "ovarnet",
    "evaluate_zero_shot",
    "evaluate_step_one",
    "evaluate_step_two",
    "evaluate_ovarnet",
]


class FakeRun:
    """Leaves a step's product behind, and a mark in its folder. broken: the name of a step that
    stops halfway."""

    def __init__(self, places, sizes=QUICK, broken=None):
        self.steps, self.broken, self.ran = (
            {step.command: step for step in all_steps(places, sizes)},
            broken,
            [],
        )

    def __call__(self, words):
        resumed = words[-1] == "--resume"
        step = self.steps[tuple(words[:-1] if resumed else words)]
        self.ran.append(f"{step.name} resumed" if resumed else step.name)
        step.folder.mkdir(parents=True, exist_ok=True)
        if step.name == self.broken:
            (step.folder / "state.safetensors").write_text("half of it")
            raise InputError("broken")
        (step.product / "x").mkdir(
            parents=True
        ) if step.made != "metrics.json" else step.product.write_text("{}")


@pytest.fixture
def places(tmp_path):
    return Places(CONFIGS, tmp_path / "out")


def run(places, sizes=QUICK, broken=None):
    fake = FakeRun(places, sizes, broken)
    run_chain(places, sizes, fake)
    return fake.ran


def test_what_is_done_is_not_run_again(places):
    assert run(places) == NAMES
    assert run(places) == []
    ledger = Ledger.open(places.output)
    assert list(ledger.entries) == NAMES
    assert all(
        entry.finished and entry.attempts == 1 and entry.seconds >= 0
        for entry in ledger.entries.values()
    )
    assert ledger.machine["cores"].isdecimal()
    assert ledger.entries["clip"].title == "CLIP, from captions alone"


def test_a_changed_stage_and_all_after_it_are_made_anew(places):
    run(places)
    mark = places.run("step_one") / "checkpoint" / "x"
    proposer = places.checkpoint("proposer") / "x"
    mark.rename(mark.with_name("old"))
    assert run(places, {**QUICK, "step_one": ("optimisation.iterations=61",)}) == NAMES[4:]
    assert mark.exists()
    assert not mark.with_name("old").exists()
    assert proposer.exists()


@pytest.mark.slow
def test_a_stage_whose_checkpoint_is_gone_is_run_and_all_after_it(places):
    run(places)
    (places.checkpoint("step_two") / "x").rmdir()
    places.checkpoint("step_two").rmdir()
    assert run(places) == NAMES[7:]


def test_a_training_that_was_stopped_goes_on(places):
    with pytest.raises(InputError, match="broken"):
        run(places, broken="proposer")
    entry = Ledger.open(places.output).entries["proposer"]
    assert (entry.attempts, entry.finished) == (1, "")
    assert run(places) == ["proposer resumed", *NAMES[3:]]
    assert Ledger.open(places.output).entries["proposer"].attempts == 2


@pytest.mark.slow
def test_a_stopped_training_of_other_settings_starts_anew(places):
    with pytest.raises(InputError, match="broken"):
        run(places, broken="proposer")
    assert run(places, {**QUICK, "proposer": ("optimisation.iterations=7",)}) == NAMES[2:]
    assert not (places.run("proposer") / "state.safetensors").exists()


def test_what_is_not_a_chain_is_not_touched(places, tmp_path):
    precious = places.output / "world" / "photo.jpg"
    precious.parent.mkdir(parents=True)
    precious.write_text("mine")
    with pytest.raises(InputError, match="holds other things than a chain"):
        run(places)
    assert precious.read_text() == "mine"
    with pytest.raises(InputError, match="is a file"):
        run(Places(CONFIGS, precious))


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        '{"machine": {}, "steps": {"clip": {"minutes": 3}}}',
        '{"machine": {}, "steps": []}',
        "{",
    ],
)
def test_a_foreign_ledger_is_refused(places, content):
    places.output.mkdir(parents=True)
    (places.output / "chain.json").write_text(content)
    with pytest.raises(InputError, match=r"chain\.json"):
        run(places)


def test_a_wrong_config_fails_before_anything_runs(places):
    with pytest.raises(InputError, match="iteratons"):
        run_chain(
            places, {"ovarnet": ("optimisation.iteratons=3",)}, lambda words: pytest.fail("ran")
        )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--root", "somewhere"], "--root belongs to --part"),
        (["--seeds", "2"], "--seeds belongs to --part"),
        (["--part", "nothing"], "invalid choice"),
        (["--configs", "nowhere"], "nowhere/clip.yaml does not exist"),
    ],
)
def test_bad_words_on_the_command_line(words, message, tmp_path, capsys):
    assert main(["reproduce", "scenes", "--output", str(tmp_path / "out"), *words]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out" / "world").exists()
