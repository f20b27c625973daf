"""Runs of a table: what is in the file is not repeated."""

from ovarnet.evaluation.runs import Once, folder_name, run_missing


def test_runs_that_are_in_the_file_are_not_made_again(tmp_path):
    made = []

    def run(row, seed):
        return row, seed, lambda: made.append((row, seed)) or {"x": float(seed)}

    path = tmp_path / "results.json"
    assert run_missing([run("a", 0)], path) == {"a": [{"x": 0.0}]}
    assert run_missing([run("a", 0), run("b", 0), run("a", 1)], path) == {
        "a": [{"x": 0.0}, {"x": 1.0}],
        "b": [{"x": 0.0}],
    }
    assert made == [("a", 0), ("b", 0), ("a", 1)]


def test_once_makes_a_thing_once():
    once = Once()
    assert once("key", lambda: [1]) is once("key", lambda: [2])


def test_a_folder_of_a_run_has_letters_digits_and_the_seed():
    assert folder_name("step I: prompts, 2 layers", 3) == "step_I__prompts__2_layers_3"
