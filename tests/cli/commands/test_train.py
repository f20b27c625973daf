"""`ovarnet train`: what is refused before any work, in one line, with nothing written."""

from pathlib import Path

import pytest
import torch

from ovarnet.cli.main import main

CONFIG = str(Path(__file__).parents[3] / "configs" / "scenes" / "clip.yaml")


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
        "output=${foo}",
    ],
)
def test_bad_values_write_nothing(tmp_path, capsys, monkeypatch, bad):
    monkeypatch.chdir(tmp_path)
    assert bad.split("=")[0] in refused(capsys, "output=runs/t", bad)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(torch.accelerator.is_available(), reason="asks what happens without a GPU")
def test_half_precision_without_a_gpu(tmp_path, capsys):
    message = refused(capsys, f"output={tmp_path}/run", "optimisation.mixed_precision=fp16")
    assert message == "error: optimisation.mixed_precision=fp16 needs a GPU; give no or bf16\n"
    assert not (tmp_path / "run").exists()
