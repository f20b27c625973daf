"""The words that a command scores: --vocabulary, --categories and --attributes.

docs/words.md describes the forms of files.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ovarnet.errors import InputError

if TYPE_CHECKING:
    from ovarnet.modeling.predictor import Predictor
    from ovarnet.modeling.text.word_embeddings import EncodedVocabulary
    from ovarnet.vocabulary import Vocabulary

FORMS = "a file: .txt, .json, .yaml, or .safetensors of ovarnet encode-words"


def add_vocabulary_argument(parser: argparse.ArgumentParser, use: str) -> None:
    """Add --vocabulary.

    Args:
        parser: of the command.
        use: what the words are for, such as "words to score".
    """
    parser.add_argument(
        "--vocabulary",
        action="append",
        metavar="FILE",
        help=f"{use}, categories and attributes in one file, in place of the model's words: .json, "
        ".yaml, or .safetensors of ovarnet encode-words; give it again to merge several",
    )


def add_word_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --categories, --attributes and --vocabulary."""
    for kind, example in (("categories", "mug, chair"), ("attributes", "red, striped")):
        parser.add_argument(
            f"--{kind}",
            metavar="WORDS",
            help=f'words such as "{example}", or {FORMS}; "" for none (default: those of '
            "--vocabulary, or the model's words)",
        )
    add_vocabulary_argument(parser, "words to score")


@dataclass(frozen=True)
class QueriedWords:
    """The words of a command line, before a model has encoded them.

    Args:
        categories: words of --categories; None: those of the vocabulary.
        attributes: words of --attributes, likewise.
        vocabulary: words of --vocabulary; None: the model's own.
        encoded_files: files among the three that hold embeddings.
    """

    categories: list[str] | None
    attributes: list[str] | None
    vocabulary: Vocabulary | None
    encoded_files: tuple[str, ...]

    def encode(self, model: Predictor) -> EncodedVocabulary:
        """Encode the words that no file has embeddings of.

        From here on the words of --vocabulary are those of `model`.

        Raises:
            InputError: a file of another model, no words at all, or a word too long for the model.
        """
        if self.vocabulary is not None:
            model.vocabulary = completed(self.vocabulary, model.vocabulary)
        stored = None
        for file in self.encoded_files:
            loaded = model.load_words(file)
            stored = loaded if stored is None else stored.merge(loaded)
        return model.encode_vocabulary(self.categories, self.attributes, stored=stored)


def read_queried_words(args: argparse.Namespace) -> QueriedWords:
    """Read the words of --vocabulary, --categories and --attributes, before a model is loaded.

    Raises:
        InputError: a word or a file of words is bad, or both lists are empty.
    """
    from ovarnet.io.word_files import read_words
    from ovarnet.vocabulary import FIELDS, Vocabulary

    given = {kind: getattr(args, kind) for kind in FIELDS}
    lists = {
        kind: None if argument is None else read_words(argument, kind)
        for kind, argument in given.items()
    }
    if lists["categories"] == [] and lists["attributes"] == []:
        raise InputError("--categories and --attributes are both empty; name at least one word")
    Vocabulary.of(lists["categories"] or [], lists["attributes"] or [])
    files = [*(args.vocabulary or ()), *filter(None, given.values())]
    return QueriedWords(
        lists["categories"],
        lists["attributes"],
        read_vocabularies(args.vocabulary),
        encoded_among(files),
    )


def read_competing_words(files: list[str] | None) -> QueriedWords | None:
    """Read the words of --vocabulary for a command that has no other words; None without any."""
    if not files:
        return None
    return QueriedWords(None, None, read_vocabularies(files), encoded_among(files))


def read_vocabularies(files: list[str] | None) -> Vocabulary | None:
    """The words of all files of --vocabulary; None where there is none."""
    from ovarnet.io.word_files import read_vocabulary
    from ovarnet.vocabulary import Vocabulary

    if not files:
        return None
    merged = Vocabulary()
    for file in files:
        merged = merged.merge(read_vocabulary(file))
    if not merged.categories and not merged.attributes:
        raise InputError(f"{', '.join(files)}: no words; write at least one into the file")
    return merged


def encoded_among(files: list[str]) -> tuple[str, ...]:
    """The files that hold embeddings, each once."""
    return tuple(dict.fromkeys(file.strip() for file in files if is_encoded(file)))


def is_encoded(argument: str) -> bool:
    """Whether an argument is a file of words with their embeddings."""
    from ovarnet.io.encoded_words import ENCODED_WORDS

    return argument.strip().lower().endswith(ENCODED_WORDS)


def completed(vocabulary: Vocabulary, known: Vocabulary) -> Vocabulary:
    """The words of `vocabulary`, with parent types and synonyms from `known` where they lack them.

    The words and their order stay.
    """
    return vocabulary.merge(known.with_words(vocabulary.category_names, vocabulary.attribute_names))
