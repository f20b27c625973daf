"""RoIAlign over several maps with outputs of a fixed size, which graphs for export need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torchvision.ops import MultiScaleRoIAlign, roi_align


class FixedRoiAlign(nn.Module):
    """As `MultiScaleRoIAlign`, for the same number of boxes in every image.

    torchvision's picks the boxes of each map, whose number depends on the data. This one pools all
    boxes from every map and keeps what belongs to each.

    Args:
        align: with strides stated, see `ovarnet.modeling.roi_heads.roi_pool`.
    """

    def __init__(self, align: MultiScaleRoIAlign):
        super().__init__()
        assert align.scales is not None
        assert align.map_levels is not None
        self.names, self.scales = align.featmap_names, align.scales
        self.map_levels = align.map_levels
        self.output_size, self.sampling_ratio = align.output_size, align.sampling_ratio

    def forward(
        self,
        maps: Mapping[str, Tensor],
        boxes: Sequence[Tensor],
        sizes: Sequence[tuple[int, int]],  # noqa: ARG002 (torchvision guesses strides from it)
    ) -> Tensor:
        """Pool boxes.

        Args:
            maps: of N images, by name.
            boxes: one tensor (N * R, 4), the R boxes of the first image, then of the second, ...
            sizes: not used.

        Returns:
            (N * R, C, S, S).
        """
        (rows,) = boxes
        levels = [maps[name] for name in self.names]
        images = levels[0].shape[0]
        owners = torch.arange(images, device=rows.device)[:, None].expand(
            -1, rows.shape[0] // images
        )
        regions = torch.cat([owners.reshape(-1, 1).to(rows), rows], dim=1)
        pooled = [
            roi_align(level, regions, self.output_size, scale, self.sampling_ratio)
            for level, scale in zip(levels, self.scales, strict=True)
        ]
        if len(pooled) == 1:
            return pooled[0]
        belongs = self.map_levels([rows])[:, None, None, None]
        result = pooled[0]
        for number, cells in enumerate(pooled[1:], start=1):
            result = torch.where(belongs == number, cells, result)
        return result
