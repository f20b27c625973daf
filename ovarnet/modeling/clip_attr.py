"""CLIP-Attr, the two-stage model (method section 2).

An offline proposer gives boxes, each crop goes through CLIP, the text side scores it. Accurate on
new words and slow: one encoder pass for every crop.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.clip.concept_tower import ConceptTower
from ovarnet.modeling.crops import crop_boxes
from ovarnet.modeling.proposer import Proposer
from ovarnet.modeling.region_model import RegionEmbeddings, RegionModel
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.structures import Proposals
from ovarnet.vocabulary import Vocabulary

CROP_BATCH = 64
"""Crops encoded at once."""

PROPOSALS = 100
"""The best proposals of an image, which are embedded."""


class ClipAttr(RegionModel):
    """The two-stage model; made in evaluation mode.

    Args:
        clip: encodes the crops.
        classifier: see `RegionModel`.
        proposer: where boxes come from when none are given.
        vocabulary: see `RegionModel`.
        crop_batch: crops encoded at once.
        proposals: how many of the best proposals are embedded per image.
    """

    def __init__(
        self,
        clip: Clip,
        classifier: TextClassifier,
        proposer: Proposer,
        vocabulary: Vocabulary,
        *,
        crop_batch: int = CROP_BATCH,
        proposals: int = PROPOSALS,
    ):
        super().__init__(classifier, vocabulary)
        self.clip = clip
        self.proposer = proposer
        self.crop_batch = crop_batch
        self.proposals = proposals
        if isinstance(clip.model.visual, ConceptTower):
            classifier.compare_by_reach(clip.model.visual.head)
        self.eval()

    def forward(
        self,
        images: Sequence[Tensor],
        boxes: Sequence[Tensor] | None = None,
        names: Sequence[str | None] | None = None,
        min_objectness: float = 0.0,
    ) -> list[RegionEmbeddings]:
        """Embed the crops of given or proposed boxes, see `RegionModel.forward`.

        The images must be on the model's device.
        """
        if boxes is None:
            best = [
                proposals[: self.proposals] for proposals in self.proposer.propose(images, names)
            ]
            found = [proposals[proposals.scores >= min_objectness] for proposals in best]
        else:
            found = [Proposals(rows, torch.ones(len(rows))) for rows in boxes]
        embeddings = encode_boxes(
            self.clip, images, [proposals.boxes for proposals in found], batch=self.crop_batch
        )
        return [
            RegionEmbeddings(proposals.boxes, proposals.scores, rows)
            for proposals, rows in zip(found, embeddings, strict=True)
        ]


def encode_boxes(
    clip: Clip, images: Sequence[Tensor], boxes: Sequence[Tensor], *, batch: int = CROP_BATCH
) -> list[Tensor]:
    """Encode boxes of images by the deterministic crop rule (method section 2.2).

    Args:
        clip: encodes the crops.
        images: N tensors (3, H, W), float in [0, 1], of any sizes, on the device of `clip`.
        boxes: N tensors (R, 4), xyxy in pixels of their image; R may be 0.
        batch: most crops that exist at a time, whatever images they are from.

    Returns:
        N tensors (R, D), not L2-normalised.
    """
    counts = [len(rows) for rows in boxes]
    owners = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts, dtype=torch.int64))
    every_box = torch.cat([torch.zeros(0, 4), *(rows.cpu() for rows in boxes)])

    embeddings = [torch.zeros(0, clip.embed_dim, device=clip.device)]
    for start in range(0, len(every_box), batch):
        part = slice(start, start + batch)
        crops = [
            crop_boxes(
                images[i], every_box[part][owners[part] == i], clip.image_size, clip.mean, clip.std
            )
            for i in owners[part].unique().tolist()
        ]
        embeddings.append(clip.encode_image(torch.cat(crops)))
    return list(torch.cat(embeddings).split(counts))


def encode_crops(clip: Clip, crops: Tensor, *, batch: int = CROP_BATCH) -> Tensor:
    """Encode crops (R, 3, S, S) -> (R, D), not L2-normalised, `batch` at a time; R may be 0."""
    return torch.cat([clip.encode_image(part) for part in crops.split(batch)])
