"""Detections <-> supervision.Detections, with all scores kept in `data` so that filters, trackers
and zones carry them along.

Letters: N boxes, C category words, A attribute words.
"""

from __future__ import annotations

import numpy as np
import supervision as sv
import torch

from ovarnet.errors import InputError
from ovarnet.structures import Detections

SCORES = ("category_scores", "attribute_scores")
WORDS = ("categories", "attributes")


def to_supervision(found: Detections) -> sv.Detections:
    """Xyxy (N, 4), confidence (N,), class_id (N,): the best category's column (None without
    categories).

    data: class_name (N,), category_scores (N, C), attribute_scores (N, A). metadata: categories,
    attributes (the words).
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
    """The way back, after filtering or tracking. Raises InputError for detections that
    `to_supervision` did not make.
    """
    missing = [name for name in SCORES if name not in detections.data] + [
        name for name in WORDS if name not in detections.metadata
    ]
    if missing:
        raise InputError(
            f"supervision detections lack {', '.join(missing)}; make them with to_supervision"
        )
    scores = {
        name: torch.from_numpy(np.asarray(detections.data[name], dtype=np.float32))
        for name in SCORES
    }
    words = {name: list(detections.metadata[name]) for name in WORDS}
    for score, word in zip(SCORES, WORDS, strict=True):
        scores[score] = scores[score].reshape(len(detections), len(words[word]))
    boxes = torch.from_numpy(np.asarray(detections.xyxy, dtype=np.float32))
    return Detections(
        boxes,
        torch.from_numpy(np.asarray(detections.confidence, dtype=np.float32)),
        **scores,
        **words,
    )
