"""Settings that several stages share: which dataset, which CLIP, and the limits of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ovarnet.config.allowed import path_setting, setting


@dataclass
class DataSource:
    """A dataset known by name (`ovarnet.data.datasets`)."""

    dataset: str = setting("scenes")
    root: str = path_setting()
    split: str = path_setting("train")


@dataclass
class ClipSettings:
    """Which CLIP: an architecture name of open_clip or of ovarnet, and its weights."""

    name: str = setting()
    pretrained: str | None = path_setting(None)
    """An open_clip tag or a local file; None: random weights."""


def seed_setting() -> Any:
    """The field `seed`: everything random is drawn from it."""
    return setting(0, at_least=0, at_most=2**32 - 1)


def limit_setting() -> Any:
    """The field `limit`: only the first so many images of every source; None: all."""
    return setting(None, at_least=1, at_most=2**31)


def cache_setting(default: int = 1024) -> Any:
    """A field of megabytes that may be held in memory; 0: read again at every visit."""
    return setting(default, at_least=0, at_most=2**24)


def share_setting(default: float = 0.5) -> Any:
    """A field between 0 and 1, both included."""
    return setting(default, at_least=0, at_most=1)


def weight_setting(default: float) -> Any:
    """The weight of a loss term; 0 switches the term off."""
    return setting(default, at_least=0, at_most=1e6)
