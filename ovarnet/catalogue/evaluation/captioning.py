"""BLEU-4, ROUGE-L and CIDEr of written titles, as the captioning tools of COCO define them.

M titles. Texts are compared as lower-case words, without the Java tokenizer of those tools, so that
numbers are comparable among systems that are scored here and nowhere else.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

LONGEST = 4
"""Words of the longest n-grams of BLEU and CIDEr."""
ROUGE_BETA = 1.2
"""How much more recall counts than precision."""
CIDER_SIGMA = 6.0
"""Of the penalty for another length than the reference's."""
CIDER_SCALE = 10.0
Grams = Counter[tuple[str, ...]]


def words(text: str) -> list[str]:
    """Lower-case words; punctuation is left out."""
    return re.findall(r"\w+", text.lower())


def bleu(written: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """BLEU-4 of a corpus: counts are summed over all titles before precisions are taken.

    Args:
        written: M titles.
        references: Of each title the right ones, at least one.

    Returns:
        In [0, 1]; 0 where no n-gram of some length is right.
    """
    right, total = [0] * LONGEST, [0] * LONGEST
    length = reference_length = 0
    for text, truths in zip(written, references, strict=True):
        said, known = words(text), [words(truth) for truth in truths]
        length += len(said)
        reference_length += min((abs(len(k) - len(said)), len(k)) for k in known)[1]
        for n in range(1, LONGEST + 1):
            allowed: Grams = Counter()
            for truth in known:
                allowed |= ngrams(truth, n)  # the largest count in any reference
            found = ngrams(said, n)
            right[n - 1] += (found & allowed).total()
            total[n - 1] += found.total()
    if not all(right):
        return 0.0
    precision = math.exp(sum(math.log(r / t) for r, t in zip(right, total, strict=True)) / LONGEST)
    return precision * min(1.0, math.exp(1 - reference_length / length))


def rouge_l(written: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """ROUGE-L: F of the longest common subsequence, mean over titles.

    Precision and recall are each the best of any reference.

    Args:
        written: M titles.
        references: Of each title the right ones, at least one.

    Returns:
        In [0, 1].
    """
    scores = []
    for text, truths in zip(written, references, strict=True):
        said, known = words(text), [words(truth) for truth in truths]
        common = [common_subsequence(said, truth) for truth in known]
        precision = max(common) / max(1, len(said))
        recall = max(c / max(1, len(truth)) for c, truth in zip(common, known, strict=True))
        weight = ROUGE_BETA**2
        both = recall + weight * precision
        scores.append((1 + weight) * precision * recall / both if both else 0.0)
    return sum(scores) / max(1, len(scores))


def cider(written: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """CIDEr-D: agreement of n-grams weighted by how rare they are among the references.

    Args:
        written: M titles.
        references: Of each title the right ones, at least one.

    Returns:
        Mean over titles, 0 to 10.
    """
    known = [[words(truth) for truth in truths] for truths in references]
    seen_in: Grams = Counter()
    for truths in known:
        seen_in.update({gram for truth in truths for gram in _all_grams(truth)})
    rarest = math.log(len(known))
    scores = []
    for text, truths in zip(written, known, strict=True):
        said = words(text)
        each = [_cider_pair(said, truth, seen_in, rarest) for truth in truths]
        scores.append(sum(each) / len(each))
    return CIDER_SCALE * sum(scores) / len(scores)


def ngrams(said: Sequence[str], n: int) -> Grams:
    """Counts of the n-grams of some words."""
    return Counter(tuple(said[place : place + n]) for place in range(len(said) - n + 1))


def common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(second) + 1)
    for word in first:
        diagonal = 0
        for place, other in enumerate(second, start=1):
            above = row[place]
            row[place] = diagonal + 1 if word == other else max(above, row[place - 1])
            diagonal = above
    return row[-1]


def _all_grams(said: Sequence[str]) -> Grams:
    found: Grams = Counter()
    for n in range(1, LONGEST + 1):
        found += ngrams(said, n)
    return found


def _cider_pair(said: Sequence[str], truth: Sequence[str], seen_in: Grams, rarest: float) -> float:
    """Mean cosine over the lengths of n-grams; counts above the reference's do not count."""
    # the tools measure length in pairs of words
    gap = ngrams(said, 2).total() - ngrams(truth, 2).total()
    penalty = math.exp(-(gap**2) / (2 * CIDER_SIGMA**2))
    cosines = []
    for n in range(1, LONGEST + 1):
        weights = [
            {gram: count * (rarest - math.log(max(1, seen_in[gram]))) for gram, count in g.items()}
            for g in (ngrams(said, n), ngrams(truth, n))
        ]
        norms = [math.sqrt(sum(value**2 for value in w.values())) for w in weights]
        shared = sum(
            min(weights[0][gram], weights[1][gram]) * weights[1][gram]
            for gram in weights[0].keys() & weights[1].keys()
        )
        cosines.append(shared / (norms[0] * norms[1]) if all(norms) else 0.0)
    return penalty * sum(cosines) / LONGEST
