"""A vocabulary is a value: category words and attribute words, each with a parent type and an
explicit base (seen) / novel flag.

Order in = order out, and a word is kept as it was written. Nothing about a word is told by its
position.
"""

from __future__ import annotations

import csv
import difflib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
import yaml
from torch import Tensor

from ovarnet.errors import InputError
from ovarnet.io.files import read_json, read_text, write_json
from ovarnet.io.json_stream import read_records, stream_json
from ovarnet.splits import COCO_SPLITS, VAW_SPLITS, Split, find_split, read_split_file

NEUTRAL_PARENT = "other"
LONGEST_WORD = 200
Kind = Literal["category", "attribute"]
KINDS: tuple[Kind, ...] = ("category", "attribute")
FIELDS = ("categories", "attributes")
"""Of a vocabulary, in the order of `KINDS`."""
WORD_FILES = (".txt", ".json", ".yaml", ".yml")
OTHER_FILES = (".csv", ".tsv", ".jsonl", ".xlsx", ".docx")
"""Names that end so are of files, not words, also where the file does not exist."""


@dataclass(frozen=True)
class Word:
    """One category or attribute word.

    name: as given; also what a score column is called. parent: the type word that stands in the
    prompt ("color", "animal"). seen: base word, i.e. it had labels in training. synonyms: strings
    that mean the word; when there are any, they are encoded instead of the name. group: frequency
    group "head" / "medium" / "tail", where a dataset defines it. family: the coarser type of the
    tables (VAW's 8 and OVAD's 19 "parent types"), where a dataset defines it; None: as `parent`.
    """

    name: str
    parent: str = NEUTRAL_PARENT
    seen: bool = False
    synonyms: tuple[str, ...] = ()
    group: str | None = None
    family: str | None = None

    def __post_init__(self):
        object.__setattr__(
            self, "synonyms", tuple(_name_list(self.synonyms, f"synonyms of {self.name!r}"))
        )
        for text in (
            self.name,
            self.parent,
            *self.synonyms,
            *(given for given in (self.group, self.family) if given is not None),
        ):
            _check_text(text, self.name)
        if not isinstance(self.seen, bool):
            raise InputError(f"word {self.name!r}: seen is {self.seen!r}; it must be true or false")

    @property
    def strings(self) -> tuple[str, ...]:
        """What is encoded for this word: its synonyms, or its name."""
        return self.synonyms or (self.name,)


@dataclass(frozen=True)
class Vocabulary:
    """Category words (C) and attribute words (A); either may be empty. Column c of a score matrix
    belongs to word c.
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
        """From lists. Strings become unseen words of the neutral type. InputError: duplicates,
        empty words, more than 200 characters.
        """
        return cls(_as_words(categories, "categories"), _as_words(attributes, "attributes"))

    @classmethod
    def from_file(cls, path: str | Path, kind: str | None = None) -> Vocabulary:
        """From .txt (one word per line; commas belong to the word), .json or .yaml.

        JSON and YAML hold {"categories": [...], "attributes": [...]} (also the form `save` writes:
        a word is a string or an object with the fields of `Word`) or a plain list. A plain list
        needs `kind`, "categories" or "attributes".
        """
        value = _read_word_file(path)
        if isinstance(value, list):
            if kind not in FIELDS:
                raise InputError(
                    f"{path}: a plain list of words; say whether they are categories or attributes"
                )
            value = {kind: value}
        for key in value:
            if key not in FIELDS:
                raise InputError(
                    f"{path}: unknown key {key!r}{_did_you_mean(key, FIELDS)}; a vocabulary has "
                    f"the keys {', '.join(FIELDS)}"
                )
        with _naming(path):
            return cls(*(tuple(map(_word_from, _list_under(value, kind))) for kind in FIELDS))

    @classmethod
    def load(cls, path: str | Path) -> Vocabulary:
        """What `save` wrote, equal to what was saved."""
        return cls.from_file(path)

    def save(self, path: str | Path) -> None:
        """Write as JSON, fields at their default left out; the file appears only when complete."""
        defaults = {field.name: field.default for field in fields(Word)}
        write_json(
            path,
            {
                kind: [
                    {key: value for key, value in asdict(word).items() if value != defaults[key]}
                    for word in getattr(self, kind)
                ]
                for kind in FIELDS
            },
            indent=1,
        )

    @classmethod
    def from_coco(
        cls, path: str | Path, seen: str | Path | Split | Iterable[str] = ()
    ) -> Vocabulary:
        """Categories of a COCO instances file, in file order; the supercategory is the parent.

        seen: the open-vocabulary split "48/17" or "48/32" (words in neither side are left out), a
        `Split`, or the names of the base words.
        """
        entries = [
            record.value for record in stream_json(path) if record.key == "categories"
        ]  # such files are large
        if not entries or not all(
            isinstance(entry, dict) and isinstance(entry.get("name"), str) for entry in entries
        ):
            raise InputError(
                f"{path}: 'categories' must be a list of objects with a name; give a COCO "
                "instances file"
            )
        names = [entry["name"] for entry in entries]
        if isinstance(seen, (str, Path, Split)):
            split = find_split(seen, COCO_SPLITS)
        else:
            split = Split(
                frozenset(_known(seen, names, f"categories of {path}")),
                frozenset(names) - frozenset(seen),
            )
        with _naming(path):
            return cls(
                tuple(
                    Word(
                        entry["name"],
                        entry.get("supercategory") or NEUTRAL_PARENT,
                        split.is_base(entry["name"]),
                    )
                    for entry in entries
                    if split.keeps(entry["name"])
                )
            )

    @classmethod
    def from_vaw(cls, folder: str | Path, seen: str | Path | Split = "541/79") -> Vocabulary:
        """Attributes of the VAW release (its `data` folder), in the order of attribute_index.json.

        parent: the first subtype (file order) that lists the word, else "other"; family: the first
        parent type with that subtype. seen: "541/79" (OvarNet's list), a split file (.json) or a
        `Split`.
        """
        folder = Path(folder)
        index = read_json(folder / "attribute_index.json", dict)
        subtypes, parents, groups = (
            _read_word_lists(folder / f"{name}.json")
            for name in ("attribute_types", "attribute_parent_types", "head_tail")
        )
        if sorted(index.values(), key=str) != sorted(range(len(index)), key=str):
            raise InputError(
                f"{folder / 'attribute_index.json'}: columns must be 0..{len(index) - 1}, each once"
            )
        split, names = find_split(seen, VAW_SPLITS), sorted(index, key=index.get)
        lost = (
            sorted((split.novel | (split.base or frozenset())) - set(names))
            if len(names) == 620
            else []
        )
        if lost:  # a novel word spelled otherwise would become a base word
            raise InputError(
                f"{folder}: {lost[0]!r} of the split is not among the 620 "
                f"attributes{_did_you_mean(lost[0], names)}"
            )
        words = []
        with _naming(folder):
            for name in filter(split.keeps, names):
                subtype = _first_with(name, subtypes) or NEUTRAL_PARENT
                words.append(
                    Word(
                        name,
                        subtype,
                        split.is_base(name),
                        group=_first_with(name, groups),
                        family=_first_with(subtype, parents) or NEUTRAL_PARENT,
                    )
                )
            return cls(attributes=tuple(words))

    @classmethod
    def from_ovad(cls, path: str | Path) -> Vocabulary:
        """The 80 categories (seen = its "base") and 117 attributes of an OVAD file, attributes in
        order of their ids.

        An attribute keeps its full name, "type:a/b"; its parent is the type, its synonyms are a and
        b. OVAD has no training labels: none of its attributes is seen.
        """
        data = read_records(path, drop=("segmentation", "att_vec"))
        try:
            with _naming(path):
                categories, attributes = (_list_under(data, kind) for kind in FIELDS)
                return cls(
                    tuple(
                        Word(
                            entry["name"],
                            entry.get("supercategory") or NEUTRAL_PARENT,
                            entry["ov_set"] == "base",
                        )
                        for entry in categories
                    ),
                    tuple(
                        _ovad_attribute(entry)
                        for entry in sorted(attributes, key=lambda entry: entry["id"])
                    ),
                )
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{path}: a category or attribute lacks {error}; give the OVAD annotation file "
                "(ovad2000.json)"
            ) from None

    @classmethod
    def from_lsa(cls, path: str | Path) -> Vocabulary:
        """Attributes of an LSA split file, `{group: {name: id}}`, in order of their ids; base
        groups are seen.
        """
        ids, split = read_split_file(path)
        with _naming(path):
            return cls(attributes=tuple(Word(name, seen=split.is_base(name)) for name in ids))

    @property
    def category_names(self) -> list[str]:
        return [word.name for word in self.categories]

    @property
    def attribute_names(self) -> list[str]:
        return [word.name for word in self.attributes]

    @property
    def category_seen(self) -> Tensor:
        """(C,) bool: True for base words."""
        return torch.tensor([word.seen for word in self.categories], dtype=torch.bool)

    @property
    def attribute_seen(self) -> Tensor:
        """(A,) bool: True for base words."""
        return torch.tensor([word.seen for word in self.attributes], dtype=torch.bool)

    @cached_property
    def category_index(self) -> dict[str, int]:
        """Name -> column."""
        return {word.name: column for column, word in enumerate(self.categories)}

    @cached_property
    def attribute_index(self) -> dict[str, int]:
        """Name -> column."""
        return {word.name: column for column, word in enumerate(self.attributes)}

    def merge(self, other: Vocabulary) -> Vocabulary:
        """All words of both: mine in my order, then the new ones of `other`. A word in both is seen
        when either saw it; what I do not know of it (parent type, synonyms, ...) is filled from
        `other`.
        """
        return Vocabulary(
            _merged(self.categories, other.categories), _merged(self.attributes, other.attributes)
        )

    def novel_seen_by(self, other: Vocabulary) -> list[str]:
        """Names of my novel words that are base words of `other`, of the same kind; categories
        first.
        """
        found = []
        for mine, others in (
            (self.categories, other.categories),
            (self.attributes, other.attributes),
        ):
            seen = {word.name for word in others if word.seen}
            found += [word.name for word in mine if not word.seen and word.name in seen]
        return found

    def select(
        self, categories: Iterable[str] | None = None, attributes: Iterable[str] | None = None
    ) -> Vocabulary:
        """The named words, in the order of the names; None keeps all of that kind. A name that is
        not there: InputError.
        """

        def chosen(kind, names, index):
            words = getattr(self, kind)
            return (
                words
                if names is None
                else tuple(words[index[name]] for name in _known(names, list(index), kind))
            )

        return Vocabulary(
            chosen("categories", categories, self.category_index),
            chosen("attributes", attributes, self.attribute_index),
        )

    def with_words(
        self, categories: Iterable[str] | None = None, attributes: Iterable[str] | None = None
    ) -> Vocabulary:
        """The user's words in the user's order; None: my own. A word I know, by its name or as a
        synonym, brings its parent type (and, when known by its name, its synonyms); any other word
        is of the neutral type and unseen.
        """
        return Vocabulary(
            self.categories
            if categories is None
            else _adopt(categories, self.categories, "categories"),
            self.attributes
            if attributes is None
            else _adopt(attributes, self.attributes, "attributes"),
        )


def read_words(argument: str, kind: str = "attributes") -> list[str]:
    """Words of a command-line argument, in order: 'mug, chair', or the path of a .txt / .json /
    .yaml file (`Vocabulary.from_file`).

    Commas separate, double quotes protect a comma: 'mug, "red, white and blue"'. An empty argument
    means no words. From a file that holds both kinds, those of `kind` are taken.
    """
    argument = argument.strip()
    if _is_file(argument):
        words = getattr(Vocabulary.from_file(argument, kind), kind)
        if not words:
            raise InputError(
                f'{argument} holds no {kind}; write them into the file, or give "" for none'
            )
        return [word.name for word in words]
    if not argument:
        return []
    if "\n" in argument or "\r" in argument:
        raise InputError(
            f"words {argument[:60]!r}: a line break; separate words by commas, or give a .txt "
            "file with one word per line"
        )
    try:
        rows = list(csv.reader([argument], skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise InputError(
            f"words {argument!r}: {error}; separate words by commas and put a word with a comma "
            "in double quotes"
        ) from None
    return [word.name for word in _as_words([word.strip() for word in rows[0]], kind)]


def _is_file(argument: str) -> bool:
    """Whether an argument means a file of words; a file without a suffix, such as one called mug,
    does not count.
    """
    if argument.lower().endswith((*WORD_FILES, *OTHER_FILES)):
        return True
    return os.path.isfile(argument) and ("/" in argument or bool(Path(argument).suffix))


@contextmanager
def _naming(path: str | Path) -> Iterator[None]:
    """What is wrong with a word is told with the file that it comes from."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def is_encodable(text: str) -> bool:
    """False: it holds a lone surrogate, half of a character (broken JSON has such), which can be
    neither written nor shown.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_text(text, owner) -> None:
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
                f"{position + 1}); "
                "give each word once"
            )
        first[name.strip()] = position


def _did_you_mean(name: str, valid: Iterable[str]) -> str:
    close = difflib.get_close_matches(str(name), list(valid), n=1, cutoff=0.5)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _known(names: Iterable[str], valid: list[str], where: str) -> list[str]:
    names, known = _name_list(names, where), set(valid)
    for name in names:
        if name not in known:
            raise InputError(
                f"{name!r} is not among the {len(valid)} {where}{_did_you_mean(name, valid)}"
            )
    return names


def _name_list(words: Iterable, kind: str) -> list:
    if isinstance(words, str):
        raise InputError(f"{kind}: got the single string {words[:40]!r}; give a list of words")
    if not isinstance(words, Iterable):
        raise InputError(f"{kind}: got {type(words).__name__}; give a list of words")
    return list(words)


def _as_words(words: Iterable[str | Word], kind: str) -> tuple[Word, ...]:
    made = []
    for position, word in enumerate(_name_list(words, kind)):
        if isinstance(word, str) and not word.strip():
            raise InputError(
                f"{kind}: word {position + 1} is empty; remove it or write the word out"
            )
        made.append(word if isinstance(word, Word) else Word(word))
    return tuple(made)


def _read_word_file(path: str | Path) -> dict | list:
    suffix = Path(path).suffix.lower()
    if suffix == ".json":
        return read_json(path)
    if suffix == ".txt":
        return [line.strip() for line in read_text(path).splitlines() if line.strip()]
    if suffix not in WORD_FILES:
        raise InputError(
            f"{path}: words are read from {', '.join(WORD_FILES)} files; write one word per line "
            "into a .txt file"
        )
    try:
        value = yaml.load(
            read_text(path), Loader=yaml.BaseLoader
        )  # BaseLoader: the words yes, no, on and 7 stay the strings they are
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not valid YAML ({error})") from None
    if not isinstance(value, (dict, list)):
        raise InputError(
            f"{path}: expected a list of words, or 'categories' and 'attributes' with a list each"
        )
    return value


def _list_under(value: dict, key: str) -> list:
    entries = value.get(key, [])
    if not isinstance(entries, list):
        raise InputError(f"{key!r} is {type(entries).__name__}; expected a list")
    return entries


def _word_from(entry) -> Word:
    if isinstance(entry, str):
        return Word(entry)
    if not isinstance(entry, dict) or "name" not in entry:
        raise InputError(f"the word {entry!r} is neither a string nor an object with a name")
    valid = [field.name for field in fields(Word)]
    for key in entry:
        if key not in valid:
            raise InputError(
                f"word {entry['name']!r} has an unknown field {key!r}{_did_you_mean(key, valid)}; "
                f"valid: {', '.join(valid)}"
            )
    seen = entry.get("seen", False)
    if isinstance(seen, str):  # YAML gives strings
        seen = {"true": True, "false": False}.get(seen, seen)
    return Word(**{**entry, "seen": seen, "synonyms": tuple(_list_under(entry, "synonyms"))})


def _read_word_lists(path: Path) -> dict[str, list[str]]:
    lists = read_json(path, dict)
    for key, names in lists.items():
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise InputError(
                f"{path}: {key!r} is not a list of words; copy the file from the release again"
            )
    return lists


def _first_with(name: str, lists: dict[str, list[str]]) -> str | None:
    return next((key for key, names in lists.items() if name in names), None)


def _ovad_attribute(entry: dict) -> Word:
    kind, _, synonyms = entry["name"].rpartition(":")
    return Word(
        entry["name"],
        kind or NEUTRAL_PARENT,
        synonyms=tuple(part.strip() for part in synonyms.split("/")),
        group=entry["freq_set"],
        family=entry["parent_type"],
    )


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
    return " ".join(text.replace("_", " ").casefold().split())


def _adopt(names: Iterable[str], mine: tuple[Word, ...], kind: str) -> tuple[Word, ...]:
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
