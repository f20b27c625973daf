"""A CLIP with the losses and the queues of the stage "catalogue_clip".

N products of a batch, C concepts, D the joint embedding width, t the width of the sentence encoder.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ovarnet.catalogue.losses.contrastive import contrastive_loss
from ovarnet.catalogue.losses.prototypes import prototype_loss
from ovarnet.catalogue.modeling.concepts import PrototypeQueues, TextBank
from ovarnet.catalogue.training.clip.data import ProductBatch
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.clip.concept_tower import CropFeatures
from ovarnet.training.concept_clip.texts import text_features


class WholeClip(nn.Module):
    """Both towers of a CLIP, trained on pixels and tokens.

    Args:
        clip: Is trained in place.
        texts: All texts of the stage; over-long ones are cut before the end token.
    """

    def __init__(self, clip: Clip, texts: Sequence[str]):
        super().__init__()
        self.clip = clip
        tower = clip.require_text_tower()
        self.sequences = [tower.whole(tokens) for tokens in tower.tokenize(texts)]
        self.scale = clip.logit_scale

    def images(self, pixels: Tensor) -> Tensor:
        """(N, 3, S, S) -> (N, D) unit vectors."""
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        return F.normalize(self.clip.encode_image(pixels), dim=-1)

    def texts(self, rows: Tensor) -> Tensor:
        """(N,) rows of the texts -> (N, D) unit vectors."""
        sequences = [self.sequences[row] for row in rows.tolist()]
        return F.normalize(self.clip.encode_sequences(sequences), dim=-1)


class PhotoHead(nn.Module):
    """The head and the text projection of a photo CLIP, whose encoders are frozen.

    Args:
        clip: A `ConceptClip`; head and projection are trained in place.
        texts: All texts of the stage; their features are computed here.
    """

    features: Tensor

    def __init__(self, clip: Clip, texts: Sequence[str]):
        super().__init__()
        clip.requires_grad_(False)
        tower = clip.model.visual
        self.head, self.projection = tower.head, clip.model.text.proj
        self.classifier = tower.trunk.net.classifier
        for trained in (self.head, self.projection, clip.logit_scale):
            trained.requires_grad_(True)
        self.scale = clip.logit_scale
        self.pooled_width: int = tower.trunk.features
        self.register_buffer("features", text_features(clip, texts), persistent=False)

    def images(self, features: Tensor) -> Tensor:
        """(N, F + M) -> (N, D) unit vectors."""
        pooled, mid = features[:, : self.pooled_width], features[:, self.pooled_width :]
        return self.head(CropFeatures(pooled, mid), self.classifier(pooled))

    def texts(self, rows: Tensor) -> Tensor:
        """(N,) rows of the texts -> (N, D) unit vectors."""
        text = self.features[rows]
        learned = F.normalize(self.projection.appearance(text), dim=-1)
        return F.normalize(torch.cat([text, learned], dim=1), dim=-1)


class CatalogueClipModel(nn.Module):
    """Encoders with queues; its forward gives the losses of a batch.

    Args:
        encoders: Photos and texts -> unit vectors.
        concepts: C.
        width: D.
        prototypes: Share of the loss.
        neighbours: Share of the loss.
        queue: Texts in the bank of nearest neighbours.
    """

    def __init__(
        self,
        encoders: WholeClip | PhotoHead,
        *,
        concepts: int,
        width: int,
        prototypes: float,
        neighbours: float,
        queue: int,
    ):
        super().__init__()
        self.encoders = encoders
        self.prototypes, self.neighbours = prototypes, neighbours
        self.image_queues = PrototypeQueues(concepts if prototypes else 0, width)
        self.text_queues = PrototypeQueues(concepts if prototypes else 0, width)
        self.bank = TextBank(queue if neighbours else 0, width)

    def forward(self, batch: ProductBatch) -> dict[str, Tensor]:
        """The losses of a batch, by name; then its features join the queues."""
        images, texts = self.encoders.images(batch.photos), self.encoders.texts(batch.texts)
        scale = self.encoders.scale.exp()
        same = (batch.groups[:, None] == batch.groups) | (batch.texts[:, None] == batch.texts)
        rest = 1 - self.prototypes - self.neighbours
        losses = {"contrastive": rest * contrastive_loss(images, texts, same, scale)}
        if self.prototypes:
            losses["prototypes"] = self.prototypes * self._prototype_loss(
                images, texts, batch.mentions, scale
            )
        if self.neighbours:
            losses["neighbours"] = self.neighbours * self._neighbour_loss(
                images, texts, same, scale
            )
        self._enqueue(images, texts, batch.mentions)
        return losses

    @torch.no_grad()
    def bound_scale(self) -> None:
        """Keep the temperature within CLIP's limit; called after each step."""
        self.encoders.scale.clamp_(0, 4.6)

    def _prototype_loss(
        self, images: Tensor, texts: Tensor, mentions: Tensor, scale: Tensor
    ) -> Tensor:
        """Photos against prototypes of texts, and texts against prototypes of photos."""
        of_texts, of_images = self.text_queues, self.image_queues
        return (
            prototype_loss(images, of_texts.prototypes(), mentions, of_texts.usable, scale)
            + prototype_loss(texts, of_images.prototypes(), mentions, of_images.usable, scale)
        ) / 2

    def _neighbour_loss(self, images: Tensor, texts: Tensor, same: Tensor, scale: Tensor) -> Tensor:
        """Photos against the stored neighbours of their texts; 0 until the bank is full."""
        if not self.bank.is_full:
            return images.sum() * 0
        return contrastive_loss(images, self.bank.nearest(texts), same, scale)

    def _enqueue(self, images: Tensor, texts: Tensor, mentions: Tensor) -> None:
        if self.prototypes:
            self.image_queues.enqueue(images, mentions)
            self.text_queues.enqueue(texts, mentions)
        if self.neighbours:
            self.bank.enqueue(texts)
