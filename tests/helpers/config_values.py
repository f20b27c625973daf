"""Stated settings that every stage accepts, and the tree of its settings classes."""

from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import get_args, get_type_hints

from ovarnet.config import STAGES

REQUIRED = {
    "output": "o",
    "root": "r",
    "captions": "c",
    "images": "i",
    "pseudo_labels": "p",
    "teacher": "t",
    "detector": "d",
    "init_from": "i",
    "proposer": "p",
    "name": "n",
    "model": "m",
}


def required(kind: type) -> dict:
    """The settings of a class that have no default, and the groups that hold some, with values."""
    given: dict = {}
    for name, hint in get_type_hints(kind).items():
        if is_dataclass(hint) and required(hint):
            given[name] = required(hint)
        elif name in REQUIRED and hint is str:
            given[name] = REQUIRED[name]
    return given


def group_of(hint: object) -> type | None:
    """The settings class of a field that is a group, or may be one."""
    options = (hint, *get_args(hint))
    return next((o for o in options if is_dataclass(o) and isinstance(o, type)), None)


def settings_classes() -> list[type]:
    """Every settings class of every stage, once."""

    def tree(kind: type) -> Iterator[type]:
        yield kind
        for hint in get_type_hints(kind).values():
            group = group_of(hint)
            if group is not None:
                yield from tree(group)

    return list(dict.fromkeys(k for stage in STAGES.values() for k in tree(stage.settings)))
