"""OvarNet as a function of tensors of regular shapes, for `torch.export` and ONNX.

Sides of tensors are read as `tensor.shape[i]` here and in the parts of the model: `len(tensor)` is
a plain number, which would fix that side for good.

N images, K regions found in an image, B boxes given for an image, C category words, A attribute
words, D width of the joint space.
"""

from __future__ import annotations

import copy
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovarnet.errors import InputError
from ovarnet.modeling.ovarnet import MIN_SIDE, OvarNet
from ovarnet.modeling.roi_heads import Features
from ovarnet.onnx.box_rows import best, clip_to_sizes, decoded, without_small
from ovarnet.onnx.roi_align import FixedRoiAlign
from ovarnet.onnx.same_padding import with_constant_padding
from ovarnet.onnx.selection import propose, refine


class Regions(NamedTuple):
    """The outputs; the K regions found come first, then the B given.

    Args:
        boxes: (N, K + B, 4) xyxy in pixels of the images given.
        objectness: (N, K + B) in [0, 1], 1 for a given box; `UNUSED`, -1, for a row without a box.
        embeddings: (N, K + B, D), not L2-normalised.
        category_scores: (N, K + B, C) in [0, 1].
        attribute_scores: (N, K + B, A) in [0, 1].
    """

    boxes: Tensor
    objectness: Tensor
    embeddings: Tensor
    category_scores: Tensor
    attribute_scores: Tensor


class RegionGraph(nn.Module):
    """Finds boxes, embeds them and given boxes, and scores words.

    Args:
        model: calibrated and without a linear probe; a copy of it is kept.

    Raises:
        InputError: a model whose scores are not a scale and a bias of cosines.
    """

    calibration: Tensor
    mean: Tensor
    std: Tensor

    def __init__(self, model: OvarNet):
        super().__init__()
        self.register_buffer("calibration", calibration_of(model))
        self.register_buffer("mean", torch.tensor(model.resize.image_mean).view(3, 1, 1))
        self.register_buffer("std", torch.tensor(model.resize.image_std).view(3, 1, 1))
        self.model = copy.deepcopy(model)
        with_constant_padding(self.model.backbone)
        self.model.head.add_module("align", FixedRoiAlign(model.head.align))
        stage = self.model.box_stage
        if stage is not None:
            stage.add_module("box_roi_pool", FixedRoiAlign(stage.box_roi_pool))
        self.eval()

    def forward(
        self,
        images: Tensor,
        sizes: Tensor,
        given_boxes: Tensor,
        category_words: Tensor,
        attribute_words: Tensor,
    ) -> Regions:
        """One pass.

        Args:
            images: (N, 3, H, W) float32 RGB in [0, 1], resized to the model's size and padded on
                the right and at the bottom, with any numbers; H and W multiples of 32.
            sizes: (N, 2) int64, height and width of each image without padding.
            given_boxes: (N, B, 4) float32 xyxy in pixels, to embed as they are; B may be 0.
            category_words: (C, D) float32 rows of unit length; C may be 0.
            attribute_words: (A, D), likewise.
        """
        model = self.model
        trunk = model.backbone.trunk_maps(self.normalised(images, sizes))
        features = Features(trunk, model.backbone.pyramid(trunk))
        found, objectness = propose(model.rpn, features.pyramid, sizes)
        if model.box_stage is not None:
            found, objectness = refine(model.box_stage, features.pyramid, found, objectness, sizes)
        found, objectness = best(found, objectness, model.proposals)

        # found and given boxes share one call of the head
        regions = torch.cat([found, given_boxes], dim=1)
        embeddings, deltas = model.head(features, [regions.flatten(0, 1)], [])
        embeddings = embeddings.view(*regions.shape[:2], -1)
        deltas = deltas.float().view(*regions.shape[:2], 4)[:, : model.proposals]

        found = decoded(model.box_coder, deltas, found)
        found = clip_to_sizes(found, sizes)
        objectness = without_small(found, objectness, MIN_SIDE)
        return Regions(
            torch.cat([found, given_boxes], dim=1),
            torch.cat([objectness, torch.ones_like(given_boxes[..., 0])], dim=1),
            embeddings,
            *self.scores(embeddings, category_words, attribute_words),
        )

    def normalised(self, images: Tensor, sizes: Tensor) -> Tensor:
        """Normalise; padding becomes 0, the mean colour."""
        height, width = sizes[:, :1, None], sizes[:, 1:, None]
        rows = torch.arange(images.shape[2], device=images.device)[None, :, None] < height
        columns = torch.arange(images.shape[3], device=images.device)[None, None] < width
        return (images - self.mean) / self.std * (rows & columns)[:, None]

    def scores(
        self, embeddings: Tensor, category_words: Tensor, attribute_words: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Probabilities of both kinds of word, as `TextClassifier` gives them."""
        regions = F.normalize(embeddings.float(), dim=-1)
        categories, attributes = (
            (scale * (regions @ words.T) + bias).sigmoid()
            for words, (scale, bias) in zip(
                (category_words, attribute_words), self.calibration, strict=True
            )
        )
        return categories, attributes


def calibration_of(model: OvarNet) -> Tensor:
    """Scale and bias of both kinds of word.

    Returns:
        (2, 2), in the order of `ovarnet.vocabulary.KINDS`.

    Raises:
        InputError: the model is not calibrated or has a linear probe.
    """
    classifier = model.classifier
    if classifier.probe is not None:
        raise InputError(
            "the model has a linear probe, which an ONNX file cannot hold; export the model that "
            "the probe was trained on"
        )
    if classifier.calibration.isnan().any():
        raise InputError("the model is not calibrated, so it has no scores to export; train it")
    return classifier.calibration.detach().clone()
