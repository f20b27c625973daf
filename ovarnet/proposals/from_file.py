"""Precomputed proposals: boxes of any other system, read from one JSON file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ovarnet.data.boxes import refuse_fractions
from ovarnet.errors import InputError
from ovarnet.io.files import read_json
from ovarnet.proposals.box_file import image_key, normal_key
from ovarnet.structures import Proposals

LARGEST = torch.finfo(torch.float32).max


class FileProposals:
    """A proposer that looks boxes up by image file.

    Two forms of file are read, boxes in pixels of the original image:

    * COCO results, ``[{"file_name" or "image_id": ..., "bbox": [x, y, width, height],
      "score": 0.9}, ...]``;
    * by image, ``{"name.jpg": [[x1, y1, x2, y2, score], ...], ...}``, the only form that can say
      that an image has no proposal.

    Args:
        path: such a file, or a folder of shards, as `ovarnet propose` writes it. Which key means
            which image: see `ovarnet.proposals.box_file.find_key`.

    Raises:
        InputError: a file of another form, a key twice, or a number that is wrong.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.provenance = f"precomputed, from {self.path.name}"
        self.rows: dict[str, list[list[float]]] = {}
        for file in shards_in(self.path) or [self.path]:
            content = read_json(file)
            for key, row in (
                self._from_results(file, content)
                if isinstance(content, list)
                else self._by_image(file, content)
            ):
                self.rows[key].append(row)
        refuse_fractions((row[:4] for rows in self.rows.values() for row in rows), self.path)

    def propose(
        self, images: Sequence[Tensor], names: Sequence[str | None] | None = None
    ) -> list[Proposals]:
        """Look boxes up, see `Proposer.propose`.

        Boxes are clipped to the image; what has no area left is dropped.

        Raises:
            InputError: an image without a name (an array, say), or one the file does not hold.
        """
        return [
            self._of(image, name)
            for image, name in zip(images, names or [None] * len(images), strict=True)
        ]

    def _of(self, image: Tensor, name: str | None) -> Proposals:
        if name is None:
            raise InputError(
                f"{self.path}: proposals are looked up by file name, but an image was given as "
                "pixels; give its path"
            )
        rows = torch.tensor(
            self.rows[image_key(name, self.rows, self.path)], dtype=torch.float32
        ).reshape(-1, 5)
        height, width = image.shape[1:]

        # within the image, best first
        boxes = torch.minimum(
            rows[:, :4].clamp(min=0), torch.tensor([width, height, width, height])
        )
        has_area = (boxes[:, 2:] > boxes[:, :2]).all(dim=1)
        order = rows[has_area, 4].argsort(descending=True, stable=True)
        return Proposals(boxes, rows[:, 4])[has_area.nonzero().flatten()[order]]

    def _from_results(self, file: Path, entries: list[Any]) -> Iterator[tuple[str, list[float]]]:
        for index, entry in enumerate(entries):
            key = entry.get("file_name", entry.get("image_id")) if isinstance(entry, dict) else None
            if key is None or not {"bbox", "score"} <= entry.keys():
                raise InputError(
                    f"{file}: entry {index} needs `file_name` or `image_id`, `bbox` and `score`; "
                    "write COCO results"
                )
            bbox, key = entry["bbox"], normal_key(str(key))
            x, y, width, height, score = _numbers(
                [*bbox, entry["score"]] if isinstance(bbox, list) else bbox,
                f"{file}: entry {index}",
            )
            self.rows.setdefault(key, [])
            yield key, [x, y, x + width, y + height, score]

    def _by_image(self, file: Path, content: dict[str, Any]) -> Iterator[tuple[str, list[float]]]:
        for key, rows in content.items():
            if not isinstance(rows, list):
                raise InputError(
                    f"{file}: {key} holds {type(rows).__name__}; expected a list of [x1, y1, x2, "
                    "y2, score]"
                )
            if normal_key(key) in self.rows:
                raise InputError(
                    f"{file}: names image {key} twice, as x.jpg and ./x.jpg or in two shards; "
                    "write all its boxes under one name"
                )
            self.rows[normal_key(key)] = []
            for index, row in enumerate(rows):
                yield normal_key(key), _numbers(row, f"{file}: {key}, box {index}")


def shards_in(folder: str | Path) -> list[Path]:
    """The files of a folder that `ovarnet propose` wrote, sorted; empty for any other path."""
    return sorted(Path(folder).glob("[0-9]*.json")) if os.path.isdir(folder) else []


def _numbers(row: Any, where: str) -> list[float]:
    numbers = (
        isinstance(row, list)
        and len(row) == 5
        and all(type(value) in (int, float) and abs(value) <= LARGEST for value in row)
    )
    if not numbers or not 0 <= row[4] <= 1:
        raise InputError(
            f"{where} is {str(row)[:80]}; expected four finite numbers of a box and a score from "
            "0 to 1"
        )
    return row
