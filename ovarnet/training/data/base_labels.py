"""Labels of the base words of one kind: what calibrations and probes are fitted to."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ovarnet.errors import InputError
from ovarnet.structures import NEGATIVE, NO_CATEGORY, POSITIVE, UNKNOWN, Annotations
from ovarnet.vocabulary import FIELDS, KINDS, Kind, Vocabulary, Word


def base_labels(
    kind: Kind, vocabulary: Vocabulary, images: Sequence[Annotations]
) -> tuple[list[Word], Tensor]:
    """Collect the base words of a kind and their labels.

    A box of a category is negative for every other one; a box without a category may be of any, and
    is unknown for all. Ignored boxes (crowd or difficult) are unknown for all words.

    Args:
        kind: "category" or "attribute".
        vocabulary: Whose columns the annotations have.
        images: Annotations with R boxes in all; at least one image.

    Returns:
        K words, and labels (R, K) int8 of POSITIVE / NEGATIVE / UNKNOWN, boxes in their order.

    Raises:
        InputError: A box of a novel category, or a label of a novel attribute.
    """
    words = vocabulary.of_kind(kind)
    columns = torch.tensor([word.seen for word in words], dtype=torch.bool).nonzero().flatten()
    novel = torch.tensor([not word.seen for word in words], dtype=torch.bool).nonzero().flatten()
    if kind == "category":
        categories = torch.cat([image.categories for image in images])
        is_mixed = torch.isin(categories, novel).any()
        is_right = categories[:, None] == columns
        labels = torch.where(is_right, POSITIVE, NEGATIVE).to(torch.int8)
        labels[categories == NO_CATEGORY] = UNKNOWN
    else:
        every = torch.cat([image.attributes for image in images])
        is_mixed = (every[:, novel] != UNKNOWN).any()
        labels = every[:, columns]
    if is_mixed:
        raise InputError(
            f"the data have labels of novel {FIELDS[KINDS.index(kind)]}; training may only see "
            "base words, as in split train"
        )
    labels[torch.cat([image.is_ignored for image in images])] = UNKNOWN
    return [word for word in words if word.seen], labels
