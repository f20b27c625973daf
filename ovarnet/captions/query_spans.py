"""Where the category and the attributes of a search phrase stand in it."""

from __future__ import annotations

from ovarnet.captions.lexicon import PAINTED, SIZES, TRANSITIVE, kind_of
from ovarnet.captions.matcher import Term
from ovarnet.captions.query_words import GROUPS
from ovarnet.captions.relations import Relations

NAMING = frozenset("nvs")  # letters of `lexicon.Kind`
ENDS: tuple[list[str], ...] = ([], ["C"], [","], ["."], ["P"], ["W"])
Span = tuple[int, int]  # first token, token after the last


def add_unlisted_attributes(words: list[str], terms: list[Term]) -> list[Term]:
    """Add words of no list that stand where an attribute stands.

    "a mug that is puce", "a dog running in the park".

    Args:
        words: The tokens, lower case.
        terms: What is known of them, in order.
    """
    kinds = [kind_of(word) for word in words]
    copula = kinds.index("B") if "B" in kinds else len(kinds)
    taken = {token for term in terms for token in range(term.start, term.end)}
    added = []
    for token, kind in enumerate(kinds):
        ends = kinds[token + 1 : token + 2] in ENDS
        predicate = kind == "n" and token and kinds[token - 1] in "BR" and copula < token
        participle = kind == "g" and words[token] not in TRANSITIVE and words[token] not in PAINTED
        if token not in taken and ends and (predicate or participle):
            added.append(Term(token, token + 1, None, (words[token],)))
    return sorted([*terms, *added])


def find_spans(
    words: list[str], terms: list[Term], relations: Relations
) -> tuple[Span | None, list[Span]]:
    """Where the noun that is looked for stands, and each attribute of it.

    Args:
        words: The tokens, lower case.
        terms: What is known of them, in order.
        relations: What the grammar says of them.

    Returns:
        The noun with the nouns directly before it, or None; the attributes in the order of the
        text, without a noun all those of anything wanted.
    """
    span_of = {
        token: (term.start, term.end) for term in terms for token in range(term.start, term.end)
    }
    described = {
        token for term in terms if term.attributes for token in range(term.start, term.end)
    }
    heads = _heads(words, relations)
    noun = None
    if heads:
        start, head = heads[-1]
        first = span_of.get(head, (head, head))[0]
        # "fire" of "fire hydrant", but not the "brick" of "brick wall"
        while start < first and kind_of(words[first - 1]) in NAMING and first - 1 not in described:
            first = span_of.get(first - 1, (first - 1, first))[0]
        noun = first, head + 1

    said = sorted(
        token
        for token, nouns in relations.links.items()
        if _is_said_of(token, nouns, heads, words, relations)
    )
    spans = dict.fromkeys(span_of.get(token, (token, token + 1)) for token in said)
    return noun, [
        span
        for span in spans
        if relations.denied.isdisjoint(range(*span))
        and (noun is None or not noun[0] <= span[0] < noun[1])
    ]


def _heads(words: list[str], relations: Relations) -> list[Span]:
    """The noun that is looked for, after the nouns of groups before it ("a pair of ...").

    Each as (first token of its phrase, token of the noun).
    """
    possessors = {token - 1 for token, word in enumerate(words) if kind_of(word) == "S"}
    heads: list[Span] = []
    for start, head in relations.chunks:
        if head in relations.denied or head in possessors:  # "a boy's hat" is a hat
            continue
        heads.append((start, head))
        if words[head] not in GROUPS or words[head + 1 : head + 2] != ["of"]:
            break
    return heads


def _is_said_of(
    token: int, nouns: list[int], heads: list[Span], words: list[str], relations: Relations
) -> bool:
    """Whether a modifier is said of what is looked for: of the noun, or of its group.

    "a new pair of shoes" are new shoes, but "a large group of people" are not large people.
    """
    if not heads:
        return not nouns or not relations.denied.issuperset(nouns)
    of_group = not {head for _, head in heads}.isdisjoint(nouns)
    return heads[-1][1] in nouns or (of_group and words[token] not in SIZES)
