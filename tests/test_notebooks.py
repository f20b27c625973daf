"""The notebooks of docs/notebooks run from first to last cell, and are kept without outputs."""

from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

NOTEBOOKS = sorted((Path(__file__).parents[1] / "docs/notebooks").glob("*.ipynb"))


def read(path):
    return nbformat.read(path, as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_kept_without_outputs(path):
    assert all(not cell.outputs and cell.execution_count is None for cell in code(read(path)))


def execute(name, folder, monkeypatch):
    """The text that each code cell printed or returned; "" for none."""
    monkeypatch.chdir(folder)
    notebook = read(next(path for path in NOTEBOOKS if path.stem == name))
    nbclient.NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": folder}}
    ).execute()
    return [
        "".join(
            output.get("text", output.get("data", {}).get("text/plain", ""))
            for output in cell.outputs
            if output.get("name") != "stderr"
        )
        for cell in code(notebook)
    ]


@pytest.mark.slow
def test_detect_and_find_runs(tmp_path, monkeypatch):
    printed = execute("detect_and_find", tmp_path, monkeypatch)
    assert "cat" in printed[2]
    assert "['cat'] ['cat']" in printed[4]
    assert sorted(path.name for path in (tmp_path / "found").iterdir()) == [
        "astronaut.jpg",
        "cat.jpg",
        "coffee.jpg",
        "scene.jpg",
    ]


@pytest.mark.slow
def test_training_on_your_data_runs_and_helps(tmp_path, monkeypatch):
    printed = execute("train_on_your_data", tmp_path, monkeypatch)
    before, after = map(float, printed[-2].split(": ")[1].split(" -> "))
    assert 0 <= before < after <= 1
    assert (tmp_path / "runs/probe/checkpoint/config.yaml").is_file()
