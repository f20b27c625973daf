"""YOLO text files in the layout of Ultralytics; they hold categories and boxes, no attributes."""

from __future__ import annotations

from pathlib import Path

import yaml

from ovarnet.formats.labels import LabelledImage, LabelSet
from ovarnet.io.files import write_text

DIGITS = 6


def write_yolo(labels: LabelSet, folder: Path, split: str) -> Path:
    """Write data.yaml and labels/NAME.txt.

    Args:
        labels: what to write; attributes and scores are left out.
        folder: where to write; the images belong into its folder images/.
        split: what data.yaml calls it.

    Returns:
        data.yaml.
    """
    numbers = {name: number for number, name in enumerate(labels.categories)}
    for image in labels.images:
        lines = _lines(image, numbers)
        write_text(folder / "labels" / f"{image.stem}.txt", "".join(f"{line}\n" for line in lines))
    about = {split: "images", "names": dict(enumerate(labels.categories))}
    path = folder / "data.yaml"
    write_text(path, yaml.safe_dump(about, allow_unicode=True, sort_keys=False))
    return path


def _lines(image: LabelledImage, numbers: dict[str, int]) -> list[str]:
    """A line for each box: the number of its category, centre and size as fractions."""
    lines = []
    for found in image.objects:
        x1, y1, x2, y2 = found.box
        fractions = (
            (x1 + x2) / 2 / image.width,
            (y1 + y2) / 2 / image.height,
            (x2 - x1) / image.width,
            (y2 - y1) / image.height,
        )
        values = " ".join(f"{value:.{DIGITS}f}" for value in fractions)
        lines.append(f"{numbers[found.label]} {values}")
    return lines
