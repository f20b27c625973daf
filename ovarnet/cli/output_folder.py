"""The folder that a command writes pictures and data to: file names, and refusals."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ovarnet.cli.image_sources import Source, source_name
from ovarnet.errors import InputError
from ovarnet.io.files import real_path

DETECTIONS = "detections.json"
"""The results over all images that `detect` writes; no image has its name."""
CROPS = "crops"
"""The folder, beside the pictures, that --save-crops writes to."""


def refuse_to_replace(inputs: Sequence[Source], pictures: list[Path]) -> None:
    """Raise InputError where a picture to be written is one of the images that are read."""
    originals = {real_path(file) for file in inputs if isinstance(file, Path)}
    for picture in pictures:
        if real_path(picture) in originals:
            raise InputError(
                f"{picture}: the result would replace this input; choose another --output folder"
            )


def refuse_inputs_in(folder: Path, inputs: Sequence[Source]) -> None:
    """Raise InputError where an image that is read lies in the folder that crops are written to."""
    crops = real_path(folder)
    for file in inputs:
        if isinstance(file, Path) and crops in real_path(file).parents:
            raise InputError(
                f"{file}: lies in {folder}, where --save-crops writes; choose another --output "
                "folder"
            )


def of_one_file(error: OSError, file: Source) -> InputError:
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


def output_names(files: Sequence[Source]) -> list[str]:
    """One distinct name per image: its stem, with a number where the stem is taken."""
    stems = [Path(source_name(file)).stem for file in files]
    return distinct(stems, taken=[Path(DETECTIONS).stem])


def distinct(stems: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """The stems, with a number where one is taken.

    Names that differ only in case count as equal, for file systems that ignore case.
    """
    taken, names = {name.casefold() for name in taken}, []
    for stem in stems:
        name, number = stem, 2
        while name.casefold() in taken:
            name, number = f"{stem}_{number}", number + 1
        taken.add(name.casefold())
        names.append(name)
    return names
