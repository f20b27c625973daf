"""CLIP-Attr, the two-stage model (method section 2): an offline proposer gives boxes, each crop
goes through CLIP, the text side scores it.

Accurate on new words and slow: one encoder pass for every crop.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.crops import crop_boxes
from ovarnet.modeling.predictor import Batch, Predictor, RegionEmbeddings
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.proposals.detector import Proposer
from ovarnet.structures import Proposals
from ovarnet.vocabulary import Vocabulary


class ClipAttr(Predictor):
    """clip: encodes the crops. classifier, vocabulary, and further settings: see `Predictor`.
    proposer: where boxes come from.

    crop_batch: crops encoded at once. proposals: how many of the best proposals are looked at in an
    image. Made in evaluation mode.
    """

    def __init__(
        self,
        clip: Clip,
        classifier: TextClassifier,
        proposer: Proposer,
        vocabulary: Vocabulary,
        *,
        crop_batch: int = 64,
        proposals: int = 100,
        **settings,
    ):
        super().__init__(classifier, vocabulary, **settings)
        self.clip, self.proposer = clip, proposer
        self.crop_batch, self.proposals = crop_batch, proposals
        self.eval()

    def regions(self, batch: Batch) -> list[RegionEmbeddings]:
        if batch.boxes is None:
            found = [
                proposals[: self.proposals]
                for proposals in self.proposer.propose(batch.images, batch.names)
            ]
        else:
            found = [Proposals(boxes, torch.ones(len(boxes))) for boxes in batch.boxes]
        embeddings = self.encode_boxes(batch.images, [proposals.boxes for proposals in found])
        return [
            RegionEmbeddings(proposals.boxes, proposals.scores, rows)
            for proposals, rows in zip(found, embeddings, strict=True)
        ]

    def encode_boxes(self, images: Sequence[Tensor], boxes: Sequence[Tensor]) -> list[Tensor]:
        """CLIP embeddings of boxes, by the deterministic crop rule.

        images: (3, H, W) float in [0, 1], of any sizes, on the model's device. boxes: (R, 4) for
        each, on the CPU. Returns (R, D) for each image, not L2-normalised. No more than
        `crop_batch` crops exist at a time, whatever images they are from.
        """
        counts = [len(rows) for rows in boxes]
        owners = torch.arange(len(counts)).repeat_interleave(
            torch.tensor(counts, dtype=torch.int64)
        )
        every_box = torch.cat([torch.zeros(0, 4), *boxes])
        mean, std, size = self.clip.mean, self.clip.std, self.clip.image_size
        embeddings = [torch.zeros(0, self.clip.embed_dim, device=self.device)]
        for start in range(0, len(every_box), self.crop_batch):
            part = slice(start, start + self.crop_batch)
            crops = [
                crop_boxes(images[i], every_box[part][owners[part] == i], size, mean, std)
                for i in owners[part].unique().tolist()
            ]
            embeddings.append(self.clip.encode_image(torch.cat(crops)))
        return list(torch.cat(embeddings).split(counts))
