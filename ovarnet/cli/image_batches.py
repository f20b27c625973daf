"""The images that a command is asked about, read and looked at a few at a time; what cannot be used
is passed over and told.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ovarnet.errors import InputError
from ovarnet.io.files import check_folder, real_path

BATCH_PIXELS = 64_000_000  # bounds the memory of a batch of large photos


def find_images(paths: list[Path], output: Path) -> list[Path]:
    """The image files meant, each once. Results of an earlier run, in an output folder inside a
    searched folder, are left out.
    """
    from ovarnet.io.image_folders import list_images

    check_folder(output)
    files, output_path = {}, real_path(output)
    for path in paths:
        try:
            found = list_images([path])
        except InputError:
            if len(paths) == 1:
                raise
            found = [
                path
            ]  # a folder without images; the other inputs go on, and reading it says what is wrong
        if os.path.isdir(path) and real_path(path) != output_path:
            found = [file for file in found if output_path not in real_path(file).parents]
        files.update({real_path(file): file for file in found})
    if not files:
        raise InputError(
            f"{paths[0]}: holds no images outside the output folder {output}; give another folder"
        )
    return list(files.values())


def batches(files: list[Path], box_file, batch_size: int, skip) -> Iterator[list[tuple]]:
    """Lists of (file, image (H, W, 3), boxes (N, 4) or None); images that cannot be used go to
    `skip(file, error)`.
    """
    from ovarnet.io.images import read_image
    from ovarnet.modeling.predictor import checked_boxes

    batch, pixels = [], 0
    for file in files:
        try:
            image = read_image(file)
            boxes = (
                checked_boxes(
                    box_file.boxes(file), *image.shape[:2], f"{box_file.path}: {file.name}"
                )
                if box_file
                else None
            )
        except InputError as error:
            skip(file, error)
            continue
        size = image.shape[0] * image.shape[1]
        if batch and (len(batch) == batch_size or pixels + size > BATCH_PIXELS):
            yield batch
            batch, pixels = [], 0
        batch.append((file, image, boxes))
        pixels += size
    if batch:
        yield batch


def each_image(run_model, batch: list[tuple], skip) -> Iterator[tuple]:
    """Pairs of batch entry and Detections, from `run_model(images, boxes)`. A batch that is refused
    is tried image by image, so that only the bad ones are lost.
    """
    import torch
    from PIL import Image

    images = []
    for file, array, _ in batch:
        images.append(Image.fromarray(array))
        images[-1].filename = str(file)  # by which a file of precomputed proposals knows the image
    boxes = None if batch[0][2] is None else [entry[2] for entry in batch]
    try:
        yield from zip(batch, run_model(images, boxes), strict=True)
    except torch.cuda.OutOfMemoryError:
        raise InputError(
            f"the GPU has too little memory for {len(batch)} images at once; give a smaller "
            "--batch-size"
        ) from None
    except InputError as error:
        if len(batch) == 1:
            skip(batch[0][0], error)
        else:
            for entry in batch:
                yield from each_image(run_model, [entry], skip)
