"""Print a script with which a shell completes commands, options, their values and file names.

Examples:
  ovarnet completion bash > ~/.local/share/bash-completion/completions/ovarnet
  ovarnet completion zsh > ~/.zfunc/_ovarnet                             a folder of $fpath
  ovarnet completion fish > ~/.config/fish/completions/ovarnet.fish
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ovarnet.errors import InputError

HELP = "print a script for completion in bash, zsh or fish"
SHELLS = ("bash", "zsh", "fish")
TEXT = (None, str, Path)
"""Types of arguments that may be files; what has any other type is a number."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ovarnet completion`."""
    parser.add_argument("shell", choices=SHELLS, help="yours; `echo $SHELL` shows it")


def run(args: argparse.Namespace) -> int:
    """Print the script; `args.root` is the parser of the whole command line."""
    try:
        import shtab
    except ModuleNotFoundError:
        raise InputError(
            'completion needs shtab, which is not installed: pip install "ovarnet[completion]"'
        ) from None

    complete_files(args.root, shtab.FILE)
    print(shtab.complete(args.root, args.shell))
    return 0


def complete_files(parser: argparse.ArgumentParser, files: Mapping[str, Any]) -> None:
    """Mark the arguments that may be files, also those of sub-commands.

    Args:
        parser: Its actions get the attribute `complete`, which shtab reads.
        files: What shtab takes for "files".
    """
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                complete_files(command, files)
        elif action.choices is None and action.nargs != 0 and action.type in TEXT:
            action.complete = files  # type: ignore[attr-defined]
