"""The command-line parser that all commands share."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NoReturn

from ovarnet.errors import InputError


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Keeps the line breaks of descriptions and shows each default that is a value."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        has_default = action.default not in (None, False, [], argparse.SUPPRESS)
        return super()._get_help_string(action) if has_default else action.help


class Parser(argparse.ArgumentParser):
    """An argparse parser that takes whole option names only and raises errors as InputError."""

    def __init__(self, **kwargs: Any):
        super().__init__(allow_abbrev=False, formatter_class=HelpFormatter, **kwargs)

    def error(self, message: str) -> NoReturn:
        """Raise InputError where argparse would print the usage and exit."""
        raise InputError(f"{message}; `{self.prog} --help` shows what is possible")

    def reject(self, unknown: str) -> NoReturn:
        """Refuse an option that does not exist, naming the nearest one that does."""
        near = difflib.get_close_matches(unknown.split("=")[0], self._option_string_actions, n=1)
        self.error(f"unknown argument {unknown!r}" + (f", did you mean {near[0]}?" if near else ""))


def run_command(command: ModuleType, words: Sequence[str]) -> int:
    """Run one command from within another.

    Args:
        command: A module of `ovarnet.cli.commands`.
        words: What would follow the command's name on the command line.

    Returns:
        The exit code of the command.

    Raises:
        InputError: The words are not understood, or the command refuses its input.
    """
    parser = Parser(prog=f"ovarnet {command.__name__.rpartition('.')[2].replace('_', '-')}")
    command.add_arguments(parser)
    args, unknown = parser.parse_known_intermixed_args(words)
    if unknown:
        parser.reject(unknown[0])
    return command.run(args)
