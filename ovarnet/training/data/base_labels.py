"""The base words of one kind, and what the annotated boxes say of each: what calibrations and
probes are fitted on.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ovarnet.structures import NEGATIVE, NO_CATEGORY, POSITIVE, UNKNOWN, Annotations
from ovarnet.vocabulary import Kind, Vocabulary, Word


def base_labels(
    kind: Kind, vocabulary: Vocabulary, images: Sequence[Annotations]
) -> tuple[list[Word], Tensor]:
    """K base words and labels (R, K) int8 of the R boxes of all images, in their order.

    A box of a category is negative for every other one; a box without a category may be of any, and
    is unknown for all.
    """
    words = vocabulary.of_kind(kind)
    seen = [column for column, word in enumerate(words) if word.seen]
    if kind == "category":
        categories = torch.cat([image.categories for image in images])
        labels = torch.where(categories[:, None] == torch.tensor(seen), POSITIVE, NEGATIVE).to(
            torch.int8
        )
        labels[categories == NO_CATEGORY] = UNKNOWN
    else:
        labels = torch.cat([image.attributes for image in images])[:, seen]
    return [words[column] for column in seen], labels
