"""Detections with scores known beforehand, for the tests of pictures."""

import torch

from ovarnet.structures import Detections


def detections(boxes, categories=("mug", "car"), attributes=("red", "striped", "tiny")):
    count = len(boxes)
    category_scores = (
        torch.eye(len(categories)).repeat(count, 1)[:count] if categories else torch.zeros(count, 0)
    )
    attribute_scores = torch.tensor([0.9, 0.6, 0.2]).repeat(count, 1)[:, : len(attributes)]
    return Detections(
        boxes,
        torch.linspace(0.9, 0.5, count),
        category_scores,
        attribute_scores,
        list(categories),
        list(attributes),
    )
