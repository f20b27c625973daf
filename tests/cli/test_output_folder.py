"""Names of output files, and what is refused in the folder they go to."""

import errno
import os
from pathlib import Path

import pytest

from ovarnet.cli.output_folder import (
    of_one_file,
    output_names,
    refuse_inputs_in,
    refuse_to_replace,
    writable,
)
from ovarnet.errors import InputError


def test_names_are_distinct_also_where_case_does_not_count():
    files = ["a/x.jpg", "b/X.png", "x_2.jpg", "detections.jpg", "y.tar.jpg"]
    names = output_names([Path(file) for file in files])
    assert names == ["x", "X_2", "x_2_2", "detections_2", "y.tar"]


def test_an_input_is_not_replaced_whatever_its_path_is_called(tmp_path, monkeypatch):
    (tmp_path / "x.jpg").touch()
    (tmp_path / "link.jpg").symlink_to("x.jpg")
    monkeypatch.chdir(tmp_path)
    refuse_to_replace([Path("x.jpg")], [Path("out/x.jpg")])
    with pytest.raises(InputError, match=r"link\.jpg: the result would replace this input"):
        refuse_to_replace([Path("x.jpg")], [tmp_path / "link.jpg"])


def test_no_input_may_lie_where_crops_are_written(tmp_path, monkeypatch):
    (tmp_path / "out").mkdir()
    (tmp_path / "link").symlink_to("out")
    monkeypatch.chdir(tmp_path)
    refuse_inputs_in(Path("out/crops"), [Path("x.jpg"), Path("out/x.jpg"), Path("crops/x.jpg")])
    with pytest.raises(InputError, match=r"^link/crops/x\.jpg: lies in out/crops, where --save-cr"):
        refuse_inputs_in(Path("out/crops"), [Path("link/crops/x.jpg")])


def test_errors_of_a_name_concern_one_file_and_others_the_folder():
    long = OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    message = str(of_one_file(long, Path("in/a.jpg")))
    assert message.startswith("in/a.jpg: its results cannot be written (File name too long)")
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(OSError, match="No space left") as raised:
        of_one_file(full, Path("in/a.jpg"))
    assert raised.value is full


def test_a_refusal_of_the_system_names_the_folder():
    with pytest.raises(InputError) as raised, writable(Path("out")):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert str(raised.value) == (
        "out: cannot write results (No space left on device); choose another --output"
    )
    with pytest.raises(KeyError), writable(Path("out")):
        raise KeyError
