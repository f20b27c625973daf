"""Files and command-line arguments of words -> a `Vocabulary` or a list of words, and back."""

from __future__ import annotations

import csv
import logging
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

from ovarnet.errors import InputError, did_you_mean, errors_prefixed
from ovarnet.io.encoded_words import ENCODED_WORDS, read_encoded_words
from ovarnet.io.files import read_json, read_text, read_yaml, write_json
from ovarnet.vocabulary import FIELDS, Field, Vocabulary, Word

logger = logging.getLogger(__name__)

WORD_FILES = (".txt", ".json", ".yaml", ".yml", ENCODED_WORDS)
OTHER_FILES = (".csv", ".tsv", ".jsonl", ".xlsx", ".docx")
"""Arguments that end so are file names, not words, even if the file does not exist."""

_SEPARATORS = re.compile(r"\s*(?:;|\||\s\.(?=\s|$))\s*")
"""What other tools put between words: ``mug ; chair``, ``mug | chair``, ``mug . chair .``."""


def read_vocabulary(path: str | Path, kind: Field | None = None) -> Vocabulary:
    """Read a vocabulary from a .txt, .json, .yaml or .safetensors file.

    Args:
        path: a .txt file holds one word per line (commas belong to the word). JSON and YAML hold
            ``{"categories": [...], "attributes": [...]}``, where a word is a string or an object
            with the fields of `Word` (the form that `write_vocabulary` writes), or a plain list.
            A .safetensors file is one of ``ovarnet encode-words``; its embeddings are not read.
        kind: what the words of a plain list are; needed for .txt files and plain lists only.

    Raises:
        InputError: no such file, another form, or words that `Vocabulary` refuses.
    """
    value = _read_word_file(path)
    if isinstance(value, list):
        if kind not in FIELDS:
            raise InputError(
                f"{path}: a plain list of words; say whether they are categories or attributes "
                '(--categories FILE, or {"categories": [...]} in a .json file)'
            )
        value = {kind: value}
    for key in value:
        if key not in FIELDS:
            raise InputError(
                f"{path}: unknown key {key!r}{did_you_mean(key, FIELDS)}; a vocabulary has "
                f"the keys {', '.join(FIELDS)}"
            )
    with errors_prefixed(path):
        return vocabulary_of(value)


def vocabulary_of(content: dict) -> Vocabulary:
    """The vocabulary of what `vocabulary_record` gives.

    Raises:
        InputError: words of another form, or that `Vocabulary` refuses.
    """
    categories, attributes = (tuple(map(_word_from, _list_under(content, key))) for key in FIELDS)
    return Vocabulary(categories, attributes)


def write_vocabulary(path: str | Path, vocabulary: Vocabulary) -> None:
    """Write a vocabulary as JSON, without the fields at their default; atomic."""
    write_json(path, vocabulary_record(vocabulary), indent=1)


def vocabulary_record(vocabulary: Vocabulary) -> dict[str, list[dict]]:
    """A vocabulary as plain values, without the fields at their default."""
    defaults = {field.name: field.default for field in fields(Word)}
    return {
        kind: [
            {key: value for key, value in asdict(word).items() if value != defaults[key]}
            for word in getattr(vocabulary, kind)
        ]
        for kind in FIELDS
    }


def read_words(argument: str, kind: Field = "attributes") -> list[str]:
    """Read the words of a command-line argument.

    A word that looks like a list in the form of another tool (``mug . chair .``, ``mug; chair``,
    or lines of a .txt file that all hold commas) stays one word, with a note in the log.

    Args:
        argument: words separated by commas, where double quotes protect a comma
            (``mug, "red, white and blue"``); or the path of a file for `read_vocabulary`; or an
            empty string for no words.
        kind: which words to take from a file that holds both kinds.

    Returns:
        The words in the order given; empty for an empty argument.

    Raises:
        InputError: not such a list, no such file, or a file without words of this kind.
    """
    argument = argument.strip()
    if _is_file(argument):
        vocabulary = read_vocabulary(argument, kind)
        words = [word.name for word in getattr(vocabulary, kind)]
        if not words:
            raise InputError(
                f'{argument} holds no {kind}; write them into the file, or give "" for none'
            )
        _note_other_forms(words, argument)
        return words
    words = _split_argument(argument, kind)
    _note_other_forms(words)
    return words


def _split_argument(argument: str, kind: Field) -> list[str]:
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
    words = [word.strip() for word in rows[0]]
    Vocabulary.of(**{kind: words})  # refuses empty words and duplicates
    return words


def _is_file(argument: str) -> bool:
    """Whether an argument names a file of words.

    An existing file without a suffix or a slash, such as one called mug, does not count.
    """
    if argument.lower().endswith((*WORD_FILES, *OTHER_FILES)):
        return True
    return os.path.isfile(argument) and ("/" in argument or bool(Path(argument).suffix))


def _note_other_forms(words: Sequence[str], file: str | None = None) -> None:
    """Log one line about a word that is probably several words in the form of another tool."""
    is_text = file is not None and file.lower().endswith(".txt")
    if is_text and all("," in word for word in words):
        example, parts = words[0], words[0].split(",")
    else:
        example = next((word for word in words if _parts_of_other_form(word)), "")
        parts = _parts_of_other_form(example)
    parts = [part.strip() for part in parts if part.strip()]
    if not parts:
        return

    if file is None:
        form = f'separate them by commas: "{", ".join(parts)}"'
    elif is_text:
        form = f"write one word per line: {', then '.join(parts)}"
    else:
        form = f"write a list: {parts}"
    source = "" if file is None else f"{file}: "
    logger.warning("%s%r is taken as one word; for several words, %s", source, example, form)


def _parts_of_other_form(word: str) -> list[str]:
    """The words that other tools would read in `word`; empty if it is an ordinary word."""
    if _SEPARATORS.search(word):
        return _SEPARATORS.split(word)
    if word.endswith(".") and ". " in word:  # "a mug. a chair.", but not "St. Bernard"
        return word.removesuffix(".").split(". ")
    return []


def _read_word_file(path: str | Path) -> dict | list:
    suffix = Path(path).suffix.lower()
    if suffix == ".json":
        return read_json(path)
    if suffix == ENCODED_WORDS:
        return read_encoded_words(path, embeddings=False).vocabulary
    if suffix == ".txt":
        return [line.strip() for line in read_text(path).splitlines() if line.strip()]
    if suffix not in WORD_FILES:
        raise InputError(
            f"{path}: words are read from {', '.join(WORD_FILES)} files; write one word per line "
            "into a .txt file"
        )
    value = read_yaml(path)
    if not isinstance(value, (dict, list)):
        raise InputError(
            f"{path}: expected a list of words, or 'categories' and 'attributes' with a list each"
        )
    return value


def _word_from(entry: object) -> Word:
    if isinstance(entry, str):
        return Word(entry)
    if not isinstance(entry, dict) or "name" not in entry:
        raise InputError(f"the word {entry!r} is neither a string nor an object with a name")
    valid = [field.name for field in fields(Word)]
    for key in entry:
        if key not in valid:
            raise InputError(
                f"word {entry['name']!r} has an unknown field {key!r}{did_you_mean(key, valid)}; "
                f"valid: {', '.join(valid)}"
            )
    seen = entry.get("seen", False)
    if isinstance(seen, str):  # as YAML gives it
        seen = {"true": True, "false": False}.get(seen, seen)
    return Word(**{**entry, "seen": seen, "synonyms": tuple(_list_under(entry, "synonyms"))})


def _list_under(value: dict, key: str) -> list:
    entries = value.get(key, [])
    if not isinstance(entries, list):
        raise InputError(f"{key!r} is {type(entries).__name__}; expected a list")
    return entries
