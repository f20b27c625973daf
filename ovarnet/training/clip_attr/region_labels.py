"""Which proposals of a caption image are used at a visit, and which words they get.

Method section 4.3. P scored proposals of an image, R of them used, C category words, A attribute
words.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ovarnet.config import PseudoLabelSelection
from ovarnet.proposals.store import areas
from ovarnet.training.clip_attr.pseudo_labels import ScoredProposals
from ovarnet.vocabulary import Vocabulary

MIN_OBJECTNESS = 0.1
"""Proposals below are not used (method section 4.3)."""


@dataclass
class MentionedWords:
    """Words of one caption.

    Attributes:
        categories: (C,) bool.
        attributes: (A,) bool.
        attributes_of: (C, A) bool, attributes that the caption gives to an object of a category.
    """

    categories: Tensor
    attributes: Tensor
    attributes_of: Tensor


@dataclass
class LabelledRegions:
    """Proposals that are used, and their words; R may be 0.

    Attributes:
        boxes: (R, 4) float32 xyxy, pixels of the image.
        categories: (R, C) bool, the positives.
        attributes: (R, A) bool, the positives.
        mentioned_attributes: (R, A) bool, attributes that the caption gives to the region.
        is_named: (R,) bool, the caption names the region's category.
        category_logits: (R, C) float32 of the step I model.
        attribute_logits: (R, A) float32 of the step I model.
    """

    boxes: Tensor
    categories: Tensor
    attributes: Tensor
    mentioned_attributes: Tensor
    is_named: Tensor
    category_logits: Tensor
    attribute_logits: Tensor


def label_regions(
    scored: ScoredProposals,
    mentioned: MentionedWords,
    words: Vocabulary,
    selection: PseudoLabelSelection,
    generator: torch.Generator,
) -> LabelledRegions:
    """Draw proposals whose category is known with confidence, and label them.

    A base word is positive where the step I model is confident of it, or where the caption mentions
    it and the model finds it likely; a novel word in the second way alone.

    Args:
        scored: Proposals and logits of the step I model, columns of `words`.
        mentioned: Words of the caption. A proposal counts as an object of its best category.
        words: C category words and A attribute words.
        selection: Thresholds, and how many proposals at most.
        generator: On the CPU; decides which proposals are drawn.

    Returns:
        Proposals whose category the caption names first, then others.
    """
    categories = scored.category_logits.softmax(dim=1)
    attributes = scored.attribute_logits.sigmoid()
    best = categories.argmax(dim=1)
    mentioned_attributes, is_named = mentioned.attributes_of[best], mentioned.categories[best]

    # a wrong category would attach the caption's attributes to a wrong object
    is_usable = (areas(scored.boxes) > selection.min_area) & (scored.objectness > MIN_OBJECTNESS)
    is_usable &= categories.amax(dim=1) > selection.category_probability

    # a random order, in which those that the caption names come first
    rows = is_usable.nonzero().flatten()
    rows = rows[torch.randperm(len(rows), generator=generator)]
    rows = rows[is_named[rows].argsort(descending=True, stable=True)[: selection.max_proposals]]

    # only base words can be positive without being mentioned: novel ones have no other evidence
    likely = selection.mentioned_probability
    is_category = (categories > selection.category_probability) & words.category_seen
    is_category |= (categories > likely) & mentioned.categories
    is_attribute = (attributes > selection.attribute_probability) & words.attribute_seen
    is_attribute |= (attributes > likely) & mentioned_attributes
    return LabelledRegions(
        boxes=scored.boxes[rows],
        categories=is_category[rows],
        attributes=is_attribute[rows],
        mentioned_attributes=mentioned_attributes[rows],
        is_named=is_named[rows],
        category_logits=scored.category_logits[rows],
        attribute_logits=scored.attribute_logits[rows],
    )


def largest_region(scored: ScoredProposals) -> Tensor:
    """Return the box (1, 4) that stands for the image.

    It is the largest of the probable objects, or of all proposals where none is probable.
    """
    size = areas(scored.boxes)
    is_likely = scored.objectness > MIN_OBJECTNESS
    return scored.boxes[(size * is_likely if is_likely.any() else size).argmax()][None]
