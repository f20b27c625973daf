"""An image inside a WebDataset shard (a plain .tar), named by one string in place of a file path.

The string holds the shard, the first byte of the content, the number of bytes and the name::

    cc3m/00000.tar@1536+20480/000000001.jpg

Nothing is unpacked and no index is kept: reading an image is one seek, from any process.
"""

from __future__ import annotations

import re
from pathlib import Path

from ovarnet.errors import InputError

_MEMBER = re.compile(r"(?P<shard>.+\.tar)@(?P<offset>\d+)\+(?P<size>\d+)/[^/]+")


def member_path(shard: str | Path, offset: int, size: int, name: str) -> str:
    """Name a member of a shard.

    Args:
        shard: path of the .tar file.
        offset: first byte of the content in the shard.
        size: number of bytes.
        name: name of the member, whose folders are left out.
    """
    return f"{shard}@{offset}+{size}/{name.rpartition('/')[2]}"


def read_member(path: str | Path) -> bytes | None:
    """Read the content of a member.

    Args:
        path: a string of `member_path`, or any other path.

    Returns:
        The bytes of the member; None if `path` names no member of a shard.

    Raises:
        InputError: the shard ends before the member does.
    """
    match = _MEMBER.fullmatch(str(path))
    if match is None:
        return None
    with Path(match["shard"]).open("rb") as shard:
        shard.seek(int(match["offset"]))
        content = shard.read(int(match["size"]))
    if len(content) < int(match["size"]):
        raise InputError(
            f"{path}: the shard ends before this image; it is cut off or another one, download it "
            "again"
        )
    return content
