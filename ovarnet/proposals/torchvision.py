"""torchvision's COCO-pretrained Faster R-CNN as a class-agnostic proposer.

It was trained on boxes of all 80 COCO classes, so results with it are no open-vocabulary results on
COCO; it is there for photos when no base-only proposer is available.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights, fasterrcnn_resnet50_fpn
from torchvision.ops import nms

from ovarnet.checkpoint import check_finite
from ovarnet.errors import InputError
from ovarnet.modeling.clip.weights import read_state_dict
from ovarnet.modeling.resize import DetectorResize
from ovarnet.modeling.roi_heads import roi_pool
from ovarnet.proposals.detector import LIMIT, detect_independently, hub_folder
from ovarnet.structures import Proposals

WEIGHTS = FasterRCNN_ResNet50_FPN_Weights.COCO_V1
NMS_IOU = 0.7
"""Between boxes of whatever class."""


class TorchvisionProposer(nn.Module):
    """The detector without its classes; always in evaluation mode.

    Args:
        weights: the state dict of `fasterrcnn_resnet50_fpn` (COCO_V1); None: looked up in
            torchvision's cache. Nothing is downloaded.

    Raises:
        InputError: the file is missing, damaged, or not that detector's.
    """

    provenance = "torchvision fasterrcnn_resnet50_fpn COCO_V1: has seen all 80 COCO classes"

    def __init__(self, weights: str | Path | None = None):
        super().__init__()
        file = Path(weights) if weights else hub_folder() / WEIGHTS.url.rsplit("/", 1)[1]
        if not file.is_file():
            raise InputError(f"no detector weights at {file}; download {WEIGHTS.url} to that place")
        state = read_state_dict(file)
        check_finite(state, file)
        self.detector = fasterrcnn_resnet50_fpn(
            weights=None, weights_backbone=None, box_detections_per_img=3 * LIMIT
        )
        try:
            self.detector.load_state_dict(state)
        except RuntimeError:
            raise InputError(
                f"{file} is not torchvision's fasterrcnn_resnet50_fpn; download {WEIGHTS.url}"
            ) from None
        shipped = self.detector.transform
        self.detector.transform = DetectorResize(
            (800, 800), 1333, shipped.image_mean, shipped.image_std
        )
        self.detector.roi_heads.box_roi_pool = roi_pool({"0": 4, "1": 8, "2": 16, "3": 32})
        self.eval()

    @torch.no_grad()
    def propose(
        self,
        images: Sequence[Tensor],
        names: Sequence[str | None] | None = None,  # noqa: ARG002 (read by other proposers)
    ) -> list[Proposals]:
        """See `Proposer.propose`; objectness is the score of a box's class."""
        return [
            self._without_classes(found) for found in detect_independently(self.detector, images)
        ]

    def _without_classes(self, found: Proposals) -> Proposals:
        return found[nms(found.boxes, found.scores, NMS_IOU)[:LIMIT]]

    def train(self, mode: bool = True) -> TorchvisionProposer:  # noqa: ARG002
        """Stay in evaluation mode."""
        return super().train(False)
