"""What the config.yaml of a checkpoint must say, checked before anything is built from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ovarnet.errors import InputError, did_you_mean
from ovarnet.vocabulary import KINDS

ADVICE = "it was not written by ovarnet, copy or train the model again"
REQUIRED = {
    "clip": ("clip.name",),
    "proposer": ("proposer.kind",),
    "clip-attr": ("clip.name", "proposer.kind", "prompts"),
    "ovarnet": ("clip.name", "backbone.name", "prompts", "calibration", "design"),
    "matcher": ("matcher",),
    "aligner": ("aligner",),
    "labels": ("matcher", "labels"),
    "captions": ("matcher",),
}
"""Kind of model -> the keys without which it cannot be built."""


def check_settings(model: str, settings: dict[str, Any], source: Path) -> None:
    """Check the form of a checkpoint's settings.

    Args:
        model: the kind of model.
        settings: what config.yaml says of it.
        source: the file, for messages.

    Raises:
        InputError: naming the first key that is missing, misspelt or of another form than ovarnet
            writes.
    """
    for key in settings:
        if key not in KEYS:
            raise InputError(
                f"{source}: {key!r} is no setting of a model{did_you_mean(key, KEYS)}; correct it, "
                "or update ovarnet if a later version wrote this"
            )
    for key, (fits, wanted) in FORMS.items():
        value = _value(settings, key)
        if value is not None and not fits(value):
            raise InputError(f"{source}: {key} is {value!r:.60}, not {wanted}; {ADVICE}")
    for key in REQUIRED.get(model, ()):
        if _value(settings, key) is None:
            raise InputError(f"{source}: {key} is missing; {ADVICE}")
    for key, value in settings.items():
        if value is None:
            raise InputError(f"{source}: {key} has no value; give it one, or delete the line")


def _value(settings: dict[str, Any], key: str) -> Any:
    """The value of a dotted key; None where it does not exist."""
    value: Any = settings
    for name in key.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_section(value: Any) -> bool:
    return isinstance(value, dict)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_list(fits: Callable[[Any], bool], length: int | None = None) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, list) and all(map(fits, value)) and length in (None, len(value))
    )


def _is_by_kind(fits: Callable[[Any], bool], all_kinds: bool) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, dict)
        and set(value) <= set(KINDS)
        and (not all_kinds or len(value) == len(KINDS))
        and all(map(fits, value.values()))
    )


def _are_prompts(value: Any) -> bool:
    """Learned vectors, or hand-written templates."""
    if not isinstance(value, dict) or "vectors" not in value:
        return _is_by_kind(_is_list(_is_text), all_kinds=True)(value)
    counts = _is_list(lambda count: isinstance(count, int) and count >= 0, length=3)
    return counts(value["vectors"]) and isinstance(value.get("parent_type"), bool)


FORMS = {
    "clip": (_is_section, "a section"),
    "clip.name": (_is_text, "the name of a CLIP"),
    "backbone": (_is_section, "a section"),
    "backbone.name": (_is_text, "the name of a CLIP"),
    "proposer": (_is_section, "a section"),
    "proposer.kind": (_is_text, "scenes or resnet50"),
    "proposer.clip": (_is_text, "the name of a CLIP"),
    "prompts": (
        _are_prompts,
        "three numbers of `vectors` and a `parent_type`, or lists of templates for category and "
        "attribute",
    ),
    "calibration": (
        _is_by_kind(_is_list(_is_number, length=2), all_kinds=False),
        "two numbers for category and for attribute",
    ),
    "probe": (
        _is_by_kind(_is_list(_is_text), all_kinds=True),
        "lists of words for category and attribute",
    ),
    "design": (_is_section, "a section"),
    "matcher": (_is_section, "a section"),
    "aligner": (_is_section, "a section"),
    "labels": (
        lambda value: isinstance(value, dict) and all(map(_is_list(_is_text), value.values())),
        "a list of values for each column",
    ),
    "proposals": (lambda value: isinstance(value, int) and value > 0, "a number of boxes"),
    "threshold": (_is_number, "a number"),
    "nms_iou": (lambda value: _is_number(value) and 0 < value <= 1, "above 0 and at most 1"),
    "score_calibration": (
        lambda value: _is_list(_is_number, length=2)(value) and value[0] > 0,
        "two numbers, the first above 0",
    ),
    "shared": (_is_section, "a list of file, of and prefix for each part"),
    "stored_in": (
        lambda value: isinstance(value, dict) and all(map(_is_text, value.values())),
        "a file for each part",
    ),
}
"""Dotted key -> what its value must be, as a test and in words. Sections come before what is in
them."""
KEYS = sorted({"format", "model", "training", *(key.split(".")[0] for key in FORMS)})
