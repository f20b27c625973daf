"""Relations from the noun chunks and dependencies of a trained English spaCy pipeline.

The labels are those of ClearNLP, which spaCy's English pipelines use.
"""

from __future__ import annotations

from spacy.tokens import Doc, Token

from ovarnet.captions.inflection import UNCHANGED, is_plural, singular
from ovarnet.captions.lexicon import ASPECTS, COLORED, HAVING, kind_of
from ovarnet.captions.matcher import Term
from ovarnet.captions.relations import Relations
from ovarnet.captions.units import ALL_OF_A_KIND, ALL_THINGS, PAIRS

MODIFIERS = {"amod", "compound", "nmod", "npadvmod", "advmod"}
PREDICATES = {"acomp", "attr", "oprd"}
CLAUSES_ON_NOUNS = {"acl", "relcl"}
INNER_CLAUSES = {"conj", "xcomp", "advcl", "ccomp"}
RELATIVE_PRONOUNS = {"that", "which", "who"}
POINTING_BACK = {"one", "ones", "other", "others"}
NOUN_TAGS = {"NOUN", "PROPN"}


NEGATIONS = ("not", "never", "longer", "neither")


def noun_lemma(token: Token) -> str:
    """The pipeline's lemma; words that are a plural in form only (jeans) stay."""
    if token.lower_ in UNCHANGED:
        return token.lower_
    return token.lemma_.lower() or singular(token.lower_)


def relations_by_dependencies(doc: Doc, terms: list[Term]) -> Relations:
    """Who modifies whom in a document.

    Args:
        doc: With tags, heads and dependencies.
        terms: What the vocabulary knows of its words.
    """
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
        owners = _owners(token)
        denied = _is_denied(token) or any(map(_is_nothing, (token.head, *owners)))
        found.link(token.i, [_pointed_at(noun).i for noun in owners], denied=denied)
    return found


def _chunks(doc: Doc) -> list[tuple[int, int]]:
    """(first token after articles and numbers, head) of the noun chunks.

    A possessor ("the child 's gaze") is a chunk of its own.
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
    while start < head and (
        kind_of(doc[start].lower_) in "D#SX"
        or doc[start].dep_ in ("neg", "preconj")
        or doc[start + 1].dep_ == "det"  # "only a dog"
    ):
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
    """The mug of "a mug with a striped pattern", which is what is striped; else the noun."""
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
    """What is "made (out) of" a material."""
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


def _is_nothing(noun: Token) -> bool:
    """Whether what a noun describes is not there: "nothing red", "not the red one"."""
    return noun.lower_ == "nothing" or (noun.lower_ in POINTING_BACK and _is_absent(noun))


def _is_denied(token: Token) -> bool:
    """Whether a quality is said not to hold.

    "not red", "is no longer red", "not red or blue"; not "not red but blue".
    """
    if _is_negated(token) or (token.dep_ in PREDICATES and _is_negated(token.head)):
        return True
    if token.dep_ == "conj":
        return _is_denied(token.head) and "but" not in _joined_by(token)
    return token.dep_ in MODIFIERS and token.head.pos_ == "ADJ" and _is_denied(token.head)


def _is_negated(token: Token) -> bool:
    return any(child.dep_ == "neg" or child.lower_ in NEGATIONS for child in token.children)


def _is_absent(noun: Token) -> bool:
    """Whether a thing is said not to be there.

    "no cars", "not a car", "without a coat or a hat", "instead of a hat", "not wearing a hat",
    "anything but a hat".
    """
    if any(child.lower_ in ("no", "neither") for child in noun.children) or _follows_not(noun):
        return True
    if noun.dep_ == "dobj" and noun.head.lower_ in HAVING and _is_negated(noun.head):
        return True
    beside = {child.lower_ for child in noun.head.children}
    if noun.dep_ == "conj" and "but" in beside:  # "any color but red"
        return noun.head.lower_ in ALL_THINGS or not ALL_OF_A_KIND.isdisjoint(beside)
    if noun.dep_ == "conj" and noun.head.pos_ in NOUN_TAGS:
        return bool(_joined_by(noun) & {"or", "nor"}) and _is_absent(noun.head)
    return noun.dep_ == "pobj" and _excludes(noun.head, noun)


def _follows_not(noun: Token) -> bool:
    """Whether a "not" stands directly before the noun and its article: "not a dog"."""
    start = noun.left_edge.i
    before = noun.doc[start - 1 : start + 1] if start else noun.doc[:1]
    return any(
        word.lower_ in ("not", "never")
        and (word.i < start or word.head == noun)
        and noun.doc[word.i + 1].lower_ not in ("only", "just")
        for word in before
        if word.i < noun.i
    )


def _excludes(preposition: Token, noun: Token) -> bool:
    """Whether a preposition says that its noun is not there: "without", "other than"."""
    words = (preposition, *preposition.children, preposition.head)
    if any(
        kind_of(word.lower_) == "Z"
        for word in words
        if word.i < noun.i and word.pos_ not in NOUN_TAGS
    ):
        return True
    if preposition.lower_ == "but":
        return preposition.head.lower_ in ALL_THINGS
    previous = preposition.nbor(-1).lower_ if preposition.i else ""
    return PAIRS.get((previous, preposition.lower_), "").endswith("Z")


def _joined_by(token: Token) -> set[str]:
    return {child.lower_ for child in token.head.children if child.dep_ == "cc"}
