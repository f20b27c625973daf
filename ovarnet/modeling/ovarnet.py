"""OvarNet, the one-stage model (method section 5): one pass of CLIP's image encoder over the whole
image, class-agnostic boxes, a pooled embedding for each, and the text embeddings of any words to
score them with.

N images, R regions of an image, D width of the joint space. The "batch frame" is the image resized
for the backbone.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torchvision.models.detection._utils import BoxCoder
from torchvision.models.detection.transform import resize_boxes
from torchvision.ops import clip_boxes_to_image, remove_small_boxes

from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.region_model import RegionEmbeddings, RegionModel
from ovarnet.modeling.resize import DetectorResize
from ovarnet.modeling.roi_heads import Features, RoiHead
from ovarnet.modeling.rpn import RegionProposalNetwork
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.structures import Proposals
from ovarnet.vocabulary import Vocabulary

DELTA_WEIGHTS = (10.0, 10.0, 5.0, 5.0)
"""Box deltas are divided by standard deviations .1, .1, .2, .2."""
MIN_SIDE = 1.0


class OvarNet(RegionModel):
    """clip: for its text tower alone, see `text_tower_only`. classifier, vocabulary, further
    settings: see `RegionModel`.

    backbone: `ResnetPyramid` or `VitPyramid`. proposals: region proposals pooled per image. Made in
    evaluation mode.
    """

    def __init__(
        self,
        clip: Clip,
        classifier: TextClassifier,
        vocabulary: Vocabulary,
        *,
        backbone: nn.Module,
        rpn: RegionProposalNetwork,
        head: RoiHead,
        resize: DetectorResize,
        proposals: int = 100,
    ):
        super().__init__(classifier, vocabulary)
        self.clip, self.backbone, self.rpn, self.head, self.resize, self.proposals = (
            clip,
            backbone,
            rpn,
            head,
            resize,
            proposals,
        )
        self.box_coder = BoxCoder(DELTA_WEIGHTS)
        self.eval()

    def forward(
        self,
        images: Sequence[Tensor],
        boxes: Sequence[Tensor] | None = None,
        names: Sequence[str | None] | None = None,  # noqa: ARG002
    ) -> list[RegionEmbeddings]:
        """Images that are padded to the same size share a pass, so what is found in one does not
        depend on its neighbours.
        """
        same_size = defaultdict(list)
        for index, image in enumerate(images):
            same_size[self.resize.padded(*image.shape[1:])].append(index)
        found: dict[int, RegionEmbeddings] = {}
        for indices in same_size.values():
            given = None if boxes is None else [boxes[i] for i in indices]
            found |= zip(indices, self._one_pass([images[i] for i in indices], given), strict=True)
        return [found[index] for index in range(len(images))]

    def _one_pass(self, images: list[Tensor], boxes: list[Tensor] | None) -> list[RegionEmbeddings]:
        pixels, sizes, original = self.preprocess(images)
        features = self.extract_features(pixels)
        if boxes is not None:  # embedded as they are, never refined
            in_frame = [
                resize_boxes(rows.to(self.device), *frames)
                for rows, *frames in zip(boxes, original, sizes, strict=True)
            ]
            embeddings, _ = self.pool(features, in_frame, sizes)
            return [
                RegionEmbeddings(rows, torch.ones(len(rows)), vectors)
                for rows, vectors in zip(boxes, embeddings, strict=True)
            ]
        boxes, objectness = self.select_proposals(features, sizes)
        embeddings, deltas = self.pool(features, boxes, sizes)
        return [
            self._refined(*parts)
            for parts in zip(boxes, objectness, embeddings, deltas, sizes, original, strict=True)
        ]

    @torch.no_grad()
    def propose(
        self, images: Sequence[Tensor], names: Sequence[str | None] | None = None
    ) -> list[Proposals]:
        """As in `Proposer`: the boxes of the model's own region proposal
        network, before they are refined.
        """
        return [self._proposed(image) for image in images]

    def _proposed(self, image: Tensor) -> Proposals:
        pixels, sizes, original = self.preprocess([image])
        boxes, objectness = self.select_proposals(self.extract_features(pixels), sizes)
        return Proposals(resize_boxes(boxes[0], sizes[0], original[0]).cpu(), objectness[0].cpu())

    # The steps of one pass; training goes through them too

    def preprocess(
        self, images: Sequence[Tensor]
    ) -> tuple[Tensor, list[tuple[int, int]], list[tuple[int, int]]]:
        """Images (3, H, W) in [0, 1] -> the batch, normalised, resized and padded; height and width
        of each in it, and before.
        """
        batch, _ = self.resize([image.to(self.device) for image in images])
        return batch.tensors, batch.image_sizes, [tuple(image.shape[1:]) for image in images]

    def extract_features(self, pixels: Tensor) -> Features:
        """The one pass of the image encoder. No gradient is kept through a trunk that does not
        learn.
        """
        learns = next(self.backbone.trunk.parameters()).requires_grad
        with torch.set_grad_enabled(learns and torch.is_grad_enabled()):
            trunk = self.backbone.trunk_maps(pixels)
        return Features(trunk, self.backbone.pyramid(trunk))

    def select_proposals(
        self, features: Features, sizes: list[tuple[int, int]]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """The best `proposals` boxes (R, 4) in the batch frame and their objectness (R,), for each
        image, best first.
        """
        boxes, objectness = self.rpn.propose(self.rpn(features.pyramid), sizes)
        return [rows[: self.proposals] for rows in boxes], [
            rows[: self.proposals] for rows in objectness
        ]

    def pool(
        self, features: Features, boxes: list[Tensor], sizes: list[tuple[int, int]]
    ) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Boxes in the batch frame -> for each image embeddings (R, D), not normalised, and box
        deltas (R, 4).
        """
        embeddings, deltas = self.head(features, boxes, sizes)
        counts = [len(rows) for rows in boxes]
        return embeddings.split(counts), deltas.split(counts)

    def detector_parts(self) -> nn.ModuleDict:
        """Everything that is OvarNet's own: backbone, RPN and head, the same modules as here."""
        return nn.ModuleDict({"backbone": self.backbone, "rpn": self.rpn, "head": self.head})

    def _refined(
        self,
        boxes: Tensor,
        objectness: Tensor,
        embeddings: Tensor,
        deltas: Tensor,
        size: tuple[int, int],
        original: tuple[int, int],
    ) -> RegionEmbeddings:
        """Boxes moved by the deltas, within the image, in pixels of the original; those that shrink
        to nothing are dropped.
        """
        boxes = clip_boxes_to_image(self.box_coder.decode_single(deltas, boxes), size)
        kept = remove_small_boxes(boxes, MIN_SIDE)
        return RegionEmbeddings(
            resize_boxes(boxes[kept], size, original), objectness[kept], embeddings[kept]
        )


def text_tower_only(clip: Clip) -> Clip:
    """A copy of `clip` without its image tower: what OvarNet keeps of CLIP, once the backbone has
    its own copy of that tower.
    """
    visual, clip.model.visual = clip.model.visual, nn.Identity()
    try:
        return copy.deepcopy(clip)
    finally:
        clip.model.visual = visual
