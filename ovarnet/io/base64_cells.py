"""An image in a cell of a text table, in base64, named by one string in place of a file path.

The string holds the file, the first byte of the cell and its number of bytes::

    pairs.tsv @ 1536 + 20480  # b64

Nothing is unpacked: reading an image is one seek. Both alphabets of base64 are read, and the
prefix of a data URL may stand before the content.
"""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path

from ovarnet.errors import InputError

_CELL = re.compile(r"(?P<file>.+)@(?P<offset>\d+)\+(?P<size>\d+)#b64")
_DATA_URL = re.compile(rb"data:[^,]{0,100};base64,")


def cell_path(file: str | Path, offset: int, size: int) -> str:
    """Name a cell.

    Args:
        file: The text file.
        offset: First byte of the cell.
        size: Number of bytes.
    """
    return f"{file}@{offset}+{size}#b64"


def read_cell(path: str | Path) -> bytes | None:
    """Read and decode a cell.

    Args:
        path: A string of `cell_path`, or any other path.

    Returns:
        The bytes of the image file; None if `path` names no cell.

    Raises:
        InputError: The file ends before the cell does, or it is not base64.
    """
    match = _CELL.fullmatch(str(path))
    if match is None:
        return None
    size = int(match["size"])
    with Path(match["file"]).open("rb") as file:
        file.seek(int(match["offset"]))
        text = file.read(size)
    if len(text) < size:
        raise InputError(f"{path}: the file ends before this cell; it was changed or cut off")
    return decode(text, str(path))


def decode(text: bytes, name: str) -> bytes:
    """Decode base64 of either alphabet; missing padding is added.

    Args:
        text: The cell.
        name: For the message.

    Raises:
        InputError: It is not base64.
    """
    start = _DATA_URL.match(text)
    plain = text[start.end() if start else 0 :].strip().translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return base64.b64decode(
            plain.rstrip(b"=") + b"=" * (-len(plain.rstrip(b"=")) % 4), None, True
        )
    except binascii.Error as error:
        raise InputError(f"{name}: not base64 ({error}); write the image column anew") from None
