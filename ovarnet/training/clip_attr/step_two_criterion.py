"""Losses of step II (method section 4.4).

N images, R proposals beside the largest of each, P distinct phrases, C category words, A attribute
words, D embedding width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from itertools import chain

import torch
from open_clip.loss import ClipLoss
from torch import Tensor
from torch.nn import functional as F

from ovarnet.config import CaptionLossWeights
from ovarnet.losses.distillation import kl_divergence
from ovarnet.losses.federated import UNKNOWN_WEIGHT, mentioned_loss
from ovarnet.losses.mil_nce import mil_nce
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.text.phrase_prompts import PhrasePrompts
from ovarnet.training.clip_attr.step_two_data import CaptionBatch

IMAGE_DIVISOR, REGION_DIVISOR = 10.0, 5.0
"""Logits of attributes not known to be wrong are divided by these: for the largest proposal, for
the others (method section 4.4)."""
TEXT_TERMS = ("image_caption", "image_phrase", "image_phrases")
"""Terms between images and what their captions say, in which no word has a label."""


def text_terms(weights: CaptionLossWeights) -> CaptionLossWeights:
    """The weights with those of all other terms set to 0."""
    return replace(weights, **{name: 0.0 for name in asdict(weights) if name not in TEXT_TERMS})


@dataclass
class TextEmbeddings:
    """Captions and phrases of a batch, encoded.

    Phrases that read alike are one row, so that in the term `image_phrases` an equal phrase of
    another image is no negative.

    Attributes:
        scale: () exp(theta).
        captions: (N, D) float32, unit length; empty where no term needs them.
        phrases: (P, D) float32, unit length; empty where no term needs them.
        first: (N,) int64, row of the phrase drawn for each image; empty without phrases.
        is_own: (N, P) bool, the image's caption has the phrase; empty without phrases.
    """

    scale: Tensor
    captions: Tensor
    phrases: Tensor
    first: Tensor
    is_own: Tensor

    @classmethod
    def encode(
        cls,
        clip: Clip,
        prompts: PhrasePrompts | None,
        batch: CaptionBatch,
        weights: CaptionLossWeights,
    ) -> TextEmbeddings:
        """Encode what the terms with a weight need, with gradient.

        Args:
            clip: Encodes captions and phrases.
            prompts: Of the phrases; None where no term needs phrases.
            batch: Captions and phrases of N images.
            weights: Of the terms.
        """
        scale, captions = clip.logit_scale.exp(), torch.zeros(0, clip.embed_dim)
        if weights.image_caption:
            captions = F.normalize(clip.encode_text(batch.captions, truncate=True).float(), dim=-1)
        if prompts is None:
            none = torch.zeros(0, dtype=torch.int64)
            return cls(scale, captions, torch.zeros(0, clip.embed_dim), none, none.bool()[:, None])

        rows = {
            phrase: row
            for row, phrase in enumerate(dict.fromkeys(chain.from_iterable(batch.phrases)))
        }
        phrases = prompts.encode(clip, list(rows))
        first = torch.tensor([rows[phrases[0]] for phrases in batch.phrases])
        is_own = torch.zeros(len(batch.phrases), len(rows), dtype=torch.bool)
        for owned, own_phrases in zip(is_own, batch.phrases, strict=True):
            owned[[rows[phrase] for phrase in own_phrases]] = True
        return cls(scale, captions, phrases, first.to(phrases.device), is_own.to(phrases.device))


class CaptionCriterion:
    """The nine terms of method section 4.4 and one of this package.

    Each has its name in `CaptionLossWeights`; a term of weight 0 is not computed.

    Args:
        contrastive_loss: open_clip's symmetric InfoNCE, over all processes.
        weights: Of the terms.
        is_novel: (A,) bool, attributes without box labels.
        unmentioned_weight: See `CaptionTraining`.
    """

    def __init__(
        self,
        contrastive_loss: ClipLoss,
        weights: CaptionLossWeights,
        is_novel: Tensor,
        unmentioned_weight: float = UNKNOWN_WEIGHT,
    ):
        self.contrastive_loss, self.weights = contrastive_loss, weights
        self.is_novel, self.unmentioned_weight = is_novel, unmentioned_weight

    def of_texts(self) -> CaptionCriterion:
        """The terms that may choose among the weights of a run: in the others, words have labels.

        Pseudo-labels and mentioned words are of novel words too, which have no label in a choice.
        """
        return CaptionCriterion(
            self.contrastive_loss,
            text_terms(self.weights),
            self.is_novel,
            self.unmentioned_weight,
        )

    def __call__(
        self,
        images: Tensor,
        texts: TextEmbeddings,
        image_logits: tuple[Tensor, Tensor],
        region_logits: tuple[Tensor, Tensor],
        bias: Tensor,
        batch: CaptionBatch,
    ) -> dict[str, Tensor]:
        """Compute the terms of a batch.

        Args:
            images: (N, D) float32 embeddings of the largest proposals, unit length.
            texts: Of the captions.
            image_logits: z of the largest proposals: (N, C) and (N, A).
            region_logits: z of the others: (R, C) and (R, A).
            bias: () b, which z contains.
            batch: Positives, and the logits of the step I model.

        Returns:
            Weighted scalars by the names of the terms.
        """
        # Sigmoids need the bias. A softmax does not change with it, unless logits are divided:
        # dividing exp(theta) cos weakens a text, but dividing what a bias of -10 has made negative
        # would strengthen it.
        image_categories, image_attributes = (z - bias for z in image_logits)
        region_categories, region_attributes = (z - bias for z in region_logits)
        named = batch.region_named

        terms: dict[str, Callable[[], Tensor]] = {
            "image_caption": lambda: self.contrastive_loss(images, texts.captions, texts.scale),
            "image_phrase": lambda: self.contrastive_loss(
                images, texts.phrases[texts.first], texts.scale
            ),
            "image_phrases": lambda: mil_nce(texts.scale * images @ texts.phrases.T, texts.is_own),
            "image_attributes": lambda: mil_nce(
                image_attributes, batch.image_attributes, ~batch.image_attributes, IMAGE_DIVISOR
            ),
            "image_categories": lambda: mil_nce(image_categories, batch.image_categories),
            "region_attributes": lambda: mil_nce(
                region_attributes, batch.region_attributes, ~batch.region_attributes, REGION_DIVISOR
            ),
            "region_categories": lambda: mil_nce(region_categories, batch.region_categories),
            "mentioned_attributes": lambda: mentioned_loss(
                region_logits[1][named][:, self.is_novel],
                batch.region_mentioned[named][:, self.is_novel],
                self.unmentioned_weight,
            ),
            "distil_attributes": lambda: kl_divergence(region_logits[1], batch.teacher_attributes),
            "distil_categories": lambda: kl_divergence(region_logits[0], batch.teacher_categories),
        }
        weights = asdict(self.weights)
        return {name: weights[name] * term() for name, term in terms.items() if weights[name]}
