"""Detections <-> supervision.Detections.

All scores are kept in `data`, so that filters, trackers and zones carry them along. Letters: N
boxes, C category words, A attribute words.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import supervision as sv
import torch
from torch import Tensor

from ovarnet.errors import InputError
from ovarnet.structures import Detections

SCORES = ("category_scores", "attribute_scores")
WORDS = ("categories", "attributes")


def to_supervision(found: Detections) -> sv.Detections:
    """Convert to supervision.

    Args:
        found: N detections.

    Returns:
        xyxy (N, 4), confidence (N,), class_id (N,): column of the best category (None without
        categories); data: class_name (N,), category_scores (N, C), attribute_scores (N, A);
        metadata: categories and attributes, the words.
    """
    data = {name: getattr(found, name).cpu().numpy() for name in SCORES}
    class_id = None
    if found.categories:
        class_id = found.category_scores.argmax(dim=1).cpu().numpy()
        data["class_name"] = np.array(found.best_category, dtype=object).astype(str)
    return sv.Detections(
        xyxy=found.boxes.cpu().numpy(),
        confidence=found.scores.cpu().numpy(),
        class_id=class_id,
        data=data,
        metadata={name: list(getattr(found, name)) for name in WORDS},
    )


def from_supervision(detections: sv.Detections) -> Detections:
    """Convert back, after filtering or tracking.

    Args:
        detections: made by `to_supervision`; N may have become smaller.

    Raises:
        InputError: detections of another source, which lack words or scores.
    """
    missing = [name for name in SCORES if name not in detections.data]
    missing += [name for name in WORDS if name not in detections.metadata]
    if missing:
        raise InputError(
            f"supervision detections lack {', '.join(missing)}; make them with to_supervision"
        )
    categories, attributes = (list(detections.metadata[name]) for name in WORDS)
    count = len(detections)
    return Detections(
        boxes=_float_tensor(detections.xyxy),
        scores=_float_tensor(detections.confidence),
        # An empty selection may have lost its width.
        category_scores=_float_tensor(detections.data["category_scores"]).reshape(
            count, len(categories)
        ),
        attribute_scores=_float_tensor(detections.data["attribute_scores"]).reshape(
            count, len(attributes)
        ),
        categories=categories,
        attributes=attributes,
    )


def _float_tensor(values: Any) -> Tensor:
    return torch.from_numpy(np.asarray(values, dtype=np.float32))
