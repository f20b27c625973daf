"""COCO instances with attributes: the form of `ovarnet.data.custom`, which COCO tools read too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ovarnet.formats.labels import LabelledObject, LabelSet
from ovarnet.io.files import write_json

DIGITS = 2


def write_coco(labels: LabelSet, folder: Path, split: str) -> Path:
    """Write SPLIT.json.

    Args:
        labels: what to write. Scores of detections are written as ``score`` and
            ``attribute_scores``, which tools that do not know them ignore.
        folder: where to write; the images belong into its folder images/.
        split: name of the file.

    Returns:
        The file.
    """
    numbers = {name: number for number, name in enumerate(labels.categories, 1)}
    images, annotations = [], list[dict[str, Any]]()
    for image_id, image in enumerate(labels.images, 1):
        images.append(
            {
                "id": image_id,
                "file_name": image.name,
                "width": image.width,
                "height": image.height,
            }
        )
        for found in image.objects:
            about = {"id": len(annotations) + 1, "image_id": image_id}
            annotations.append(about | _annotation(found, numbers))
    path = folder / f"{split}.json"
    write_json(
        path,
        {
            "images": images,
            "categories": [{"id": number, "name": name} for name, number in numbers.items()],
            "annotations": annotations,
        },
        indent=1,
    )
    return path


def _annotation(found: LabelledObject, numbers: dict[str, int]) -> dict[str, Any]:
    x1, y1, x2, y2 = found.box
    width, height = x2 - x1, y2 - y1
    annotation = {
        "category_id": numbers[found.label],
        "bbox": [round(value, DIGITS) for value in (x1, y1, width, height)],
        "area": round(width * height, DIGITS),
        "iscrowd": 0,
        "attributes": {word: int(holds) for word, holds in found.attributes.items()},
    }
    if found.score is not None:
        annotation |= {"score": found.score, "attribute_scores": dict(found.attribute_scores)}
    return annotation
