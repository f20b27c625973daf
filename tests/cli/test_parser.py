"""The parser that commands share, and commands run from within others."""

import types

import pytest

from ovarnet.cli.parser import Parser, run_command
from ovarnet.errors import InputError


def echo():
    """A command that returns --number and keeps its arguments."""
    command = types.ModuleType("ovarnet.cli.commands.two_words")

    def add_arguments(parser):
        parser.add_argument("names", nargs="*")
        parser.add_argument("--number", type=int, default=3, help="a number")

    def run(args):
        command.args = args
        return args.number

    command.add_arguments, command.run = add_arguments, run
    return command


def test_a_command_gets_its_words_in_any_order():
    command = echo()
    assert run_command(command, ["a", "--number", "7", "b"]) == 7
    assert command.args.names == ["a", "b"]
    assert run_command(command, []) == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--nummber", "7"], "unknown argument '--nummber', did you mean --number?"),
        (["--numb", "7"], "unknown argument '--numb', did you mean --number?"),  # not abbreviated
        (["--zzz"], "unknown argument '--zzz'; `ovarnet two-words --help` shows what is possible"),
        (["--number", "x"], "argument --number: invalid int value: 'x'; `ovarnet two-words"),
    ],
)
def test_words_that_are_not_understood(words, message):
    with pytest.raises(InputError) as raised:
        run_command(echo(), words)
    assert str(raised.value).startswith(message)


def test_help_shows_defaults_that_are_values():
    parser = Parser(prog="x")
    parser.add_argument("--number", default=3, help="a number")
    parser.add_argument("--file", help="a file (default: none at all)")
    parser.add_argument("--flag", action="store_true", help="a switch")
    shown = parser.format_help()
    assert "a number (default: 3)" in shown
    assert "a file (default: none at all)\n" in shown
    assert "a switch\n" in shown
