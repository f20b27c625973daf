"""Settings that the stages of the catalogue share."""

from __future__ import annotations

from dataclasses import dataclass

from ovarnet.config.allowed import path_setting


@dataclass
class CatalogueData:
    """A catalogue that `ovarnet prepare catalogue` prepared."""

    root: str = path_setting()
    foreground: bool = True
    """The photo is cut to the product's box; false: the whole photo."""
