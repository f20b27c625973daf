"""The only reader of configs: a YAML file and KEY=VALUE -> the settings of one stage."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from ovarnet.config.old_keys import translate
from ovarnet.config.stages import STAGES
from ovarnet.config.structured import SHOWN, build_settings, first_line, plain_values
from ovarnet.errors import InputError


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
    name = plain_values(changes).get("stage", plain_values(given).get("stage"))
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
        raise _cannot_apply(overrides, path, error) from None
    assert isinstance(merged, DictConfig)
    return build_settings(STAGES[name].settings, merged, str(path))


def resolve(given: DictConfig, source: str) -> Any:
    """Merge `given` over the defaults of its stage and check every setting.

    Args:
        given: Stated settings, with a `stage`.
        source: Named in errors.

    Raises:
        InputError: As `load_config`.
    """
    name = plain_values(given).get("stage")
    if not isinstance(name, str) or name not in STAGES:
        raise _unknown_stage(name, source)
    return build_settings(STAGES[name].settings, translate(given, name, source), source)


def _read(path: Path) -> DictConfig:
    if not os.path.isfile(path):
        raise InputError(
            f"config {path!s:.200} does not exist; the ones that come with ovarnet are in configs/"
        )
    try:
        given = OmegaConf.load(path)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, OmegaConfBaseException) as error:
        raise InputError(f"config {path} cannot be read: {_problem(error)}") from None
    if not isinstance(given, DictConfig):
        raise InputError(
            f"config {path} holds a list; it must hold 'key: value' lines, such as 'stage: clip'"
        )
    return given


def _parse_overrides(overrides: Sequence[str], path: Path) -> DictConfig:
    overrides = [_as_typed(override) for override in overrides]
    for override in overrides:
        if not re.match(r"\w+(\.\w+)*=", override):
            raise InputError(
                f"'{override:.{SHOWN}}' is not of the form KEY=VALUE, such as "
                "optimisation.iterations=100"
            )
        try:
            OmegaConf.from_dotlist([override])
        except (yaml.YAMLError, OmegaConfBaseException, UnicodeEncodeError) as error:
            raise InputError(f"cannot read {override!a:.{SHOWN}}: {_problem(error)}") from None
    try:
        return OmegaConf.from_dotlist(list(overrides))
    except (OmegaConfBaseException, TypeError) as error:  # TypeError: a list in place of a group
        raise _cannot_apply(overrides, path, error) from None


def _as_typed(override: str) -> str:
    """KEY=VALUE, quoted where YAML 1.1 would read another number than is written.

    2024_01 (202401 in YAML), 1:30 (90) and 010 (8) stay what was typed.
    """
    key, _, value = override.partition("=")
    if re.fullmatch(r"[-+]?\d+([_:]\d+)+|[-+]?0\d+", value):
        return f"{key}='{value}'"
    return override


def _cannot_apply(overrides: Sequence[str], path: Path, error: Exception) -> InputError:
    return InputError(f"cannot apply {' '.join(overrides)!a} to {path}: {first_line(error)}")


def _problem(error: Exception) -> str:
    """What is wrong with YAML, and where; the parser's own message has several lines."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return first_line(error)


def _unknown_stage(stage: Any, source: str) -> InputError:
    return InputError(
        f"{source}: stage is '{stage!s:.{SHOWN}}'; it must be one of {', '.join(STAGES)}"
    )
