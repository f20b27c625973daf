"""Plain values -> a settings object, with errors that name the setting as the user writes it."""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any, get_args, get_origin, get_type_hints

from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from ovarnet.config.allowed import check_values
from ovarnet.errors import InputError

SHOWN = 80
"""Most characters of a value that an error repeats."""
SWITCH_WORDS = ("true", "false", "yes", "no", "on", "off", "y", "n", "1", "0")
"""What OmegaConf reads as a bool, in any case."""


def build_settings(kind: type, given: dict[str, Any] | DictConfig, source: str) -> Any:
    """Merge stated values over the defaults of a settings class and check all of them.

    Args:
        kind: Dataclass of the settings.
        given: What is stated, as plain values or as OmegaConf's; interpolations are resolved.
        source: Named in errors.

    Returns:
        An object of `kind`.

    Raises:
        InputError: An unknown key (with the nearest valid one), a wrong type, a value that is not
            allowed, or a setting that has to be given.
    """
    try:
        config = given if isinstance(given, DictConfig) else OmegaConf.create(given)
        _check_group(plain_values(config), kind)
        settings = OmegaConf.to_object(OmegaConf.merge(_defaults(kind), config))
    except MissingMandatoryValue as error:
        raise InputError(f"{source}: {error.full_key or 'a setting'} must be given") from None
    except OmegaConfBaseException as error:
        key = f"{error.full_key}: " if error.full_key else ""
        raise InputError(f"{source}: {key}{first_line(error)}") from None
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    check_values(settings, source)
    return settings


@lru_cache
def _defaults(kind: Hashable) -> DictConfig:
    """The same object at every call: merging copies it."""
    return OmegaConf.structured(kind)


def plain_values(given: DictConfig) -> dict[str, Any]:
    """Values as they are written, interpolations such as ${seed} included."""
    stated = OmegaConf.to_container(given)
    return {str(key): value for key, value in stated.items()} if isinstance(stated, dict) else {}


def first_line(error: Exception) -> str:
    """What a library says is wrong, without the lines that explain it."""
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0]


def _check_group(given: Mapping, kind: type, prefix: str = "") -> None:
    """Unknown keys and values of another type; groups of settings one by one."""
    known = get_type_hints(kind)
    for key, value in given.items():
        name = f"{prefix}{key}"
        if key not in known:
            near = difflib.get_close_matches(str(key), list(known), n=1, cutoff=0.0)[0]
            raise InputError(f"unknown key '{name:.{SHOWN}}'; did you mean '{prefix}{near}'?")
        options = get_args(known[key]) or (known[key],)
        group = next((option for option in options if is_dataclass(option)), None)
        if not isinstance(group, type):
            if not _fits(value, known[key]):
                raise InputError(
                    f"{name} is {value!r:.{SHOWN}}; it must be {_in_words(known[key])}"
                )
        elif isinstance(value, dict):
            _check_group(value, group, f"{name}.")
        elif value is not None or type(None) not in options:
            raise InputError(
                f"{name} is '{value!s:.{SHOWN}}'; it is a group of settings, such as "
                f"{name}.{fields(group)[0].name}=..."
            )


def _fits(value: Any, wanted: Any) -> bool:
    """Whether a plain value can be read as a type.

    A number or a switch may be given as text; what an interpolation holds is not known yet.
    """
    options = get_args(wanted)
    if isinstance(value, str) and ("${" in value or value == MISSING):
        return True
    if get_origin(wanted) is tuple:
        is_list = isinstance(value, (list, tuple)) and len(value) == len(options)
        return is_list and all(map(_fits, value, options))
    if get_origin(wanted) is list:
        return isinstance(value, (list, tuple)) and all(
            _fits(element, options[0]) for element in value
        )
    if options:  # a type, or None
        return value is None or _fits(value, options[0])
    if wanted is bool:
        return str(value).casefold() in SWITCH_WORDS
    if wanted is str:
        return value is not None and not isinstance(value, (list, tuple, dict))
    return not isinstance(value, bool) and _is_number(value, wanted)


def _is_number(value: Any, kind: type) -> bool:
    try:
        return kind(value) == value or isinstance(value, str) or kind is float
    except (TypeError, ValueError, OverflowError):
        return False


def _in_words(wanted: Any) -> str:
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    origin, options = get_origin(wanted), get_args(wanted)
    if origin is tuple:
        return f"{len(options)} values, each {words[options[0]]}"
    if origin is list:
        return f"a list of values, each {words[options[0]]}"
    return f"{words[options[0]]}, or null" if options else words[wanted]
