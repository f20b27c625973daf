"""The folder that a command writes pictures and data to: file names, and refusals."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ovarnet.errors import InputError
from ovarnet.io.files import real_path

DETECTIONS = "detections.json"
"""The results over all images that `detect` writes; no image has its name."""
CROPS = "crops"
"""The folder, beside the pictures, that --save-crops writes to."""


def refuse_to_replace(inputs: list[Path], pictures: list[Path]) -> None:
    """Raise InputError where a picture to be written is one of the images that are read."""
    originals = {real_path(file) for file in inputs}
    for picture in pictures:
        if real_path(picture) in originals:
            raise InputError(
                f"{picture}: the picture would replace this image; choose another --output folder"
            )


def refuse_inputs_in(folder: Path, inputs: list[Path]) -> None:
    """Raise InputError where an image that is read lies in the folder that crops are written to."""
    crops = real_path(folder)
    for file in inputs:
        if crops in real_path(file).parents:
            raise InputError(
                f"{file}: lies in {folder}, where --save-crops writes; choose another --output "
                "folder"
            )


def of_one_file(error: OSError, file: Path) -> InputError:
    """Describe why the results of one image cannot be written.

    Args:
        error: Raised while writing.
        file: The image whose results were written.

    Returns:
        The error to report for this image, if it comes from the names of its results.

    Raises:
        OSError: `error` itself, if it concerns the whole folder.
    """
    if error.errno not in (errno.ENAMETOOLONG, errno.EISDIR, errno.EILSEQ, errno.EINVAL):
        raise error
    return InputError(
        f"{file}: its results cannot be written ({error.strerror}); give the image a shorter "
        "name, or another --output"
    )


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Turn the system's refusal to write into an InputError that names the folder."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{folder}: cannot write results ({error.strerror}); choose another --output"
        ) from None


def output_names(files: list[Path]) -> list[str]:
    """One distinct name per file: its stem, with a number where the stem is taken.

    Names that differ only in case count as equal, for file systems that ignore case.
    """
    taken, names = {Path(DETECTIONS).stem}, []
    for file in files:
        name, number = file.stem, 2
        while name.casefold() in taken:
            name, number = f"{file.stem}_{number}", number + 1
        taken.add(name.casefold())
        names.append(name)
    return names
