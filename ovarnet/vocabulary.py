"""The vocabulary: category and attribute words, each with a parent type and a base / novel flag.

A vocabulary is an immutable value. Words keep their order and spelling; base or novel is an
explicit flag of a word, never its position. Files of words are read in `ovarnet.io.word_files`;
the vocabulary of a dataset is built by its reader in `ovarnet.data`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from ovarnet.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from torch import Tensor

Kind = Literal["category", "attribute"]
KINDS: tuple[Kind, Kind] = ("category", "attribute")
Field = Literal["categories", "attributes"]
FIELDS: tuple[Field, Field] = ("categories", "attributes")
"""The fields of a vocabulary, in the order of `KINDS`."""
NEUTRAL_PARENT = "other"
LONGEST_WORD = 200


@dataclass(frozen=True)
class Word:
    """One category or attribute word.

    Attributes:
        name: the word as given; also the name of its score column.
        parent: type word that stands in the prompt ("color", "animal").
        seen: whether it is a base word, i.e. has labels in training.
        synonyms: strings that mean the word; if there are any, they are encoded instead of `name`.
        group: frequency group "head" / "medium" / "tail", where a dataset defines it.
        family: coarse type used in result tables (VAW's 8 and OVAD's 19 "parent types"), where a
            dataset defines it; None means the same as `parent`.

    Raises:
        InputError: an empty string, more than 200 characters, a lone surrogate, or a wrong type.
    """

    name: str
    parent: str = NEUTRAL_PARENT
    seen: bool = False
    synonyms: tuple[str, ...] = ()
    group: str | None = None
    family: str | None = None

    def __post_init__(self):
        synonyms = _as_list(self.synonyms, f"synonyms of {self.name!r}")
        object.__setattr__(self, "synonyms", tuple(synonyms))
        optional = [text for text in (self.group, self.family) if text is not None]
        for text in (self.name, self.parent, *self.synonyms, *optional):
            _check_text(text, self.name)
        if not isinstance(self.seen, bool):
            raise InputError(f"word {self.name!r}: seen is {self.seen!r}; it must be true or false")

    @property
    def strings(self) -> tuple[str, ...]:
        """The strings that are encoded for this word: its synonyms, or its name."""
        return self.synonyms or (self.name,)


@dataclass(frozen=True)
class Vocabulary:
    """Category words (C) and attribute words (A); column c of a score matrix belongs to word c.

    Attributes:
        categories: C words with different names; C may be 0.
        attributes: A words with different names; A may be 0.

    Raises:
        InputError: a name occurs twice within one kind.
    """

    categories: tuple[Word, ...] = ()
    attributes: tuple[Word, ...] = ()

    def __post_init__(self):
        for kind in FIELDS:
            words = tuple(getattr(self, kind))
            object.__setattr__(self, kind, words)
            _check_unique([word.name for word in words], kind)

    def of_kind(self, kind: Kind) -> tuple[Word, ...]:
        """The category words, or the attribute words."""
        return self.categories if kind == "category" else self.attributes

    @classmethod
    def of(
        cls, categories: Iterable[str | Word] = (), attributes: Iterable[str | Word] = ()
    ) -> Vocabulary:
        """Build a vocabulary from lists of words.

        Args:
            categories: category words; strings become novel words of the neutral parent type.
            attributes: attribute words, likewise.

        Raises:
            InputError: duplicates, empty words, or words of more than 200 characters.
        """
        return cls(_as_words(categories, "categories"), _as_words(attributes, "attributes"))

    @property
    def category_names(self) -> list[str]:
        """Names of the C categories, in column order."""
        return [word.name for word in self.categories]

    @property
    def attribute_names(self) -> list[str]:
        """Names of the A attributes, in column order."""
        return [word.name for word in self.attributes]

    @property
    def category_seen(self) -> Tensor:
        """(C,) bool, True for base words."""
        return _seen(self.categories)

    @property
    def attribute_seen(self) -> Tensor:
        """(A,) bool, True for base words."""
        return _seen(self.attributes)

    @cached_property
    def category_index(self) -> dict[str, int]:
        """Category name -> column."""
        return {word.name: column for column, word in enumerate(self.categories)}

    @cached_property
    def attribute_index(self) -> dict[str, int]:
        """Attribute name -> column."""
        return {word.name: column for column, word in enumerate(self.attributes)}

    def merge(self, other: Vocabulary) -> Vocabulary:
        """The words of both: those of `self` in their order, then the new ones of `other`.

        A word of both is seen if either has it as seen; fields that `self` leaves at their default
        (parent type, synonyms, ...) are filled from `other`.
        """
        return Vocabulary(
            _merged(self.categories, other.categories), _merged(self.attributes, other.attributes)
        )

    def novel_seen_by(self, other: Vocabulary) -> list[str]:
        """Names of novel words that are base words of the same kind in `other`.

        Returns:
            Names, categories first; empty if the two vocabularies agree.
        """
        found = []
        for kind in FIELDS:
            seen = {word.name for word in getattr(other, kind) if word.seen}
            words = getattr(self, kind)
            found += [word.name for word in words if not word.seen and word.name in seen]
        return found

    def select(
        self, categories: Iterable[str] | None = None, attributes: Iterable[str] | None = None
    ) -> Vocabulary:
        """The named words, in the order of the names.

        Args:
            categories: names to keep; None keeps all categories.
            attributes: names to keep; None keeps all attributes.

        Raises:
            InputError: a name is not in the vocabulary.
        """
        return Vocabulary(
            _selected(self.categories, self.category_index, categories, "categories"),
            _selected(self.attributes, self.attribute_index, attributes, "attributes"),
        )

    def with_words(
        self,
        categories: Iterable[str | Word] | None = None,
        attributes: Iterable[str | Word] | None = None,
    ) -> Vocabulary:
        """The user's words, completed by what this vocabulary knows about them.

        A word known by its name or as a synonym takes over the parent type, and if known by its
        name also the synonyms; any other word is novel and of the neutral type.

        Args:
            categories: words in the order wanted; None means the words of this vocabulary.
            attributes: words in the order wanted; None means the words of this vocabulary.

        Raises:
            InputError: duplicates, empty words, or words of more than 200 characters.
        """
        return Vocabulary(
            self.categories
            if categories is None
            else _adopt(categories, self.categories, "categories"),
            self.attributes
            if attributes is None
            else _adopt(attributes, self.attributes, "attributes"),
        )


def is_encodable(text: str) -> bool:
    """Whether `text` can be written as UTF-8, which lone surrogates of broken JSON cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def known_names(names: Iterable[str], valid: Iterable[str], where: str) -> list[str]:
    """`names` as a list, after checking that each is one of the valid names.

    Args:
        names: names to look up; a single string is refused.
        valid: the names that exist.
        where: what the valid names are, for the message ("categories").

    Raises:
        InputError: a name that is not valid, with the closest one that is.
    """
    names, known = _as_list(names, where), dict.fromkeys(valid)
    for name in names:
        if name not in known:
            raise InputError(
                f"{name!r} is not among the {len(known)} {where}{did_you_mean(name, known)}"
            )
    return names


def _check_text(text: object, owner: object) -> None:
    if not isinstance(text, str):
        raise InputError(f"word {owner!r}: {text!r} is not a string; write it in quotes")
    if not is_encodable(text):
        raise InputError(
            f"word {owner!r}: {text!r:.60} holds half of a character (a lone surrogate); write "
            "the word again"
        )
    if not text.strip():
        raise InputError(f"word {owner!r} has an empty string; remove it or write the word out")
    if len(text) > LONGEST_WORD:
        raise InputError(
            f"word {text[:30]!r}... has {len(text)} characters; the limit is {LONGEST_WORD}, "
            "shorten the phrase"
        )


def _check_unique(names: list[str], kind: str) -> None:
    first: dict[str, int] = {}
    for position, name in enumerate(names):
        if name.strip() in first:
            raise InputError(
                f"{kind}: {name.strip()!r} is given twice (words {first[name.strip()] + 1} and "
                f"{position + 1}); give each word once"
            )
        first[name.strip()] = position


def _as_list(words: Iterable, kind: str) -> list:
    if isinstance(words, str):
        raise InputError(f"{kind}: got the single string {words[:40]!r}; give a list of words")
    if not isinstance(words, Iterable):
        raise InputError(f"{kind}: got {type(words).__name__}; give a list of words")
    return list(words)


def _as_words(words: Iterable[str | Word], kind: str) -> tuple[Word, ...]:
    made = []
    for position, word in enumerate(_as_list(words, kind)):
        if isinstance(word, str) and not word.strip():
            raise InputError(
                f"{kind}: word {position + 1} is empty; remove it or write the word out"
            )
        made.append(word if isinstance(word, Word) else Word(word))
    return tuple(made)


def _selected(
    words: tuple[Word, ...], index: Mapping[str, int], names: Iterable[str] | None, kind: str
) -> tuple[Word, ...]:
    if names is None:
        return words
    return tuple(words[index[name]] for name in known_names(names, index, kind))


def _seen(words: Iterable[Word]) -> Tensor:
    import torch  # here, so that processes which only need the words start without it

    return torch.tensor([word.seen for word in words], dtype=torch.bool)


def _merged(mine: tuple[Word, ...], others: tuple[Word, ...]) -> tuple[Word, ...]:
    words = {word.name.strip(): word for word in mine}
    for other in others:
        word = words.setdefault(other.name.strip(), other)
        words[other.name.strip()] = replace(
            word,
            parent=other.parent if word.parent == NEUTRAL_PARENT else word.parent,
            seen=word.seen or other.seen,
            synonyms=word.synonyms or other.synonyms,
            group=word.group or other.group,
            family=word.family or other.family,
        )
    return tuple(words.values())


def _lookup_key(text: str) -> str:
    """Case, underscores and repeated spaces do not distinguish words."""
    return " ".join(text.replace("_", " ").casefold().split())


def _adopt(names: Iterable[str | Word], mine: tuple[Word, ...], kind: str) -> tuple[Word, ...]:
    # In reverse, so that the first word with a synonym or name takes it.
    by_synonym = {
        _lookup_key(text): replace(word, synonyms=())
        for word in reversed(mine)
        for text in word.synonyms
    }
    by_name = {_lookup_key(word.name): word for word in mine}
    known = {**by_synonym, **by_name}
    return tuple(
        replace(known.get(_lookup_key(word.name), word), name=word.name)
        for word in _as_words(names, kind)
    )
