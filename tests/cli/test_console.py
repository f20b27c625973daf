"""Standard output that fails does not stop a run."""

import io
import sys

import pytest

from ovarnet.cli.console import SteadyStream, steady_stdout


class Failing(io.StringIO):
    """Takes `room` characters, then fails like a full disk."""

    def __init__(self, room):
        super().__init__()
        self.room = room

    def write(self, text):
        if len(self.getvalue()) + len(text) > self.room:
            raise OSError(28, "No space left on device")
        return super().write(text)


def test_what_is_written_after_the_first_failure_is_dropped():
    stream = SteadyStream(Failing(5))
    assert [stream.write(text) for text in ("abc", "defg", "h")] == [3, 4, 1]
    stream.flush()
    assert stream.getvalue() == "abc"
    assert stream.error.errno == 28


def test_other_errors_than_those_of_the_system_are_raised():
    stream = SteadyStream(io.StringIO())
    stream.close()
    with pytest.raises(ValueError, match="closed file"):
        stream.write("x")
    assert stream.error is None


def test_stdout_is_restored_also_after_an_exception(monkeypatch):
    plain = io.StringIO()
    monkeypatch.setattr("sys.stdout", plain)

    def fail():
        with steady_stdout() as stream:
            print("inside")
            assert stream.error is None
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert sys.stdout is plain
    assert plain.getvalue() == "inside\n"


def test_characters_that_the_terminal_cannot_show_are_escaped(monkeypatch):
    shown = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(shown, encoding="ascii"))
    with steady_stdout():
        print("杯")
    assert shown.getvalue() == b"\\u676f\n"
