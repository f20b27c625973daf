"""Attributes written as pairs of a name and a value, as CVAT, datumaro and FiftyOne have them."""

from __future__ import annotations

from collections.abc import Iterable

from ovarnet.data.fields import as_flag, as_number, as_word
from ovarnet.io.skipped import Skipped
from ovarnet.structures import NEGATIVE, POSITIVE

UNDEFINED = ("", "__undefined__")
"""Values that say nothing."""


def labels_of_values(
    pairs: Iterable[tuple[object, object]], item: str, skipped: Skipped
) -> dict[str, int]:
    """The labels of one box.

    Args:
        pairs: name and value. A value of true or false says whether the name holds; another text is
            itself the word (``color: red`` is the attribute red); numbers are no attributes.
        item: what they belong to, for notes.
        skipped: where to note what cannot be used.

    Returns:
        word -> POSITIVE or NEGATIVE.
    """
    labels: dict[str, int] = {}
    for name, value in pairs:
        if value is None or (isinstance(value, str) and value.strip() in UNDEFINED):
            continue
        flag = as_flag(value)
        is_text = flag is None and as_number(value) is None
        word = as_word(value) if is_text else as_word(name)
        if word is None or (flag is None and not is_text):
            skipped.add("attribute without a word", f"{item}: {name!r:.60}: {value!r:.60}")
            continue
        labels[word] = NEGATIVE if flag is False else POSITIVE
    return labels
