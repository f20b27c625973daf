"""Where the product is on its photo: the box that a shop's plain background leaves.

H and W are the photo's height and width in pixels. A studio photo needs no network: whatever
differs from the colour of the border is the product.
"""

from __future__ import annotations

import cv2
import numpy as np

RING = 3
"""Width in pixels of the border whose median colour is the background."""
DISTANCE = 12
"""Largest difference, in any channel of 8-bit Lab, of a background pixel."""
SMALLEST_PART = 0.02
"""Area of the smallest component that counts, as a share of the largest."""
PLAIN_RING = 0.8
"""Share of the border that must be background for the plain rule to hold."""
GRABCUT_SIDE = 256
GRABCUT_ROUNDS = 2
PADDING = 0.05
"""Share of the box's sides by which it grows on each side."""
AREAS = (0.01, 0.98)
"""Share of the photo that a mask may cover; outside, the whole photo is the box."""

Box = tuple[int, int, int, int]


def foreground_box(image: np.ndarray) -> Box:
    """Find the product on a photo.

    Args:
        image: (H, W, 3) uint8 RGB.

    Returns:
        x1, y1, x2, y2 in pixels, padded and clipped to the photo; the whole photo where the mask
        is degenerate (`AREAS`).
    """
    return mask_to_box(foreground_mask(image))


def foreground_mask(image: np.ndarray) -> np.ndarray:
    """Pixels of the product.

    The border's colour decides; on a background that is not plain, GrabCut does.

    Args:
        image: (H, W, 3) uint8 RGB.

    Returns:
        (H, W) bool.
    """
    mask, is_plain = _plain_mask(image)
    return mask if is_plain else _grabcut_mask(image)


def mask_to_box(mask: np.ndarray) -> Box:
    """The padded box around the large components of a mask.

    Args:
        mask: (H, W) bool.

    Returns:
        As `foreground_box`.
    """
    height, width = mask.shape
    whole = (0, 0, width, height)
    low, high = AREAS
    if not low <= mask.mean() <= high:
        return whole

    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    parts = stats[1:]  # the first is the background
    areas = parts[:, cv2.CC_STAT_AREA]
    parts = parts[areas >= SMALLEST_PART * areas.max()]
    left, top = parts[:, cv2.CC_STAT_LEFT], parts[:, cv2.CC_STAT_TOP]
    x1, y1 = left.min(), top.min()
    x2 = (left + parts[:, cv2.CC_STAT_WIDTH]).max()
    y2 = (top + parts[:, cv2.CC_STAT_HEIGHT]).max()
    pad_x, pad_y = PADDING * (x2 - x1), PADDING * (y2 - y1)
    return (
        max(0, round(x1 - pad_x)),
        max(0, round(y1 - pad_y)),
        min(width, round(x2 + pad_x)),
        min(height, round(y2 + pad_y)),
    )


def _plain_mask(image: np.ndarray) -> tuple[np.ndarray, bool]:
    """Pixels unlike the border's median colour, and whether most of the border is alike."""
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.int16)
    border = np.ones(image.shape[:2], bool)
    border[RING:-RING, RING:-RING] = False
    background = np.median(lab[border], axis=0)
    differs = np.abs(lab - background).max(axis=2) > DISTANCE
    is_plain = 1 - differs[border].mean() >= PLAIN_RING
    opened = cv2.morphologyEx(differs.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return opened.astype(bool), bool(is_plain)


def _grabcut_mask(image: np.ndarray) -> np.ndarray:
    """GrabCut of the reduced photo, whose border is background."""
    height, width = image.shape[:2]
    scale = min(1.0, GRABCUT_SIDE / max(height, width))
    small = cv2.resize(
        image,
        (max(1, round(width * scale)), max(1, round(height * scale))),
        interpolation=cv2.INTER_AREA,
    )
    if min(small.shape[:2]) <= 2 * RING:
        return np.ones((height, width), bool)
    marks = np.full(small.shape[:2], cv2.GC_BGD, np.uint8)
    marks[RING:-RING, RING:-RING] = cv2.GC_PR_FGD
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    cv2.grabCut(
        small, marks, (0, 0, 0, 0), background, foreground, GRABCUT_ROUNDS, cv2.GC_INIT_WITH_MASK
    )
    mask = (marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD)
    full = cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    return full.astype(bool)
