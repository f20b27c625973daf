"""An image inside a WebDataset shard (a plain .tar), named by one string that can stand wherever the path of an image file stands:

    cc3m/00000.tar@1536+20480/000000001.jpg      shard, first byte of the content, number of bytes, name of the member

Nothing is unpacked and no index is kept: reading an image is one seek, from any process, in any order.
"""

from __future__ import annotations

import re
from pathlib import Path

from ovarnet.errors import InputError

_MEMBER = re.compile(r"(?P<shard>.+\.tar)@(?P<offset>\d+)\+(?P<size>\d+)/[^/]+")


def member_path(shard: str | Path, offset: int, size: int, name: str) -> str:
    """name: of the member; folders in it are left out."""
    return f"{shard}@{offset}+{size}/{name.rpartition('/')[2]}"


def read_member(path: str | Path) -> bytes | None:
    """The content of a member; None when `path` is no such string. InputError: the shard has become
    shorter than that.
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
