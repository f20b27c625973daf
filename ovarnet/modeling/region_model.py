"""The contract of `ClipAttr` and `OvarNet`: images and boxes in, embedded regions out.

R regions of an image, D width of the joint space.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ovarnet.modeling.post_processing import NMS_IOU
from ovarnet.modeling.score_calibration import ScoreCalibration
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.vocabulary import Vocabulary

THRESHOLD = 0.3
"""Lowest detection score shown, for a model that none was chosen for."""


class RegionEmbeddings(NamedTuple):
    """The regions of one image.

    Args:
        boxes: (R, 4) float32 xyxy, pixels of the image given. R may be 0.
        objectness: (R,) float32 in [0, 1]; 1 for a given box.
        embeddings: (R, D), not L2-normalised.
    """

    boxes: Tensor
    objectness: Tensor
    embeddings: Tensor


class RegionModel(nn.Module):
    """Embeds regions of images and holds the text side that scores them.

    Args:
        classifier: scores region embeddings against words.
        vocabulary: words of the model's training, with parent types and base / novel flags.

    Attributes:
        threshold: lowest detection score of the boxes worth showing, chosen on validation images;
            the command line's default.
        nms_iou: of boxes found with the same best category that overlap by more, the best is kept;
            chosen with the threshold.
        settings: what the config.yaml of its checkpoint says; empty where there is none.
        score_calibration: makes scores of found boxes probabilities, fitted to validation images.
    """

    threshold: float = THRESHOLD
    nms_iou: float = NMS_IOU
    settings: Mapping[str, Any] = MappingProxyType({})
    score_calibration: ScoreCalibration = ScoreCalibration()

    def __init__(self, classifier: TextClassifier, vocabulary: Vocabulary):
        super().__init__()
        self.classifier = classifier
        self.vocabulary = vocabulary

    def forward(
        self,
        images: Sequence[Tensor],
        boxes: Sequence[Tensor] | None = None,
        names: Sequence[str | None] | None = None,
        min_objectness: float = 0.0,
    ) -> list[RegionEmbeddings]:
        """Embed the given boxes of each image, or find boxes and embed those.

        Args:
            images: N tensors (3, H, W), float32 RGB in [0, 1], of any sizes.
            boxes: N tensors (R, 4), xyxy in pixels of their image and within it; R may be 0. None:
                boxes are found.
            names: file of each image, or None; read by proposers that look boxes up.
            min_objectness: boxes found with less are left out, before they are embedded if that
                saves time; given boxes all come back.

        Returns:
            N `RegionEmbeddings`, independent of which images share the call. Given boxes all come
            back, unchanged and in their order.
        """
        raise NotImplementedError

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device
