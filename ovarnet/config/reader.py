"""The only reader of configs: a YAML file and KEY=VALUE -> the settings of one stage."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from ovarnet.config.allowed import check_values
from ovarnet.config.old_keys import translate
from ovarnet.config.stages import STAGES
from ovarnet.errors import InputError

SHOWN = 80
"""Most characters of a value that an error repeats."""


def load_config(path: str | Path, overrides: Sequence[str] = (), stage: str | None = None) -> Any:
    """Read a config file, apply overrides, and check every key, type and range.

    Args:
        path: YAML file that states what differs from the defaults.
        overrides: KEY=VALUE, which win over the file; KEY may be dotted.
        stage: The only stage that is accepted; None: any.

    Returns:
        The settings dataclass of the stage (`ovarnet.config.STAGES`).

    Raises:
        InputError: A missing or unreadable file, an unknown stage, an unknown key (with the nearest
            valid one), a wrong type, a value out of its range, or a setting that has to be given.
    """
    path = Path(path)
    given = _read(path)
    changes = _parse_overrides(overrides, path)
    name = _stated(changes).get("stage", _stated(given).get("stage"))
    if stage is not None and name != stage and name in list(STAGES):
        raise InputError(
            f"{path} is of stage '{name}', this command needs stage {stage}; use: ovarnet train "
            f"{path}"
        )
    if not isinstance(name, str) or name not in STAGES:
        raise _unknown_stage(name, str(path))
    given, changes = (translate(part, name, str(path)) for part in (given, changes))
    try:
        merged = OmegaConf.merge(given, changes)
    except (OmegaConfBaseException, TypeError) as error:  # TypeError: a list in place of a group
        raise InputError(
            f"cannot apply {' '.join(overrides)} to {path}: {_first_line(error)}"
        ) from None
    assert isinstance(merged, DictConfig)
    return _resolve(merged, str(path))


def resolve(given: DictConfig, source: str) -> Any:
    """Merge `given` over the defaults of its stage and check every setting.

    Args:
        given: Stated settings, with a `stage`.
        source: Named in errors.

    Raises:
        InputError: As `load_config`.
    """
    name = _stated(given).get("stage")
    if not isinstance(name, str) or name not in STAGES:
        raise _unknown_stage(name, source)
    return _resolve(translate(given, name, source), source)


def _stated(given: DictConfig) -> dict[str, Any]:
    """Plain values as they are written, interpolations such as ${seed} included."""
    stated = OmegaConf.to_container(given)
    return {str(key): value for key, value in stated.items()} if isinstance(stated, dict) else {}


def _read(path: Path) -> DictConfig:
    if not os.path.isfile(path):
        raise InputError(
            f"config {path!s:.200} does not exist; the ones that come with ovarnet are in configs/"
        )
    try:
        given = OmegaConf.load(path)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, OmegaConfBaseException) as error:
        raise InputError(f"config {path} cannot be read: {error}") from None
    if not isinstance(given, DictConfig):
        raise InputError(
            f"config {path} holds a list; it must hold 'key: value' lines, such as 'stage: clip'"
        )
    return given


def _parse_overrides(overrides: Sequence[str], path: Path) -> DictConfig:
    for override in overrides:
        if not re.match(r"\w+(\.\w+)*=", override):
            raise InputError(
                f"'{override:.{SHOWN}}' is not of the form KEY=VALUE, such as "
                "optimisation.iterations=100"
            )
    try:
        return OmegaConf.from_dotlist(list(overrides))
    except (yaml.YAMLError, OmegaConfBaseException, TypeError) as error:
        raise InputError(
            f"cannot apply {' '.join(overrides)} to {path}: {_first_line(error)}"
        ) from None


def _resolve(given: DictConfig, source: str) -> Any:
    """The settings object of `given`, whose keys are today's and whose stage is known."""
    stated = _stated(given)
    kind = STAGES[given["stage"]].settings
    _check_keys(stated, kind, source)
    try:
        config = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(kind), given))
    except MissingMandatoryValue as error:
        raise InputError(
            f"{source}: {getattr(error, 'full_key', None) or 'a setting'} must be given"
        ) from None
    except OmegaConfBaseException as error:
        raise InputError(f"{source}: {_of_wrong_type(error, stated, kind)}") from None
    check_values(config, source)
    return config


def _check_keys(given: Mapping, kind: type, source: str, prefix: str = "") -> None:
    """Unknown keys, values in place of groups, and tuples of another length."""
    known = get_type_hints(kind)
    for key, value in given.items():
        name = f"{prefix}{key}"
        if key not in known:
            near = difflib.get_close_matches(str(key), list(known), n=1, cutoff=0.0)[0]
            raise InputError(
                f"{source}: unknown key '{name:.{SHOWN}}'; did you mean '{prefix}{near}'?"
            )
        options = (known[key], *get_args(known[key]))
        group = next((option for option in options if is_dataclass(option)), None)
        if isinstance(group, type) and isinstance(value, dict):
            _check_keys(value, group, source, f"{name}.")
        elif isinstance(group, type) and not (value is None and type(None) in options):
            raise InputError(
                f"{source}: {name} is '{value!s:.{SHOWN}}'; it is a group of settings, such as "
                f"{name}.{fields(group)[0].name}=..."
            )
        if get_origin(known[key]) is tuple and isinstance(value, list):
            wanted = len(get_args(known[key]))
            if len(value) != wanted:
                raise InputError(
                    f"{source}: {name} is {value!s:.{SHOWN}}; it must be {wanted} values"
                )


def _of_wrong_type(error: OmegaConfBaseException, stated: Any, kind: type) -> str:
    """What is wrong with the setting that OmegaConf cannot convert, in words."""
    key = re.sub(r"\[.*", "", str(getattr(error, "full_key", None) or ""))
    value: Any = stated
    wanted: Any = kind
    for name in key.split(".") if key else ():
        value = value.get(name) if isinstance(value, dict) else None
        hint = get_type_hints(wanted).get(name) if is_dataclass(wanted) else None
        groups = [option for option in (hint, *get_args(hint)) if is_dataclass(option)]
        wanted = groups[0] if groups else hint
    if not key or wanted is None or "nterpolation" in str(error):
        return f"{key}: {_first_line(error)}" if key else _first_line(error)
    return f"{key} is {value!r:.{SHOWN}}; it must be {_type_in_words(wanted)}"


def _type_in_words(wanted: Any) -> str:
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    origin, options = get_origin(wanted), get_args(wanted)
    if origin is tuple:
        return f"{len(options)} values, each {words[options[0]]}"
    if origin is list:
        return f"a list of values, each {words[options[0]]}"
    if type(None) in options:
        return f"{' or '.join(words[option] for option in options if option in words)}, or null"
    return words.get(wanted, "a group of settings")


def _unknown_stage(stage: Any, source: str) -> InputError:
    return InputError(
        f"{source}: stage is '{stage!s:.{SHOWN}}'; it must be one of {', '.join(STAGES)}"
    )


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0]
