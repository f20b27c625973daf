"""A row of images in an HDF5 file, named by one string in place of a file path.

The string holds the file and the row: ``fashiongen_256_256_train.h5@17``. The images are rows of
the dataset `IMAGES`, (N, H, W, 3) uint8 RGB, as Fashion-Gen stores them.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ovarnet.errors import InputError

IMAGES = "input_image"
_ROW = re.compile(r"(?P<file>.+\.h5)@(?P<row>\d+)")


def row_path(file: str | Path, row: int) -> str:
    """Name a row, from 0."""
    return f"{file}@{row}"


def read_row(path: str | Path) -> np.ndarray | None:
    """Read the image of a row.

    Args:
        path: A string of `row_path`, or any other path.

    Returns:
        (H, W, 3) uint8 RGB; None if `path` names no row.

    Raises:
        InputError: h5py is not installed, or the file has no such row.
    """
    match = _ROW.fullmatch(str(path))
    if match is None:
        return None
    images = open_hdf5(match["file"])[IMAGES]
    row = int(match["row"])
    if row >= len(images):
        raise InputError(f"{path}: the file has {len(images):,} rows; it was changed or cut off")
    return np.asarray(images[row])


def open_hdf5(path: str | Path) -> Any:
    """Open an HDF5 file for reading, once in every process.

    Raises:
        InputError: h5py is not installed, or the file is not HDF5.
    """
    return _open(str(path), os.getpid())


@lru_cache(maxsize=8)
def _open(path: str, _process: int) -> Any:
    """Keyed by the process, since an open file must not be shared with a fork."""
    try:
        import h5py
    except ImportError:
        raise InputError(f'{path}: HDF5 needs h5py; pip install "ovarnet[catalogue]"') from None
    try:
        return h5py.File(path, "r")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check the path") from None
    except OSError as error:
        raise InputError(
            f"{path}: not an HDF5 file, or truncated ({error}); download it again"
        ) from None
