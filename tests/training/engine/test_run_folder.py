"""Folders of runs: none is used twice unasked, and a resumed run says what has changed."""

import logging
from dataclasses import asdict, replace

import pytest
from refusals import accepted

from ovarnet.errors import InputError
from ovarnet.training.engine.run_folder import (
    changed_settings,
    check_run_folder,
    resume_run,
    start_run,
)


@pytest.fixture
def finished(tmp_path):
    for name in (
        "state.safetensors",
        "history.json",
        "checkpoint/clip.safetensors",
        "tensorboard/x",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("old")
    return tmp_path


def test_a_new_folder_or_one_of_other_things_is_free(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for folder in (tmp_path, tmp_path / "new"):
        check_run_folder(folder, resume=False, overwrite=False)


def test_a_finished_and_an_unfinished_run_are_refused_without_a_flag(finished):
    with pytest.raises(
        InputError, match="holds a finished run; give another output, or --overwrite"
    ):
        check_run_folder(finished, resume=False, overwrite=False)
    (finished / "checkpoint").rename(finished / "elsewhere")
    with pytest.raises(InputError, match="holds an unfinished run; give --resume to continue it"):
        check_run_folder(finished, resume=False, overwrite=False)
    check_run_folder(finished, resume=True, overwrite=False)
    check_run_folder(finished, resume=False, overwrite=True)


def test_a_file_is_no_folder_whatever_the_flags(tmp_path):
    (tmp_path / "a").write_text("mine")
    with pytest.raises(InputError, match="is a file; output needs a folder"):
        check_run_folder(tmp_path / "a" / "b", resume=False, overwrite=True)


def test_a_run_from_the_start_keeps_nothing_of_an_earlier_one_but_its_checkpoint(finished):
    start_run(finished)
    assert [path.name for path in finished.iterdir()] == ["checkpoint"]
    start_run(finished / "new" / "run")
    assert (finished / "new" / "run").is_dir()


CONFIG = accepted("clip", "optimisation.batch_size=8", "optimisation.clip_norm=.inf")


def test_changed_settings_are_named_with_both_values():
    assert changed_settings(CONFIG, asdict(CONFIG)) == []
    assert changed_settings(CONFIG, None) == []
    assert changed_settings(CONFIG, {"stage": "of another version"}) == []
    other = replace(
        CONFIG,
        seed=3,
        output="elsewhere",
        optimisation=replace(CONFIG.optimisation, batch_size=16, workers=4),
    )
    assert changed_settings(other, asdict(CONFIG)) == [
        "seed 0 -> 3",
        "optimisation.batch_size 8 -> 16",
    ]


class State:
    """A saved state of iteration 300."""

    path, step, saved_settings = "run/state.safetensors", 0, asdict(CONFIG)

    def resume(self, model):
        self.step = 300


def test_a_resumed_run_notes_what_has_changed_in_one_line(caplog):
    with caplog.at_level(logging.WARNING):
        resume_run(State(), None, CONFIG)
        assert caplog.messages == []
        resume_run(State(), None, replace(CONFIG, seed=1))
    assert caplog.messages == ["resumed with other settings than before: seed 0 -> 1"]


def test_a_schedule_that_ends_before_the_saved_iteration_is_refused():
    short = replace(CONFIG, optimisation=replace(CONFIG.optimisation, iterations=299))
    with pytest.raises(
        InputError, match=r"is of iteration 300, .* is 299; give at least 300 to resume"
    ):
        resume_run(State(), None, short)
    same = replace(CONFIG, optimisation=replace(CONFIG.optimisation, iterations=300))
    state = State()
    resume_run(state, None, same)
    assert state.step == 300
