"""Where to put text plates so that they hide neither each other nor the objects they name.

Greedy: plates are placed in order; each takes the cheapest of a fixed set of positions around its box. Rectangles are float
arrays (..., 4) of x1, y1, x2, y2 in pixels of the canvas.
"""

from __future__ import annotations

import numpy as np

HIDDEN = 0.5  # the largest share of an object's box that a plate may hide
RINGS = (0.5, 1.0, 2.0)  # distances of shifted plates from their box, in plate heights


def place(boxes: np.ndarray, sizes: np.ndarray, width: int, height: int) -> np.ndarray | None:
    """Positions for N plates of `sizes` (N, 2) width, height beside their `boxes` (N, 4) on a canvas of width x height.

    Returns (N, 4) rectangles inside the canvas, or None when some plate finds no free place. No two of them overlap, and none
    lies on the line that leads from another one to its box.
    """
    placed, lines = np.zeros((0, 4)), np.zeros((0, 2))
    for box, size in zip(boxes, sizes, strict=True):
        positions = candidates(box, size)
        hidden = overlap(positions, boxes) / np.maximum(area(boxes), 1.0)
        free = inside(positions, width, height) & (overlap(positions, placed).sum(axis=1) == 0) & (hidden.max(axis=1) <= HIDDEN)
        free &= ~covers(positions, lines).any(axis=1)
        free &= [not covers(placed, line_points(position, box)).any() for position in positions]
        if not free.any():
            return None
        cost = hidden.sum(axis=1) + 2.0 * distance(positions, box) / size[1] + 0.01 * np.arange(len(positions))
        best = np.where(free, cost, np.inf).argmin()
        placed = np.concatenate([placed, positions[best][None]])
        lines = np.concatenate([lines, line_points(positions[best], box)])
    return placed


def candidates(box: np.ndarray, size: np.ndarray) -> np.ndarray:
    """(K, 4) positions of one plate, the liked ones first: above, below, inside, beside the box, then shifted away from it."""
    (x1, y1, x2, y2), (w, h) = box, size
    corners = [(x1, y1 - h), (x2 - w, y1 - h), (x1, y2), (x2 - w, y2), (x1, y1), (x2 - w, y1), (x1, y2 - h), (x2 - w, y2 - h),
               (x2, y1), (x2, y2 - h), (x1 - w, y1), (x1 - w, y2 - h)]
    for ring in RINGS:
        gap = ring * h
        for x in np.linspace(x1 - w - gap, x2 + gap, 7):
            corners += [(x, y1 - h - gap), (x, y2 + gap)]
        for y in np.linspace(y1 - h - gap, y2 + gap, 5)[1:-1]:
            corners += [(x1 - w - gap, y), (x2 + gap, y)]
    corners = np.array(corners)
    return np.concatenate([corners, corners + size], axis=1)


def inside(positions: np.ndarray, width: int, height: int) -> np.ndarray:
    """(K,) bool: the rectangle lies wholly on the canvas."""
    return (positions[:, :2] >= 0).all(axis=1) & (positions[:, 2] <= width) & (positions[:, 3] <= height)


def overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(K, N) areas that rectangles a (K, 4) and b (N, 4) share."""
    upper_left = np.maximum(a[:, None, :2], b[None, :, :2])
    lower_right = np.minimum(a[:, None, 2:], b[None, :, 2:])
    return np.clip(lower_right - upper_left, 0, None).prod(axis=2)


def area(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)


def distance(positions: np.ndarray, box: np.ndarray) -> np.ndarray:
    """(K,) gaps in pixels between rectangles and one box; 0 where they touch."""
    gap = np.maximum(np.maximum(box[:2] - positions[:, 2:], positions[:, :2] - box[2:]), 0)
    return np.hypot(gap[:, 0], gap[:, 1])


def leader(position: np.ndarray, box: np.ndarray) -> np.ndarray:
    """(2, 2) x, y of the ends of a short straight line from a plate to its box."""
    start = np.clip((box[:2] + box[2:]) / 2, position[:2], position[2:])
    return np.stack([start, np.clip(start, box[:2], box[2:])])


def line_points(position: np.ndarray, box: np.ndarray) -> np.ndarray:
    """(8, 2) points along the leader; none for a plate that touches its box."""
    if distance(position[None], box)[0] == 0:
        return np.zeros((0, 2))
    start, end = leader(position, box)
    return start + (end - start) * np.linspace(0.05, 1, 8)[:, None]


def covers(rectangles: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(K, P) bool: rectangle k holds point p."""
    return ((points > rectangles[:, None, :2]) & (points < rectangles[:, None, 2:])).all(axis=2)
