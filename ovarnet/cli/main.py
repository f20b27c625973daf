"""The `ovarnet` command; each file of `commands/` is one sub-command, each folder a group of them.

Bad input is one `error: ...` line and exit code 2.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Sequence
from types import ModuleType

from ovarnet import __version__
from ovarnet.cli.commands import (
    benchmark,
    catalogue,
    completion,
    convert,
    detect,
    distill,
    encode_words,
    evaluate,
    export,
    find,
    generate,
    learnability,
    parse_captions,
    pick_thresholds,
    prepare,
    propose,
    pseudo_label,
    reproduce,
    serve,
    track,
    train,
)
from ovarnet.cli.console import steady_stdout
from ovarnet.cli.parser import Parser
from ovarnet.errors import InputError
from ovarnet.memory import keep_freed_memory

COMMANDS: dict[str, ModuleType] = {
    "detect": detect,
    "find": find,
    "encode-words": encode_words,
    "track": track,
    "train": train,
    "evaluate": evaluate,
    "convert": convert,
    "pick-thresholds": pick_thresholds,
    "generate": generate,
    "learnability": learnability,
    "prepare": prepare,
    "parse-captions": parse_captions,
    "propose": propose,
    "pseudo-label": pseudo_label,
    "reproduce": reproduce,
    "distill": distill,
    "benchmark": benchmark,
    "export": export,
    "serve": serve,
    "catalogue": catalogue,
    "completion": completion,
}
EXIT_BAD_INPUT, EXIT_INTERRUPTED = 2, 130
EXAMPLE = (
    'example: ovarnet detect photo.jpg --categories "mug, chair" --attributes "red, '
    'striped, wooden" --output out'
)


def build_parsers() -> tuple[Parser, dict[str, Parser]]:
    """The top parser, and the parser of each command by its name.

    A command of a group is named by two words, such as "catalogue search".
    """
    parser = Parser(
        prog="ovarnet",
        description="Detects objects in images and scores the words you name.",
        epilog=EXAMPLE,
    )
    parser.add_argument("--version", action="version", version=f"ovarnet {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", title="commands", parser_class=Parser)
    parsers: dict[str, Parser] = {}
    for name, module in COMMANDS.items():
        command = commands.add_parser(name, help=module.HELP, description=module.__doc__)
        parsers[name] = command
        if not hasattr(module, "COMMANDS"):
            module.add_arguments(command)
            continue
        group = command.add_subparsers(metavar="COMMAND", title="commands", parser_class=Parser)
        for part, member in module.COMMANDS.items():
            inner = group.add_parser(part, help=member.HELP, description=member.__doc__)
            member.add_arguments(inner)
            parsers[f"{name} {part}"] = inner
    parsers["completion"].set_defaults(root=parser)  # it completes the whole command line
    return parser, parsers


def build_parser(name: str) -> Parser:
    """The parser of one command alone, which takes a fraction of the time of all of them."""
    if name == "completion":
        return build_parsers()[1][name]
    module = find_command(name)
    parser = Parser(prog=f"ovarnet {name}", description=module.__doc__)
    module.add_arguments(parser)
    return parser


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse a command line; options and file names may be mixed in any order.

    Args:
        arguments: What follows `ovarnet`; without any, the help is shown.

    Returns:
        The arguments of the command, and its name as `command`.

    Raises:
        InputError: The command or an option does not exist, or a value is refused.
    """
    name, rest = (arguments[0] if arguments else "--help"), arguments[1:]
    if name.startswith("-"):
        parser, _ = build_parsers()
        parser.parse_known_args([name])
        parser.reject(name)
    _check_known(name, list(COMMANDS), "commands")
    if hasattr(COMMANDS[name], "COMMANDS"):
        part, rest = (rest[0] if rest else "--help"), rest[1:]
        if part.startswith("-"):
            group = build_parsers()[1][name]
            group.parse_known_args([part])
            group.reject(part)
        _check_known(part, list(COMMANDS[name].COMMANDS), f"commands of {name}")
        name = f"{name} {part}"
    command = build_parser(name)
    args, unknown = command.parse_known_intermixed_args(rest)
    if unknown:
        command.reject(unknown[0])
    args.command = name
    return args


def find_command(name: str) -> ModuleType:
    """The module of a command; that of a group's command by two words."""
    group, _, part = name.partition(" ")
    return COMMANDS[group].COMMANDS[part] if part else COMMANDS[group]


def _check_known(name: str, known: Sequence[str], what: str) -> None:
    """Raise InputError, which names the nearest one, for a command that does not exist."""
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"the {what} are {', '.join(known)}"
        raise InputError(f"unknown command {name!r}; {hint}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: What follows `ovarnet`; None takes them from sys.argv.

    Returns:
        The exit code: 0 done, 2 bad input or output that cannot be written, 130 interrupted.
    """
    keep_freed_memory()
    if sys.stdout is None:  # closed by who started this
        return run(arguments)
    with steady_stdout() as stdout:
        code = run(arguments)
    # A reader that leaves, such as head, has read enough.
    if stdout.error is None or isinstance(stdout.error, BrokenPipeError):
        return code
    print(
        f"error: standard output cannot be written ({stdout.error.strerror}); the files are "
        "complete",
        file=sys.stderr,
    )
    return code or EXIT_BAD_INPUT


def run(arguments: Sequence[str] | None) -> int:
    """Run one command; bad input is one line on stderr."""
    try:
        args = parse(sys.argv[1:] if arguments is None else arguments)
        return find_command(args.command).run(args)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("ovarnet.scenes"):
            raise
        print(
            f"error: {args.command} needs the package ovarnet.scenes, which is not part of this "
            "installation; install the full package",
            file=sys.stderr,
        )
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
