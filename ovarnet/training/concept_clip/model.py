"""The head of a `ConceptClip` with its losses.

N crops, K concepts, A base attributes, D the joint embedding width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovarnet.config import ConceptLossWeights
from ovarnet.losses.federated import attribute_loss
from ovarnet.modeling.clip.clip import Clip
from ovarnet.training.concept_clip.data import ConceptBatch
from ovarnet.training.concept_clip.texts import joint_embeddings

INITIAL_BIAS = -3.0
"""Of the attributes' logits; most labels are negative."""
SMALLEST_DEVIATION = 1e-3


class ConceptModel(nn.Module):
    """Trains the image tower's head and the learned half of the text projection.

    Args:
        clip: A `ConceptClip`; both encoders are frozen.
        concepts: (K, T, t) features of the concepts' names.
        attributes: (A, T, t) features of the base attributes.
        captions: (M, 1, t) features of all captions.
        weights: Of the losses.
        classifier_share: See `ConceptClipTraining`.
    """

    concepts: Tensor
    attributes: Tensor
    captions: Tensor

    def __init__(
        self,
        clip: Clip,
        concepts: Tensor,
        attributes: Tensor,
        captions: Tensor,
        weights: ConceptLossWeights,
        classifier_share: float,
    ):
        super().__init__()
        clip.requires_grad_(False)
        tower = clip.model.visual
        self.head, self.projection = tower.head, clip.model.text.proj
        self.classifier = tower.trunk.net.classifier
        self.head.requires_grad_(True)
        self.projection.requires_grad_(True)
        self.scale = clip.logit_scale.requires_grad_(True)
        self.attribute_scale = nn.Parameter(self.scale.detach().clone())
        self.attribute_bias = nn.Parameter(torch.tensor(INITIAL_BIAS))
        self.register_buffer("concepts", concepts, persistent=False)
        self.register_buffer("attributes", attributes, persistent=False)
        self.register_buffer("captions", captions, persistent=False)
        self.weights, self.classifier_share = weights, classifier_share

    def forward(self, batch: ConceptBatch) -> dict[str, Tensor]:
        """The losses of a batch, by name."""
        answers = self.classifier(batch.pooled)
        logits = self.head.concept_logits(batch.features, answers)
        embeddings = self.head.join(
            self.head.concept_part(logits), self.head.appearance_part(batch.features)
        )
        counts = [
            len(batch.categories),
            len(batch.attributes),
            batch.background,
            len(batch.captions),
        ]
        detection, attribute, background, caption = range(4)
        embeddings_of, logits_of, answers_of = (
            rows.split(counts) for rows in (embeddings, logits, answers)
        )
        concepts = joint_embeddings(self.projection, self.concepts)
        return {
            "categories": self.weights.categories
            * self._concept_loss(
                embeddings_of[detection],
                logits_of[detection],
                self.targets(answers_of[detection], batch.categories),
                concepts,
            ),
            "attributes": self.weights.attributes
            * self._attribute_loss(embeddings_of[attribute], batch.attributes),
            "background": self.weights.background
            * self._concept_loss(
                embeddings_of[background],
                logits_of[background],
                self.targets(answers_of[background], None),
                concepts,
            ),
            "captions": self.weights.captions
            * self._caption_loss(embeddings_of[caption], batch.captions),
        }

    def targets(self, answers: Tensor, categories: Tensor | None) -> Tensor:
        """What the concepts' probabilities should be.

        Args:
            answers: (N, classes), the classifier's logits.
            categories: (N,) base columns; None: nothing is annotated.

        Returns:
            (N, K): the classifier's probabilities, and where a crop has a category a share of them
            beside that category's 1.
        """
        known = answers.softmax(dim=1)
        learned = known.new_zeros(len(known), len(self.concepts) - known.shape[1])
        if categories is None:
            return torch.cat([known, learned], dim=1)
        learned[torch.arange(len(learned)), categories] = 1 - self.classifier_share
        return torch.cat([self.classifier_share * known, learned], dim=1)

    def bound_scales(self) -> None:
        """Keep the temperatures within CLIP's limit; called after each step."""
        for scale in (self.scale, self.attribute_scale):
            scale.data.clamp_(0, 4.6)

    def _concept_loss(
        self, embeddings: Tensor, logits: Tensor, targets: Tensor, concepts: Tensor
    ) -> Tensor:
        """Cross-entropy of the concepts' logits, and of the cosines with their names."""
        if not len(embeddings):
            return embeddings.sum()
        by_name = self.scale.exp() * embeddings @ concepts.T
        used = logits[:, : targets.shape[1]]
        return F.cross_entropy(used, targets) + F.cross_entropy(by_name, targets)

    def _attribute_loss(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        words = joint_embeddings(self.projection, self.attributes)
        logits = self.attribute_scale.exp() * embeddings @ words.T + self.attribute_bias
        weights = logits.new_ones(logits.shape[1])
        return attribute_loss(logits, labels, weights, unknown_weight=0.0)

    def _caption_loss(self, embeddings: Tensor, captions: Tensor) -> Tensor:
        """Symmetric InfoNCE between photos and one caption of each."""
        if not len(captions):
            return embeddings.sum()
        texts = joint_embeddings(self.projection, self.captions[captions])
        logits = self.scale.exp() * embeddings @ texts.T
        own = torch.arange(len(logits), device=logits.device)
        return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2


@torch.no_grad()
def set_statistics(norm: nn.BatchNorm1d, features: Tensor) -> None:
    """Set mean and variance of a normalisation to those of features (N, width)."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    norm.running_mean.copy_(features.float().mean(dim=0))
    norm.running_var.copy_(features.float().var(dim=0).clamp(min=SMALLEST_DEVIATION**2))
