"""Which proposals of a caption image are used and which words they get (method section 4.3)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ovarnet.config import PseudoLabelSelection
from ovarnet.proposals.store import areas
from ovarnet.training.clip_attr.pseudo_labels import ScoredProposals

MIN_OBJECTNESS = 0.1
"""Proposals below are not used (method section 4.3)."""


@dataclass
class LabelledRegions:
    """Proposals of one image that are used at one visit. boxes: (R, 4). categories: (R, C),
    attributes: (R, A) bool, the positives. mentioned_attributes: (R, A) bool, what the caption says
    of each. is_named: (R,) bool, the caption names its category. category_logits, attribute_logits:
    the teacher's. R may be 0.
    """

    boxes: Tensor
    categories: Tensor
    attributes: Tensor
    mentioned_attributes: Tensor
    is_named: Tensor
    category_logits: Tensor
    attribute_logits: Tensor


def label_regions(
    taught: ScoredProposals,
    told_categories: Tensor,
    mentioned_attributes: Tensor,
    base_categories: Tensor,
    base_attributes: Tensor,
    rules: PseudoLabelSelection,
    draw: torch.Generator,
) -> LabelledRegions:
    """Draw up to `rules.max_proposals` proposals of which the teacher is sure what they are, those that
    the caption names first, and label them.

    told_categories: (C,) bool, words of the caption. mentioned_attributes: (C, A) bool, what the
    caption says of a thing of each category: a proposal is taken for the category the teacher finds
    best. base_categories, base_attributes: bool, seen words. A word is positive when the caption
    tells it and the teacher finds it likely (`rules.mentioned_probability`), or when it is a base word and the
    teacher is sure of it alone. A novel word is positive only where the caption tells it.
    """
    categories, attributes = (
        taught.category_logits.softmax(dim=1),
        taught.attribute_logits.sigmoid(),
    )
    usable = (areas(taught.boxes) > rules.min_area) & (taught.objectness > MIN_OBJECTNESS)
    best = categories.argmax(dim=1)
    mentioned_attributes, is_named = mentioned_attributes[best], told_categories[best]
    usable &= categories.amax(dim=1) > rules.category_probability
    rows = usable.nonzero().flatten()
    rows = rows[torch.randperm(len(rows), generator=draw)]
    rows = rows[is_named[rows].argsort(descending=True, stable=True)[: rules.max_proposals]]
    sure_of_category = (categories > rules.category_probability) & base_categories | (
        categories > rules.mentioned_probability
    ) & told_categories
    sure_of_attribute = (attributes > rules.attribute_probability) & base_attributes | (
        attributes > rules.mentioned_probability
    ) & mentioned_attributes
    return LabelledRegions(
        taught.boxes[rows],
        sure_of_category[rows],
        sure_of_attribute[rows],
        mentioned_attributes[rows],
        is_named[rows],
        taught.category_logits[rows],
        taught.attribute_logits[rows],
    )


def largest_region(taught: ScoredProposals, rules: PseudoLabelSelection) -> Tensor:
    """(1, 4): the largest proposal, which stands for the image; of those that are probably an
    object, when there is one.
    """
    size = areas(taught.boxes)
    likely = taught.objectness > MIN_OBJECTNESS
    return taught.boxes[(size * likely if likely.any() else size).argmax()][None]
