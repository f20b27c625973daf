"""Write the generated world: JPEG images, COCO and VAW style annotation files.

ROOT/vocabulary.json
ROOT/images/{train,val,test,captions}/000000.jpg
ROOT/annotations/{instances,attributes}_{train,val,test}.json    COCO instances, VAW records
ROOT/annotations/captions_scenes.json, captions_photos.json      COCO captions, no boxes
ROOT/photos/000000.jpg
"""

from __future__ import annotations

import json
import multiprocessing
import shutil
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from ovarnet.errors import InputError
from ovarnet.io.word_files import write_vocabulary
from ovarnet.scenes.world.records import (
    MOST_PICTURES,
    captions,
    coco_categories,
    image_record,
    labels,
)
from ovarnet.scenes.world.render import SPLITS, render_photo, render_scene
from ovarnet.scenes.world.words import vocabulary

LABELLED = ("train", "val", "test")
JPEG_QUALITY = 95
_CHUNK = 250  # pictures per task of a worker

_CAPTION_FILES = {"captions": "captions_scenes.json", "photos": "captions_photos.json"}


@dataclass
class _Chunk:
    """What a worker returns: records, and CPU seconds of rendering, encoding and writing."""

    images: list[dict] = field(default_factory=list)
    instances: list[dict] = field(default_factory=list)
    attributes: list[dict] = field(default_factory=list)
    captions: list[dict] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, other: _Chunk) -> None:
        self.images += other.images
        self.instances += other.instances
        self.attributes += other.attributes
        self.captions += other.captions
        self.seconds += other.seconds


@dataclass(frozen=True)
class WorldSize:
    """What was written, and how fast.

    Attributes:
        counts: Pictures of each split.
        boxes: Boxes of each labelled split.
        scenes_per_second: Scenes rendered, encoded and written in a second of one core.
        photos_per_second: Photos, likewise.
    """

    counts: dict[str, int]
    boxes: dict[str, int]
    scenes_per_second: float
    photos_per_second: float


def _folder(root: Path, split: str) -> Path:
    return root / "photos" if split == "photos" else root / "images" / split


def jpeg_bytes(image: np.ndarray) -> bytes:
    """Encode an (H, W, 3) uint8 RGB picture."""
    _, encoded = cv2.imencode(
        ".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY)
    )
    return encoded.tobytes()


def _write_chunk(root: Path, seed: int, split: str, start: int, stop: int) -> _Chunk:
    """Render and write pictures start..stop-1 of a split; runs in a worker."""
    cv2.setNumThreads(1)
    begin, chunk = time.process_time(), _Chunk()
    for index in range(start, stop):
        scene = render_photo(seed, index) if split == "photos" else render_scene(seed, split, index)
        record = image_record(split, index, scene)
        file = _folder(root, split) / record["file_name"]
        file.write_bytes(jpeg_bytes(scene.image))
        chunk.images.append(record)
        if split in LABELLED:
            instances, attributes = labels(seed, split, index, scene)
            chunk.instances += instances
            chunk.attributes += attributes
        else:
            chunk.captions += captions(seed, split, index, scene)
    chunk.seconds = time.process_time() - begin
    return chunk


def _chunks(
    root: Path, seed: int, counts: Mapping[str, int], workers: int
) -> Iterator[tuple[str, _Chunk]]:
    """All pictures, a chunk at a time, in order; several workers render side by side."""
    tasks = [
        (root, seed, split, start, min(start + _CHUNK, counts[split]))
        for split in SPLITS
        for start in range(0, counts[split], _CHUNK)
    ]
    if workers <= 1:
        for task in tasks:
            yield task[2], _write_chunk(*task)
        return
    # spawned, not forked: a fork of a process whose OpenCV threads have run may hang
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        yield from zip(
            (task[2] for task in tasks),
            pool.map(_write_chunk, *zip(*tasks, strict=True)),
            strict=True,
        )


def _dump(file: Path, content) -> None:
    file.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")


def _write_annotations(root: Path, seed: int, splits: Mapping[str, _Chunk]) -> None:
    folder = root / "annotations"
    info = {"description": "ovarnet generated world", "seed": seed}
    for split in LABELLED:
        chunk = splits[split]
        _dump(
            folder / f"instances_{split}.json",
            {
                "info": info,
                "images": chunk.images,
                "annotations": chunk.instances,
                "categories": coco_categories(split),
            },
        )
        _dump(folder / f"attributes_{split}.json", chunk.attributes)
    for split, name in _CAPTION_FILES.items():
        _dump(
            folder / name,
            {"info": info, "images": splits[split].images, "annotations": splits[split].captions},
        )


def _claim(root: Path, overwrite: bool) -> Path:
    """Check the target and return the empty temporary folder beside it."""
    if root.exists() and not overwrite:
        raise InputError(f"{root} exists already; give another --root or --overwrite to replace it")
    if root.exists() and (
        not root.is_dir() or (any(root.iterdir()) and not (root / "vocabulary.json").is_file())
    ):
        raise InputError(
            f"{root} is not a generated world (no vocabulary.json in it), so it is not replaced; "
            "give another --root"
        )
    unfinished = root.with_name(root.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        for folder in [
            unfinished / "annotations",
            *(_folder(unfinished, split) for split in SPLITS),
        ]:
            folder.mkdir(parents=True)
    except OSError as error:
        raise InputError(
            f"{root} cannot be written ({error.strerror}); give another --root"
        ) from None
    return unfinished


def write_world(
    root: str | Path,
    counts: Mapping[str, int],
    *,
    seed: int = 0,
    workers: int = 1,
    overwrite: bool = False,
    progress=None,
) -> WorldSize:
    """Write the world under `root`, which appears whole at the end or not at all.

    Args:
        root: Folder to write.
        counts: Pictures per split ("train", "val", "test", "captions", "photos").
        seed: The same seed gives the same bytes.
        workers: Processes that render.
        overwrite: Replace a world that is there already.
        progress: Called with the number of pictures just written.

    Raises:
        InputError: The root exists (unless `overwrite`), the seed is negative, or a count is out of
            range.
    """
    root = Path(root)
    for split in SPLITS:
        if not 0 <= counts[split] <= MOST_PICTURES:
            raise InputError(f"--{split} {counts[split]}: give a number from 0 to {MOST_PICTURES}")
    if seed < 0:
        raise InputError(f"--seed {seed}: give a number that is not negative")
    unfinished = _claim(root, overwrite)
    splits = {split: _Chunk() for split in SPLITS}
    try:
        for split, chunk in _chunks(unfinished, seed, counts, workers):
            splits[split].add(chunk)
            if progress is not None:
                progress(len(chunk.images))
        _write_annotations(unfinished, seed, splits)
        write_vocabulary(unfinished / "vocabulary.json", vocabulary())
        if root.exists():
            shutil.rmtree(root)
        unfinished.rename(root)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return _size(splits)


def _size(splits: Mapping[str, _Chunk]) -> WorldSize:
    scenes = [chunk for split, chunk in splits.items() if split != "photos"]
    photos = splits["photos"]
    return WorldSize(
        counts={split: len(chunk.images) for split, chunk in splits.items()},
        boxes={split: len(splits[split].instances) for split in LABELLED},
        scenes_per_second=sum(len(c.images) for c in scenes)
        / max(sum(c.seconds for c in scenes), 1e-9),
        photos_per_second=len(photos.images) / max(photos.seconds, 1e-9),
    )
