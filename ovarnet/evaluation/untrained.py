"""Untrained models and random inputs to time: seconds do not depend on the weights.

BatchNorm is calibrated so that activations keep a usual size. A random RPN proposes nonsense, so
the models pool given boxes. Letters: R boxes, D width of the joint space.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torchvision.models.detection import FasterRCNN, fasterrcnn_resnet50_fpn

from ovarnet.build import build_ovarnet
from ovarnet.config import OvarnetDesign
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.clip_attr import ClipAttr
from ovarnet.modeling.ovarnet import OvarNet
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.prompts import TemplatePrompts
from ovarnet.modeling.text.word_embeddings import WordEmbeddings
from ovarnet.proposals.detector import DetectorProposer
from ovarnet.vocabulary import KINDS, Kind, Vocabulary

SMALLEST_BOX, LARGEST_BOX = 0.05, 0.5
"""Sides of the random boxes, as shares of the image's."""
SCALE, BIAS = 10.0, -2.0
"""Calibration of the untrained classifiers."""


def random_boxes(count: int, height: int, width: int) -> Tensor:
    """(count, 4) xyxy boxes within an image of height x width pixels, always the same ones."""
    draw = torch.rand(4, count, generator=torch.Generator().manual_seed(0))
    sides = SMALLEST_BOX + (LARGEST_BOX - SMALLEST_BOX) * draw[:2]
    x, y = draw[2] * (1 - sides[0]) * width, draw[3] * (1 - sides[1]) * height
    return torch.stack([x, y, x + sides[0] * width, y + sides[1] * height], dim=1)


def random_words(count: int, width: int, kind: Kind, device: torch.device) -> WordEmbeddings:
    """Embeddings of `count` words in `width` dimensions, always the same ones."""
    draw = torch.randn(count, width, generator=torch.Generator().manual_seed(1))
    matrix = nn.functional.normalize(draw, dim=1).to(device)
    return WordEmbeddings(matrix, torch.arange(count, device=device), count, kind)


@torch.no_grad()
def calibrate(module: nn.Module, forward: Callable[[], object]) -> None:
    """Set the running statistics of all BatchNorm layers to those of one pass.

    Args:
        module: holds the layers, which are left in eval mode.
        forward: runs the pass.
    """
    layers = [layer for layer in module.modules() if isinstance(layer, _BatchNorm)]
    for layer in layers:
        layer.train()
        layer.momentum = None  # the mean over all passes, of which there is one
        layer.num_batches_tracked = torch.zeros((), dtype=torch.long)
    forward()
    for layer in layers:
        layer.eval()


def untrained_pair(
    clip: Clip, proposer: DetectorProposer, vocabulary: Vocabulary, design: OvarnetDesign
) -> tuple[ClipAttr, OvarNet]:
    """CLIP-Attr and OvarNet with the image tower of `clip`, calibrated, as is the proposer.

    Args:
        clip: random weights; its BatchNorm layers are calibrated in place.
        proposer: of CLIP-Attr; calibrated in place.
        vocabulary: of both models.
        design: of OvarNet.
    """
    size = clip.image_size
    calibrate(proposer, lambda: proposer.propose([torch.rand(3, size, size)], [None]))
    ovarnet = untrained_ovarnet(clip, design, vocabulary)
    clip_attr = ClipAttr(clip, TextClassifier(clip, _templates()), proposer, vocabulary)
    for kind in KINDS:
        clip_attr.classifier.calibrate(kind, SCALE, BIAS)
    return clip_attr, ovarnet


def untrained_ovarnet(
    clip: Clip, design: OvarnetDesign, vocabulary: Vocabulary | None = None
) -> OvarNet:
    """OvarNet with the image tower of `clip`.

    Args:
        clip: random weights; its BatchNorm layers are calibrated in place.
        design: of the model.
        vocabulary: of the model; None: no words.
    """
    size = clip.image_size
    pixels = clip.normalise(torch.rand(2, 3, size, size))
    calibrate(clip, lambda: clip.encode_image(pixels))
    ovarnet = build_ovarnet(clip, _templates, clip, vocabulary or Vocabulary(), design)
    for kind in KINDS:
        ovarnet.classifier.calibrate(kind, SCALE, BIAS)
    return ovarnet


def _templates(_: Clip | None = None) -> TemplatePrompts:
    return TemplatePrompts(["a photo of a {}"], ["a photo of a {} object"])


def untrained_faster_rcnn(height: int, width: int, boxes: int) -> FasterRCNN:
    """The fasterrcnn_resnet50_fpn of torchvision, untrained and calibrated.

    Args:
        height: of the images, in pixels; they are not resized.
        width: of the images, in pixels.
        boxes: proposals, and detections, per image.
    """
    short, long = sorted((height, width))
    detector = fasterrcnn_resnet50_fpn(
        weights=None,
        weights_backbone=None,
        min_size=short,
        max_size=long,
        rpn_post_nms_top_n_test=boxes,
        box_detections_per_img=boxes,
    ).eval()
    calibrate(detector, lambda: detector.backbone(torch.rand(1, 3, 224, 224)))
    return detector
