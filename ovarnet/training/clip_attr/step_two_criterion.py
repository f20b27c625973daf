"""Losses of step II (method section 4.4)."""

from __future__ import annotations

from dataclasses import asdict
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
from ovarnet.training.clip_attr.step_two_data import (
    CaptionBatch,
)

IMAGE_DIVISOR, REGION_DIVISOR = 10.0, 5.0
"""Logits of attributes not known to be wrong are divided by these: for the largest proposal, for
the others (method section 4.4)."""


class CaptionCriterion:
    """The nine terms of method section 4.4 and one of our own, each under its name in
    `CaptionLossWeights`; a term of weight 0 is not computed.

    loss: open_clip's symmetric InfoNCE. novel: (A,) bool, attributes that no box teaches.
    unmentioned_weight: see `CaptionTraining`.
    """

    def __init__(
        self,
        loss: ClipLoss,
        weights: CaptionLossWeights,
        novel: Tensor,
        unmentioned_weight: float = UNKNOWN_WEIGHT,
    ):
        self.loss, self.weights, self.novel = loss, weights, novel
        self.unmentioned_weight = unmentioned_weight

    def __call__(
        self,
        images: Tensor,
        texts: CaptionTexts,
        image_logits: tuple[Tensor, Tensor],
        region_logits: tuple[Tensor, Tensor],
        bias: Tensor,
        batch: CaptionBatch,
    ) -> dict[str, Tensor]:
        """images: (N, D) unit embeddings of the largest proposals. image_logits, region_logits: z
        of categories and of attributes, each with the learned `bias` (a number) that sigmoids need.
        A softmax does without it, and must where logits are divided: dividing exp(theta) cos
        weakens a text, dividing what a bias of -10 has made negative would strengthen it.
        """
        (image_categories, image_attributes), (region_categories, region_attributes) = (
            image_logits,
            region_logits,
        )
        terms = {
            "image_caption": lambda: self.loss(images, texts.captions, texts.scale),
            "image_phrase": lambda: self.loss(images, texts.phrases[texts.first], texts.scale),
            "image_phrases": lambda: mil_nce(texts.scale * images @ texts.phrases.T, texts.owns),
            "image_attributes": lambda: mil_nce(
                image_attributes - bias,
                batch.image_attributes,
                ~batch.image_attributes,
                IMAGE_DIVISOR,
            ),
            "image_categories": lambda: mil_nce(image_categories - bias, batch.image_categories),
            "region_attributes": lambda: mil_nce(
                region_attributes - bias,
                batch.region_attributes,
                ~batch.region_attributes,
                REGION_DIVISOR,
            ),
            "region_categories": lambda: mil_nce(region_categories - bias, batch.region_categories),
            "mentioned_attributes": lambda: mentioned_loss(
                *(
                    part[batch.region_named][:, self.novel]
                    for part in (region_attributes, batch.region_mentioned)
                ),
                self.unmentioned_weight,
            ),
            "distil_attributes": lambda: kl_divergence(region_attributes, batch.teacher_attributes),
            "distil_categories": lambda: kl_divergence(region_categories, batch.teacher_categories),
        }
        weights = asdict(self.weights)
        return {name: weights[name] * term() for name, term in terms.items() if weights[name]}


class CaptionTexts:
    """Embeddings of a batch's captions (N, D) and distinct phrases (P, D), unit length.

    first: (N,) row of the phrase drawn for each image. owns: (N, P) bool, which phrases an image's
    caption has. Phrases that read alike are one row, so that in `image_phrases` another image's
    equal phrase is no negative.
    """

    def __init__(
        self, clip: Clip, prompts: PhrasePrompts, batch: CaptionBatch, terms: CaptionLossWeights
    ):
        self.scale = clip.logit_scale.exp()
        self.captions = (
            F.normalize(clip.encode_text(batch.captions, truncate=True).float(), dim=-1)
            if terms.image_caption
            else None
        )
        self.phrases = None
        if terms.image_phrase or terms.image_phrases:
            rows = {
                phrase: row
                for row, phrase in enumerate(dict.fromkeys(chain.from_iterable(batch.phrases)))
            }
            self.phrases = prompts.encode(clip, list(rows))
            self.first = torch.tensor(
                [rows[phrases[0]] for phrases in batch.phrases], device=self.phrases.device
            )
            self.owns = torch.zeros(len(batch.phrases), len(rows), dtype=torch.bool)
            for owned, phrases in zip(self.owns, batch.phrases, strict=True):
                owned[[rows[phrase] for phrase in phrases]] = True
            self.owns = self.owns.to(self.phrases.device)
