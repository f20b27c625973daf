"""The trained route: relations from the lemmas, noun chunks and dependencies (ClearNLP labels) of
an English spaCy pipeline.
"""

from __future__ import annotations

from spacy.tokens import Doc, Token

from ovarnet.captions.inflection import UNCHANGED, is_plural, singular
from ovarnet.captions.lexicon import ASPECTS, COLORED, kind_of
from ovarnet.captions.matcher import Term
from ovarnet.captions.relations import Relations

MODIFIERS = {"amod", "compound", "nmod", "npadvmod", "advmod"}
PREDICATES = {"acomp", "attr", "oprd"}
CLAUSES_ON_NOUNS = {"acl", "relcl"}
INNER_CLAUSES = {"conj", "xcomp", "advcl", "ccomp"}
RELATIVE_PRONOUNS = {"that", "which", "who"}
POINTING_BACK = {"one", "ones", "other", "others"}
NOUN_TAGS = {"NOUN", "PROPN"}


def noun_lemma(token: Token) -> str:
    """The pipeline's lemma; words that are a plural in form only (jeans) stay."""
    return (
        token.lower_
        if token.lower_ in UNCHANGED
        else token.lemma_.lower() or singular(token.lower_)
    )


def relations_by_dependencies(doc: Doc, terms: list[Term]) -> Relations:
    """doc: with tags, heads and dependencies. terms: what the vocabulary knows of its words."""
    found = Relations()
    attribute_tokens = [
        token for term in terms if term.attributes for token in doc[term.start : term.end]
    ]
    bare = {
        token.i
        for token in attribute_tokens
        if not any(child.dep_ in ("det", "amod", "nummod", "poss") for child in token.children)
    }
    for start, head in _chunks(doc):
        if head not in bare:
            found.heads.add(head)
            found.chunks.append((start, head))
    found.denied = {token.i for token in doc if token.pos_ in NOUN_TAGS and _is_absent(token)}
    for token in attribute_tokens:
        found.link(
            token.i, [_pointed_at(noun).i for noun in _owners(token)], denied=_is_denied(token)
        )
    return found


def _chunks(doc: Doc) -> list[tuple[int, int]]:
    """(first token after articles and numbers, head) of the noun chunks; a possessor ("the child 's
    gaze") is a chunk of its own.
    """
    chunks = []
    for chunk in doc.noun_chunks:
        start = chunk.start
        for token in chunk:
            if token.dep_ == "poss" and token.pos_ in NOUN_TAGS:
                chunks.append(
                    (_skip_articles(doc, max(start, token.left_edge.i), token.i), token.i)
                )
                start = token.right_edge.i + 1
        if chunk.root.pos_ in NOUN_TAGS and start <= chunk.root.i:
            chunks.append((_skip_articles(doc, start, chunk.root.i), chunk.root.i))
    return chunks


def _skip_articles(doc: Doc, start: int, head: int) -> int:
    while start < head and kind_of(doc[start].lower_) in "D#S":
        start += 1
    return start


def _owners(token: Token) -> list[Token]:
    """The nouns that an attribute word is said of."""
    head = token.head
    if token.dep_ in MODIFIERS:
        if head.lower_ in COLORED or (head.dep_ in MODIFIERS and head.pos_ == "ADJ"):
            return _owners(head)
        return (
            [_aspect_owner(head)] if head.pos_ in NOUN_TAGS or head.lower_ in POINTING_BACK else []
        )
    if token.dep_ == "conj":
        return _owners(head) if not _has_article(token) else []
    if token.dep_ in PREDICATES:
        return [] if token.dep_ == "attr" and _has_article(token) else _subjects(head)
    if token.dep_ == "appos":
        return [head] if not _has_article(token) else []
    if token.dep_ == "pobj":
        return _made_of(token)
    return _subjects(token) if token.pos_ in ("VERB", "ADJ") else []


def _has_article(token: Token) -> bool:
    return any(child.dep_ == "det" for child in token.children)


def _aspect_owner(noun: Token) -> Token:
    """ "a mug with a striped pattern": what is striped is the mug."""
    preposition = noun.head
    if (
        noun.lower_ in ASPECTS
        and noun.dep_ == "pobj"
        and preposition.lower_ in ("with", "in", "of")
        and preposition.head.pos_ in NOUN_TAGS
    ):
        return preposition.head
    return noun


def _made_of(material: Token) -> list[Token]:
    """ "made (out) of wood"."""
    verb = material.head
    while verb.dep_ == "prep":
        verb = verb.head
    return _subjects(verb) if verb.lower_ == "made" and not _has_article(material) else []


def _subjects(verb: Token) -> list[Token]:
    """Whom a verb speaks of; for a clause on a noun, that noun."""
    own = [child for child in verb.children if child.dep_ in ("nsubj", "nsubjpass")]
    if verb.dep_ in CLAUSES_ON_NOUNS and all(child.lower_ in RELATIVE_PRONOUNS for child in own):
        return [verb.head]
    if not own:
        return _subjects(verb.head) if verb.dep_ in INNER_CLAUSES else []
    return [noun for child in own for noun in (child, *child.conjuncts)]


def _pointed_at(noun: Token) -> Token:
    """What "one" and "the other" mean: the nearest earlier plural."""
    if noun.lower_ not in POINTING_BACK:
        return noun
    earlier = [
        token for token in noun.doc[: noun.i] if token.pos_ in NOUN_TAGS and is_plural(token.lower_)
    ]
    return earlier[-1] if earlier else noun


def _is_denied(token: Token) -> bool:
    """ "not red", "is no longer red", "not red or blue"; not "not red but blue"."""
    if _is_negated(token) or (token.dep_ in PREDICATES and _is_negated(token.head)):
        return True
    if token.dep_ == "conj":
        return _is_denied(token.head) and "but" not in _joined_by(token)
    return token.dep_ in MODIFIERS and token.head.pos_ == "ADJ" and _is_denied(token.head)


def _is_negated(token: Token) -> bool:
    return any(
        child.dep_ == "neg" or child.lower_ in ("not", "never", "longer")
        for child in token.children
    )


def _is_absent(noun: Token) -> bool:
    """ "no cars", "without a coat or a hat", "instead of a hat"."""
    if any(child.lower_ in ("no", "neither") for child in noun.children):
        return True
    if noun.dep_ == "conj" and noun.head.pos_ in NOUN_TAGS:
        return bool(_joined_by(noun) & {"or", "nor"}) and _is_absent(noun.head)
    preposition = noun.head
    return noun.dep_ == "pobj" and any(
        kind_of(word.lower_) == "Z"
        for word in (preposition, *preposition.children, preposition.head)
        if word.i < noun.i and word.pos_ not in NOUN_TAGS
    )


def _joined_by(token: Token) -> set[str]:
    return {child.lower_ for child in token.head.children if child.dep_ == "cc"}
