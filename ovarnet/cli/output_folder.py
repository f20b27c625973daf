"""The folder that a command writes pictures and data to: their names, and what is refused there."""

from __future__ import annotations

import errno
from pathlib import Path

from ovarnet.errors import InputError
from ovarnet.io.files import real_path

DETECTIONS = "detections.json"
"""The list over all images that `detect` writes; no image has its name."""


def refuse_to_replace(inputs: list[Path], pictures: list[Path]) -> None:
    """InputError where a picture that will be written is one of the images that are read."""
    originals = {real_path(file) for file in inputs}
    for picture in pictures:
        if real_path(picture) in originals:
            raise InputError(
                f"{picture}: the picture would replace this image; choose another --output folder"
            )


def of_one_file(error: OSError, file: Path) -> InputError:
    """What to tell when the results of one image cannot be written; a refusal that does not come
    from their names is raised again.
    """
    if error.errno not in (errno.ENAMETOOLONG, errno.EISDIR, errno.EILSEQ, errno.EINVAL):
        raise error
    return InputError(
        f"{file}: its results cannot be written ({error.strerror}); give the image a shorter "
        "name, or another --output"
    )


class writable:
    """Turns the system's refusal to write into an InputError that names the folder."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if isinstance(error, OSError):
            raise InputError(
                f"{self.folder}: cannot write results ({error.strerror}); choose another --output"
            ) from None


def output_names(files: list[Path]) -> list[str]:
    """One distinct name per file: its stem, or the stem with a number where the stem is taken (also
    when only the case differs).
    """
    taken, names = {Path(DETECTIONS).stem}, []
    for file in files:
        name, number = file.stem, 2
        while name.casefold() in taken:
            name, number = f"{file.stem}_{number}", number + 1
        taken.add(name.casefold())
        names.append(name)
    return names
