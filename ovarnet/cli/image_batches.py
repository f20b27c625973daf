"""The images of a command: found, read and run through a model a few at a time.

Images that cannot be used are skipped and reported.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ovarnet.cli.image_sources import Source, expand, source_name
from ovarnet.errors import InputError
from ovarnet.io.files import check_folder, real_path

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from ovarnet.proposals.box_file import BoxFile
    from ovarnet.structures import Detections

BATCH_PIXELS = 64_000_000  # bounds the memory of a batch of large photos

Skip = Callable[[Source, InputError], None]
"""Called with an image that cannot be used, and why."""


class Entry(NamedTuple):
    """One image of a batch.

    Attributes:
        file: The image file or URL.
        image: Its pixels (H, W, 3), uint8 RGB.
        boxes: The boxes to score (N, 4), xyxy in pixels; None where the model proposes them.
    """

    file: Source
    image: np.ndarray
    boxes: Tensor | None


def find_images(sources: Sequence[Source], output: Path) -> list[Source]:
    """All images that `sources` name (`ovarnet.cli.image_sources`), each once.

    Results of an earlier run, in an output folder inside a searched folder, are left out.

    Raises:
        InputError: There is no image, a pattern matches nothing, standard input is no list, or
            `output` cannot be a folder.
    """
    from ovarnet.io.image_folders import list_images
    from ovarnet.io.images import SUFFIXES

    check_folder(output)
    files: dict[Source, Source] = {}
    output_path, paths = real_path(output), expand(sources, SUFFIXES)
    for path in paths:
        if isinstance(path, str):
            files[path] = path
            continue
        try:
            found = list_images([path])
        except InputError:
            if len(paths) == 1:
                raise
            # A folder without images does not stop the others; reading it says what is wrong.
            found = [path]
        if os.path.isdir(path) and real_path(path) != output_path:
            found = [file for file in found if output_path not in real_path(file).parents]
        files.update({real_path(file): file for file in found})
    if not files:
        raise InputError(
            f"{paths[0]}: holds no images outside the output folder {output}; give another folder"
        )
    return list(files.values())


def batches(
    files: Sequence[Source], box_file: BoxFile | None, batch_size: int, skip: Skip
) -> Iterator[list[Entry]]:
    """Read images into batches.

    Args:
        files: The images, in order.
        box_file: The boxes to score; None where the model proposes them.
        batch_size: Most images in a batch; large images make it smaller.
        skip: Called with each image that cannot be used.

    Yields:
        Entries of one batch, at least one.
    """
    batch: list[Entry] = []
    pixels = 0
    for file in files:
        try:
            entry = _read(file, box_file)
        except InputError as error:
            skip(file, error)
            continue
        size = entry.image.shape[0] * entry.image.shape[1]
        if batch and (len(batch) == batch_size or pixels + size > BATCH_PIXELS):
            yield batch
            batch, pixels = [], 0
        batch.append(entry)
        pixels += size
    if batch:
        yield batch


def _read(file: Source, box_file: BoxFile | None) -> Entry:
    from ovarnet.io.images import read_image
    from ovarnet.modeling.given_boxes import checked_boxes
    from ovarnet.video.sources import is_video, shown_name

    try:
        image = read_image(file)
    except InputError:
        is_there = isinstance(file, str) or os.path.isfile(file)
        if not (is_there and is_video(file)):
            raise
        raise InputError(
            f"{shown_name(file)}: is a video; `ovarnet track` reads videos, cameras and streams"
        ) from None
    if box_file is None:
        return Entry(file, image, None)
    height, width = image.shape[:2]
    owner = f"{box_file.path}: {source_name(file)}"
    return Entry(file, image, checked_boxes(box_file.boxes(file), height, width, owner))


def each_image(
    run_model: Callable[[list, list | None], list[Detections]], batch: list[Entry], skip: Skip
) -> Iterator[tuple[Entry, Detections]]:
    """Run a model on a batch.

    A batch that the model refuses is retried image by image, so that only the bad ones are lost.

    Args:
        run_model: Called with the images and their boxes; the boxes are None where it proposes.
        batch: At least one entry.
        skip: Called with each image that cannot be used.

    Yields:
        An entry and its detections.
    """
    import torch
    from PIL import Image

    images = []
    for entry in batch:
        image = Image.fromarray(entry.image)
        # by which a file of computed proposals knows the image
        image.filename = str(entry.file)  # type: ignore[attr-defined]
        images.append(image)
    boxes = None if batch[0].boxes is None else [entry.boxes for entry in batch]
    try:
        yield from zip(batch, run_model(images, boxes), strict=True)
    except torch.cuda.OutOfMemoryError:
        raise InputError(
            f"the GPU has too little memory for {len(batch)} images at once; give a smaller "
            "--batch-size"
        ) from None
    except InputError as error:
        if len(batch) == 1:
            skip(batch[0].file, error)
            return
        for entry in batch:
            yield from each_image(run_model, [entry], skip)
