"""Checks of the image files of a dataset.

A sample is decoded, and identical images and files that no record names are found.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable
from pathlib import Path

from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.preparation.findings import Findings
from ovarnet.errors import InputError
from ovarnet.io.images import read_image

TAIL = 4096
"""Bytes at the end of a file that are compared first, before files of equal size are read whole."""


def check_pictures(
    files: Collection[str],
    sizes: ImageSizes,
    sample: int,
    findings: Findings,
    splits: Iterable[Collection[str]] = (),
) -> None:
    """Decode a sample of the images and report identical ones.

    Args:
        files: all image files that the records name.
        sizes: index of image sizes.
        sample: how many to decode, evenly spread.
        findings: where to report.
        splits: image files of each split; an image that is in two of them (training on test images)
            is a problem, other identical images are noted.
    """
    unique = sorted(set(files))
    check_decoding(unique, sample, findings)
    _report_identical(identical(unique, sizes), [set(split) for split in splits], findings)


def check_decoding(files: list[str], sample: int, findings: Findings) -> None:
    """Decode a sample of images.

    Args:
        files: the images.
        sample: how many to decode, evenly spread.
        findings: where to report.
    """
    opened = files[:: max(1, len(files) // sample)][:sample] if sample else []
    broken = []
    for file in opened:
        try:
            read_image(file)
        except InputError as error:
            broken.append(str(error))
    if broken:
        findings.problem(f"{len(broken)} of {len(opened)} images opened cannot be decoded", broken)
    elif opened:
        findings.ok(f"{len(opened)} of {len(files):,} images opened, all decode")


def identical(files: Iterable[str], sizes: ImageSizes) -> list[list[str]]:
    """Find files with the same bytes.

    Only files of equal size and length are read, first their ends and then the whole.

    Args:
        files: image files.
        sizes: index of image sizes.

    Returns:
        Groups of two or more identical files.
    """
    groups = _grouped(files, lambda file: _measured(file, sizes))
    for digest in (_tail, _whole):
        groups = [part for group in groups for part in _grouped(group, digest)]
    return groups


def unnamed(folder: Path, files: Collection[str], findings: Findings) -> None:
    """Note how many files of a folder no record names.

    Args:
        folder: the folder.
        files: image files that the records name.
        findings: where to report.
    """
    there = sum(1 for entry in folder.iterdir() if entry.is_file()) if folder.is_dir() else 0
    extra = there - sum(1 for file in set(files) if Path(file).parent == folder)
    if extra > 0:
        findings.note(f"{folder}: {extra:,} files that no record names; they are not used")


def _report_identical(groups: list[list[str]], splits: list[set[str]], findings: Findings) -> None:
    if groups:
        findings.note(
            f"{len(groups):,} pictures are there more than once, e.g. {' = '.join(groups[0])}"
        )
    named_twice = [
        [file]
        for file in sorted(set().union(*splits))
        if sum(file in split for split in splits) > 1
    ]
    across = named_twice + [
        group
        for group in groups
        if sum(any(file in split for file in group) for split in splits) > 1
    ]
    if across:
        findings.problem(
            f"{len(across):,} pictures lie in more than one split",
            [" = ".join(group) for group in across],
        )


def _grouped(files: Iterable[str], key: Callable[[str], Hashable | None]) -> list[list[str]]:
    groups: dict[Hashable | None, list[str]] = defaultdict(list)
    for file in files:
        groups[key(file)].append(file)
    return [group for value, group in groups.items() if len(group) > 1 and value is not None]


def _measured(file: str, sizes: ImageSizes) -> Hashable | None:
    try:
        return sizes.measured(file)
    except InputError:
        return None


def _tail(file: str) -> bytes:
    with Path(file).open("rb") as stream:
        stream.seek(-min(TAIL, Path(file).stat().st_size), 2)
        return stream.read()


def _whole(file: str) -> bytes:
    return hashlib.sha256(Path(file).read_bytes()).digest()
