"""Where to put text plates so that they hide neither each other nor the objects they name.

Greedy: plates are placed in order; each takes the cheapest of a fixed set of positions around its
box. Rectangles are float arrays (..., 4) of x1, y1, x2, y2 in pixels of the canvas.
"""

from __future__ import annotations

import numpy as np

HIDDEN = 0.5  # the largest share of an object's box that a plate may hide
RINGS = (0.5, 1.0, 2.0)  # distances of shifted plates from their box, in plate heights


def place(boxes: np.ndarray, sizes: np.ndarray, width: int, height: int) -> np.ndarray | None:
    """Positions for N plates of `sizes` (N, 2) width, height beside their `boxes` (N, 4) on a
    canvas of width x height.

    Returns (N, 4) rectangles inside the canvas, or None when some plate finds no free place. No two
    of them overlap, and none lies on the line that leads from another one to its box.
    """
    if sizes.prod(axis=1).sum() > width * height:
        return None  # known at once, which takes long to find out with thousands of plates
    layout = Layout(boxes, width, height)
    for box, size in zip(boxes, sizes, strict=True):
        if not layout.add(candidates(box, size), box, size):
            return None
    return layout.placed


def place_some(
    boxes: np.ndarray, sizes: np.ndarray, width: int, height: int
) -> tuple[list[int], np.ndarray]:
    """As `place`, but plates without a free place are left out, and positions beyond the rim are
    moved onto the canvas.

    Returns which plates have a place, and their K rectangles (K, 4).
    """
    layout = Layout(boxes, width, height)
    kept = [
        index
        for index, (box, size) in enumerate(zip(boxes, sizes, strict=True))
        if layout.add(clamped(candidates(box, size), size, width, height), box, size)
    ]
    return kept, layout.placed


class Layout:
    """The plates placed so far, and points on the lines that lead to their boxes."""

    def __init__(self, boxes: np.ndarray, width: int, height: int):
        self.boxes, self.width, self.height = boxes, width, height
        self.placed, self.lines = np.zeros((0, 4)), np.zeros((0, 2))

    def add(self, positions: np.ndarray, box: np.ndarray, size: np.ndarray) -> bool:
        """Place one plate of `size` at the best free one of `positions`; False where none is
        free.
        """
        hidden = overlap(positions, self.boxes) / np.maximum(area(self.boxes), 1.0)
        free = inside(positions, self.width, self.height) & (
            overlap(positions, self.placed).sum(axis=1) == 0
        )
        free &= (hidden.max(axis=1) <= HIDDEN) & ~covers(positions, self.lines).any(axis=1)
        free &= [
            not covers(self.placed, line_points(position, box)).any() for position in positions
        ]
        if not free.any():
            return False
        cost = (
            hidden.sum(axis=1)
            + 2.0 * distance(positions, box) / size[1]
            + 0.01 * np.arange(len(positions))
        )
        best = np.where(free, cost, np.inf).argmin()
        self.placed = np.concatenate([self.placed, positions[best][None]])
        self.lines = np.concatenate([self.lines, line_points(positions[best], box)])
        return True


def candidates(box: np.ndarray, size: np.ndarray) -> np.ndarray:
    """(K, 4) positions of one plate, the liked ones first: above, below, inside, beside the box,
    then shifted away from it.
    """
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
    corners = np.array(corners)
    return np.concatenate([corners, corners + size], axis=1)


def clamped(positions: np.ndarray, size: np.ndarray, width: int, height: int) -> np.ndarray:
    """(K, 4) positions moved onto the canvas; a plate larger than the canvas still reaches beyond
    it.
    """
    corners = np.clip(positions[:, :2], 0, np.maximum((width, height) - size, 0))
    return np.concatenate([corners, corners + size], axis=1)


def inside(positions: np.ndarray, width: int, height: int) -> np.ndarray:
    """(K,) bool: the rectangle lies wholly on the canvas."""
    return (
        (positions[:, :2] >= 0).all(axis=1)
        & (positions[:, 2] <= width)
        & (positions[:, 3] <= height)
    )


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
