"""Crops of boxes for the CLIP image tower (method section 2.2).

A box is enlarged about its centre and resized with its aspect kept; padding is zero after
normalisation. Letters: R boxes, S side of the square crop in pixels. Boxes are xyxy in pixels of
the image given. The geometry is computed in float64 on the CPU, so that a box falls on the same
whole pixels whatever the device.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def crop_boxes(
    image: Tensor,
    boxes: Tensor,
    size: int,
    mean: Sequence[float],
    std: Sequence[float],
    enlarge: float = 0.05,
) -> Tensor:
    """Deterministic crops, at inference and for pseudo-labels.

    Each box is grown by the factor 1 + enlarge, clipped to the image, rounded to whole pixels (at
    least one), resized with its aspect kept so that the longer side is S, normalised, and centred
    in zeros.

    Args:
        image: (3, H, W) float in [0, 1].
        boxes: (R, 4); R may be 0.
        size: S.
        mean: of CLIP, 3 numbers.
        std: of CLIP, 3 numbers.
        enlarge: share by which a box grows.

    Returns:
        (R, 3, S, S) on the device of `image`.
    """
    regions = whole_pixels(enlarge_boxes(boxes, enlarge), *image.shape[1:])
    return _resize_and_pad(image, regions, size, mean, std)


def random_crop_boxes(
    image: Tensor,
    boxes: Tensor,
    size: int,
    mean: Sequence[float],
    std: Sequence[float],
    generator: torch.Generator,
    *,
    enlarge: tuple[float, float] = (0.0, 0.2),
    keep: float = 0.9,
) -> Tensor:
    """Augmented crops, for training.

    Each box is grown by 1 + U[enlarge] (same factor for both sides), clipped, cut at random to
    U[keep, 1] of its width and, independently, of its height, and mirrored half of the time.

    Args:
        image: as in `crop_boxes`.
        boxes: as in `crop_boxes`.
        size: as in `crop_boxes`.
        mean: as in `crop_boxes`.
        std: as in `crop_boxes`.
        generator: a CPU generator.
        enlarge: range of the share by which a box grows.
        keep: smallest share of each side that is kept.

    Returns:
        (R, 3, S, S) on the device of `image`.
    """
    draws = torch.rand(len(boxes), 6, generator=generator, dtype=torch.float64)
    grown = enlarge_boxes(boxes, enlarge[0] + (enlarge[1] - enlarge[0]) * draws[:, :1])
    clipped = _clip(grown, *image.shape[1:])
    regions = whole_pixels(
        _sub_crop(clipped, keep + (1 - keep) * draws[:, 1:3], draws[:, 3:5]), *image.shape[1:]
    )
    crops = _resize_and_pad(image, regions, size, mean, std)
    mirrored = (draws[:, 5] < 0.5).to(crops.device)
    return torch.where(mirrored[:, None, None, None], crops.flip(-1), crops)


def enlarge_boxes(boxes: Tensor, enlarge: float | Tensor) -> Tensor:
    """Grow boxes about their centres.

    Args:
        boxes: (R, 4).
        enlarge: the share by which they grow, a number or (R, 1).

    Returns:
        (R, 4) float64 on the CPU, not clipped.
    """
    boxes = boxes.detach().to("cpu", torch.float64)
    centre, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    half = half * (1 + enlarge)
    return torch.cat([centre - half, centre + half], dim=1)


def whole_pixels(boxes: Tensor, height: int, width: int) -> Tensor:
    """Clip boxes to the image and round them to whole pixels, at least one wide and one high.

    Args:
        boxes: (R, 4).
        height: of the image.
        width: of the image.

    Returns:
        (R, 4) int64.
    """
    boxes = _clip(boxes, height, width).round().long()
    limits = torch.tensor([width, height])
    top_left = torch.minimum(boxes[:, :2], limits - 1)
    return torch.cat([top_left, torch.maximum(boxes[:, 2:], top_left + 1)], dim=1)


def _clip(boxes: Tensor, height: int, width: int) -> Tensor:
    return torch.minimum(
        boxes.clamp(min=0), torch.tensor([width, height, width, height], dtype=boxes.dtype)
    )


def _sub_crop(boxes: Tensor, share: Tensor, place: Tensor) -> Tensor:
    """Keep `share` (R, 2) of each side; `place` (R, 2) in [0, 1] says where, 0 = left / top."""
    sides = boxes[:, 2:] - boxes[:, :2]
    top_left = boxes[:, :2] + place * (1 - share) * sides
    return torch.cat([top_left, top_left + share * sides], dim=1)


def _resize_and_pad(
    image: Tensor, regions: Tensor, size: int, mean: Sequence[float], std: Sequence[float]
) -> Tensor:
    """Whole-pixel regions (R, 4) int64 -> (R, 3, S, S), normalised and centred in zeros."""
    crops = image.new_zeros(len(regions), 3, size, size)
    centre, spread = (image.new_tensor(list(values))[:, None, None] for values in (mean, std))
    for crop, (x1, y1, x2, y2) in zip(crops, regions.tolist(), strict=True):
        height, width = _fitted(y2 - y1, x2 - x1, size)
        top, left = (size - height) // 2, (size - width) // 2
        pixels = F.interpolate(
            image[None, :, y1:y2, x1:x2], (height, width), mode="bilinear", antialias=True
        )[0]
        crop[:, top : top + height, left : left + width] = (pixels - centre) / spread
    return crops


def _fitted(height: int, width: int, size: int) -> tuple[int, int]:
    """Scale both sides by one factor so that the longer is `size`; at least one pixel each."""
    longer = max(height, width)
    return max(1, round(height * size / longer)), max(1, round(width * size / longer))
