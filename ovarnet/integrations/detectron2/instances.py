"""Detections <-> detectron2's `Instances`.

N boxes, C categories, A attributes.
"""

from __future__ import annotations

import torch
from detectron2.structures import Boxes, Instances
from torch import Tensor

from ovarnet.errors import InputError
from ovarnet.structures import Detections
from ovarnet.vocabulary import Vocabulary


def to_instances(found: Detections, image_size: tuple[int, int]) -> Instances:
    """Convert to detectron2.

    Args:
        found: N detections, in pixels of the image.
        image_size: Height and width of the image.

    Returns:
        ``pred_boxes``, ``scores`` (N,), ``pred_classes`` (N,) int64, the best category (0 without
        categories, the class "object"), ``category_scores`` (N, C) and ``attribute_scores`` (N, A).
    """
    classes = torch.zeros(len(found), dtype=torch.int64, device=found.scores.device)
    if found.categories:
        classes = found.category_scores.argmax(dim=1)
    return Instances(
        image_size,
        pred_boxes=Boxes(found.boxes),
        scores=found.scores,
        pred_classes=classes,
        category_scores=found.category_scores,
        attribute_scores=found.attribute_scores,
    )


def from_instances(instances: Instances, vocabulary: Vocabulary) -> Detections:
    """Convert the output of a model.

    Args:
        instances: With ``pred_boxes`` and ``scores``. A detector without ``category_scores`` has
            its score at ``pred_classes`` and 0 elsewhere; one without ``attribute_scores`` has no
            attribute column.
        vocabulary: The words of the columns.

    Returns:
        Detections on the CPU.

    Raises:
        InputError: Another number of columns than words.
    """
    instances = instances.to("cpu")
    categories, attributes = vocabulary.category_names, vocabulary.attribute_names
    if instances.has("category_scores"):
        category_scores = instances.category_scores
    else:
        category_scores = _scores_of_classes(instances, len(categories))
    if instances.has("attribute_scores"):
        attribute_scores = instances.attribute_scores
    else:
        attributes, attribute_scores = [], torch.zeros(len(instances), 0)

    for scores, words, kind in (
        (category_scores, categories, "categories"),
        (attribute_scores, attributes, "attributes"),
    ):
        if scores.shape[1] != len(words):
            raise InputError(
                f"the model scored {scores.shape[1]} {kind} but there are {len(words)}; give it "
                "the same words with set_vocabulary"
            )
    return Detections(
        instances.pred_boxes.tensor,
        instances.scores,
        category_scores,
        attribute_scores,
        categories,
        attributes,
    )


def _scores_of_classes(instances: Instances, categories: int) -> Tensor:
    """(N, C), the score of each box at its class."""
    scores = torch.zeros(len(instances), categories)
    is_category = instances.pred_classes < categories  # the class after them is "object"
    rows = is_category.nonzero().flatten()
    scores[rows, instances.pred_classes[rows]] = instances.scores[rows]
    return scores
