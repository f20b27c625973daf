"""OvarNet, the one-stage model (method section 5).

One pass of CLIP's image encoder over the whole image, class-agnostic boxes, a pooled embedding for
each, and the text embeddings of any words to score them with.

N images, R regions of an image, D width of the joint space. The "batch frame" is the image resized
for the backbone.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torchvision.models.detection._utils import BoxCoder
from torchvision.models.detection.transform import resize_boxes
from torchvision.ops import clip_boxes_to_image, remove_small_boxes

from ovarnet.modeling.box_stage import BoxStage
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.concept_roi_head import ConceptStages
from ovarnet.modeling.region_model import RegionEmbeddings, RegionModel
from ovarnet.modeling.resize import DetectorResize
from ovarnet.modeling.resnet_pyramid import ResnetPyramid
from ovarnet.modeling.roi_heads import Features, RoiHead
from ovarnet.modeling.rpn import RegionProposalNetwork
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.vit_pyramid import VitPyramid
from ovarnet.structures import Proposals
from ovarnet.vocabulary import Vocabulary

DELTA_WEIGHTS = (10.0, 10.0, 5.0, 5.0)
"""Box deltas are divided by standard deviations .1, .1, .2, .2."""
MIN_SIDE = 1.0
"""Refined boxes with a smaller side in the batch frame are dropped."""


class OvarNet(RegionModel):
    """The one-stage model; made in evaluation mode.

    It is its own proposer: `propose` returns the boxes of its RPN.

    Args:
        clip: for its text tower alone, see `text_tower_only`.
        classifier: see `RegionModel`.
        vocabulary: see `RegionModel`.
        backbone: trunk and feature pyramid.
        rpn: proposes class-agnostic boxes on the pyramid.
        head: pools regions.
        resize: brings images to the batch frame.
        box_stage: a class-agnostic stage that scores and refines the RPN's boxes once more before
            any is embedded; None: there is none, as in the paper.
        proposals: region proposals pooled per image.
    """

    provenance = "the region proposal network of an OvarNet"

    def __init__(
        self,
        clip: Clip,
        classifier: TextClassifier,
        vocabulary: Vocabulary,
        *,
        backbone: ResnetPyramid | VitPyramid,
        rpn: RegionProposalNetwork,
        head: RoiHead,
        resize: DetectorResize,
        box_stage: BoxStage | None = None,
        proposals: int = 100,
    ):
        super().__init__(classifier, vocabulary)
        self.clip = clip
        self.backbone = backbone
        self.rpn = rpn
        self.head = head
        self.resize = resize
        self.box_stage = box_stage
        self.proposals = proposals
        self.box_coder = BoxCoder(DELTA_WEIGHTS)
        if isinstance(head.cells, ConceptStages):
            classifier.compare_by_reach(head.cells.head)
        self.eval()

    def forward(
        self,
        images: Sequence[Tensor],
        boxes: Sequence[Tensor] | None = None,
        names: Sequence[str | None] | None = None,  # noqa: ARG002 (read by other models)
        min_objectness: float = 0.0,
    ) -> list[RegionEmbeddings]:
        """Embed given boxes, or those the model finds, see `RegionModel.forward`.

        Images that are padded to the same size share a pass, so what is found in one does not
        depend on its neighbours.
        """
        found: dict[int, RegionEmbeddings] = {}
        for indices in self.resize.same_size(images):
            batch = [images[i] for i in indices]
            regions = (
                self._found(batch, min_objectness)
                if boxes is None
                else self._given(batch, [boxes[i] for i in indices])
            )
            found |= zip(indices, regions, strict=True)
        return [found[index] for index in range(len(images))]

    def _given(self, images: list[Tensor], boxes: list[Tensor]) -> list[RegionEmbeddings]:
        """Given boxes are embedded as they are, never refined."""
        pixels, sizes, original = self.preprocess(images)
        in_frame = [
            resize_boxes(rows.to(self.device), *frames)
            for rows, *frames in zip(boxes, original, sizes, strict=True)
        ]
        embeddings, _ = self.pool(self.extract_features(pixels), in_frame, sizes)
        return [
            RegionEmbeddings(rows, torch.ones(len(rows)), vectors)
            for rows, vectors in zip(boxes, embeddings, strict=True)
        ]

    def _found(self, images: list[Tensor], min_objectness: float) -> list[RegionEmbeddings]:
        pixels, sizes, original = self.preprocess(images)
        features = self.extract_features(pixels)
        boxes, objectness = self.select_proposals(features, sizes)
        kept = [scores >= min_objectness for scores in objectness]
        boxes = [rows[used] for rows, used in zip(boxes, kept, strict=True)]
        objectness = [scores[used] for scores, used in zip(objectness, kept, strict=True)]
        embeddings, deltas = self.pool(features, boxes, sizes)
        return [
            self._refined(*parts)
            for parts in zip(boxes, objectness, embeddings, deltas, sizes, original, strict=True)
        ]

    @torch.no_grad()
    def propose(
        self,
        images: Sequence[Tensor],
        names: Sequence[str | None] | None = None,  # noqa: ARG002 (read by other proposers)
    ) -> list[Proposals]:
        """The boxes of the RPN before they are refined; see `Proposer.propose`."""
        return [self._proposed(image) for image in images]

    def _proposed(self, image: Tensor) -> Proposals:
        pixels, sizes, original = self.preprocess([image])
        boxes, objectness = self.select_proposals(self.extract_features(pixels), sizes)
        return Proposals(resize_boxes(boxes[0], sizes[0], original[0]).cpu(), objectness[0].cpu())

    # The steps of one pass; training goes through them too

    def preprocess(
        self, images: Sequence[Tensor]
    ) -> tuple[Tensor, list[tuple[int, int]], list[tuple[int, int]]]:
        """Normalise, resize and pad images into a batch.

        Args:
            images: N tensors (3, H, W) in [0, 1].

        Returns:
            The batch (N, 3, H', W'); height and width of each image in it, without padding; and
            height and width of each image before.
        """
        batch, _ = self.resize([image.to(self.device) for image in images])
        original = [(image.shape[1], image.shape[2]) for image in images]
        return batch.tensors, batch.image_sizes, original

    def extract_features(self, pixels: Tensor) -> Features:
        """The one pass of the image encoder, without gradient through a frozen trunk."""
        learns = next(self.backbone.trunk.parameters()).requires_grad
        with torch.set_grad_enabled(learns and torch.is_grad_enabled()):
            trunk = self.backbone.trunk_maps(pixels)
        return Features(trunk, self.backbone.pyramid(trunk))

    def select_proposals(
        self, features: Features, sizes: list[tuple[int, int]]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """The best `proposals` boxes of each image.

        Args:
            features: of N images.
            sizes: height and width of each image without padding.

        Returns:
            Boxes (R, 4) in the batch frame and their objectness (R,), for each image, best first.
        """
        boxes, objectness = self.rpn.propose(self.rpn(features.pyramid), sizes)
        if self.box_stage is not None:
            boxes, objectness = self.box_stage(features.pyramid, boxes, sizes)
        best = slice(self.proposals)
        return [rows[best] for rows in boxes], [rows[best] for rows in objectness]

    def pool(
        self, features: Features, boxes: list[Tensor], sizes: list[tuple[int, int]]
    ) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Pool regions.

        Args:
            features: of N images.
            boxes: N tensors (R, 4) in the batch frame; R may be 0.
            sizes: height and width of each image without padding.

        Returns:
            For each image embeddings (R, D), not L2-normalised, and box deltas (R, 4) float32.
        """
        embeddings, deltas = self.head(features, boxes, sizes)
        counts = [len(rows) for rows in boxes]
        return embeddings.split(counts), deltas.float().split(counts)

    def detector_parts(self) -> nn.ModuleDict:
        """What is OvarNet's own: backbone, RPN and head, the same modules as here."""
        parts = {"backbone": self.backbone, "rpn": self.rpn, "head": self.head}
        if self.box_stage is not None:
            parts["box_stage"] = self.box_stage
        return nn.ModuleDict(parts)

    def _refined(
        self,
        boxes: Tensor,
        objectness: Tensor,
        embeddings: Tensor,
        deltas: Tensor,
        size: tuple[int, int],
        original: tuple[int, int],
    ) -> RegionEmbeddings:
        """Apply the deltas, clip, and drop what has no size; in pixels of the original image."""
        boxes = clip_boxes_to_image(self.box_coder.decode_single(deltas, boxes), size)
        kept = remove_small_boxes(boxes, MIN_SIDE)
        return RegionEmbeddings(
            resize_boxes(boxes[kept], size, original), objectness[kept], embeddings[kept]
        )


def text_tower_only(clip: Clip) -> Clip:
    """Copy `clip` without its image tower.

    It is what OvarNet keeps of CLIP, once the backbone has its own copy of the image tower.
    """
    visual, clip.model.visual = clip.model.visual, nn.Identity()
    try:
        return copy.deepcopy(clip)
    finally:
        clip.model.visual = visual
