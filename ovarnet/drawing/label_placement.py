"""Where labels stand: plates that hide neither each other nor the objects they name.

Greedy: plates are placed in order; each takes the cheapest free one of a fixed set of positions
around its box. Rectangles are float arrays (..., 4) of x1, y1, x2, y2 in pixels of the canvas.
Letters: N boxes with one plate each, K positions, P points.
"""

from __future__ import annotations

import numpy as np

MAX_COVERED = 1 / 6
"""Share of the canvas that all plates together may cover: beyond it the image is hard to see."""
MAX_HIDDEN = 0.5
"""Share of an object's box that all plates together may hide."""
RINGS = (0.5, 1.0, 2.0)
"""Distances of shifted plates from their box, in plate heights."""


def place(boxes: np.ndarray, sizes: np.ndarray, width: int, height: int) -> np.ndarray | None:
    """Find a free place for every plate.

    Args:
        boxes: (N, 4) boxes on the canvas; N may be 0.
        sizes: (N, 2) width and height of their plates.
        width: of the canvas, in pixels.
        height: of the canvas, in pixels.

    Returns:
        (N, 4) rectangles inside the canvas, no two of which overlap and none of which lies on the
        line from another one to its box. None when some plate finds no free place, or when together
        they would cover more than `MAX_COVERED` of the canvas.
    """
    if sizes.prod(axis=1).sum() > MAX_COVERED * width * height:
        return None
    layout = Layout(boxes, width, height)
    for box, size in zip(boxes, sizes, strict=True):
        if not layout.add(candidates(box, size), box, size):
            return None
    return layout.placed


def place_some(
    boxes: np.ndarray, sizes: np.ndarray, width: int, height: int
) -> tuple[list[int], np.ndarray]:
    """As `place`, but for as many plates as find room, whatever they cover.

    Positions beyond the rim are moved onto the canvas.

    Returns:
        The indices of the K plates that have a place, and their rectangles (K, 4).
    """
    layout = Layout(boxes, width, height)
    kept = [
        index
        for index, (box, size) in enumerate(zip(boxes, sizes, strict=True))
        if layout.add(clamped(candidates(box, size), size, width, height), box, size)
    ]
    return kept, layout.placed


class Layout:
    """The plates placed so far, points on the lines to their boxes, and what they hide."""

    def __init__(self, boxes: np.ndarray, width: int, height: int):
        self.boxes, self.width, self.height = boxes, width, height
        self.placed, self.lines = np.zeros((0, 4)), np.zeros((0, 2))
        self.hidden = np.zeros(len(boxes))

    def add(self, positions: np.ndarray, box: np.ndarray, size: np.ndarray) -> bool:
        """Place one plate of `size` at the cheapest free one of `positions`, if one is free."""
        hides = overlap(positions, self.boxes) / np.maximum(area(self.boxes), 1.0)

        # Free: on the canvas, clear of other plates and lines, and its own line clear of plates.
        free = inside(positions, self.width, self.height)
        free &= overlap(positions, self.placed).sum(axis=1) == 0
        free &= (self.hidden + hides).max(axis=1) <= MAX_HIDDEN
        free &= ~covers(positions, self.lines).any(axis=1)
        free &= [
            not covers(self.placed, line_points(position, box)).any() for position in positions
        ]
        if not free.any():
            return False

        # Cheap: hides little, stands close to its box, early in the list of positions.
        cost = (
            hides.sum(axis=1)
            + 2.0 * distance(positions, box) / size[1]
            + 0.01 * np.arange(len(positions))
        )
        best = np.where(free, cost, np.inf).argmin()
        self.placed = np.concatenate([self.placed, positions[best][None]])
        self.lines = np.concatenate([self.lines, line_points(positions[best], box)])
        self.hidden += hides[best]
        return True


def candidates(box: np.ndarray, size: np.ndarray) -> np.ndarray:
    """(K, 4) positions of one plate, best first: above, below, in, beside the box, then away."""
    (x1, y1, x2, y2), (w, h) = box, size
    corners = [
        (x1, y1 - h),
        (x2 - w, y1 - h),
        (x1, y2),
        (x2 - w, y2),
        (x1, y1),
        (x2 - w, y1),
        (x1, y2 - h),
        (x2 - w, y2 - h),
        (x2, y1),
        (x2, y2 - h),
        (x1 - w, y1),
        (x1 - w, y2 - h),
    ]
    for ring in RINGS:
        gap = ring * h
        for x in np.linspace(x1 - w - gap, x2 + gap, 7):
            corners += [(x, y1 - h - gap), (x, y2 + gap)]
        for y in np.linspace(y1 - h - gap, y2 + gap, 5)[1:-1]:
            corners += [(x1 - w - gap, y), (x2 + gap, y)]
    upper_left = np.array(corners)
    return np.concatenate([upper_left, upper_left + size], axis=1)


def clamped(positions: np.ndarray, size: np.ndarray, width: int, height: int) -> np.ndarray:
    """(K, 4) positions moved onto the canvas; a plate larger than it still reaches beyond."""
    corners = np.clip(positions[:, :2], 0, np.maximum((width, height) - size, 0))
    return np.concatenate([corners, corners + size], axis=1)


def inside(positions: np.ndarray, width: int, height: int) -> np.ndarray:
    """(K,) bool: the rectangle lies wholly on the canvas."""
    x1, y1, x2, y2 = positions.T
    return (x1 >= 0) & (y1 >= 0) & (x2 <= width) & (y2 <= height)


def overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(K, N) areas that rectangles a (K, 4) and b (N, 4) share."""
    upper_left = np.maximum(a[:, None, :2], b[None, :, :2])
    lower_right = np.minimum(a[:, None, 2:], b[None, :, 2:])
    return np.clip(lower_right - upper_left, 0, None).prod(axis=2)


def area(boxes: np.ndarray) -> np.ndarray:
    """(N,) areas."""
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
    x, y = points.T
    x1, y1, x2, y2 = rectangles.T[:, :, None]
    return (x > x1) & (y > y1) & (x < x2) & (y < y2)
