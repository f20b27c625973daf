"""Encode words once and store their embeddings, so that later runs load them at once.

Every word option of the other commands takes the file. It belongs to the text tower and prompts of
--model: another model refuses it. A file of encoded words can itself be given, to add to it, or to
encode its words for another model.

Examples:
  ovarnet encode-words words.txt --output words.safetensors                     categories
  ovarnet encode-words colors.txt --kind attributes --output colors.safetensors
  ovarnet encode-words both.json more.safetensors --output all.safetensors      merged
  ovarnet detect photos/ --vocabulary all.safetensors
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ovarnet.cli.model_arguments import add_device_argument, add_model_name_argument
from ovarnet.cli.word_arguments import completed, is_encoded
from ovarnet.errors import InputError

if TYPE_CHECKING:
    from ovarnet.modeling.predictor import Predictor
    from ovarnet.modeling.text.word_embeddings import EncodedVocabulary
    from ovarnet.vocabulary import Vocabulary, Word

HELP = "encode words once and store their embeddings for other commands"
CHUNK = 256
"""Words between two steps of the progress bar."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ovarnet encode-words`."""
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="words: .txt (one a line), .json, .yaml, or .safetensors of this command; several are "
        "merged",
    )
    parser.add_argument(
        "--kind",
        choices=("categories", "attributes", "both"),
        default="categories",
        help="what the words of .txt files and plain lists are",
    )
    add_model_name_argument(parser)
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FILE", help="a name with .safetensors"
    )
    add_device_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Encode and write; returns the exit code."""
    import ovarnet
    from ovarnet.io.encoded_words import ENCODED_WORDS
    from ovarnet.io.files import check_file

    if args.output.suffix.lower() != ENCODED_WORDS:
        raise InputError(f"--output {args.output}: give it a name that ends in {ENCODED_WORDS}")
    check_file(args.output)
    vocabulary = read_files(args.files, args.kind)
    model = ovarnet.load(args.model, device=args.device)
    # the file's own parent types come first, as with --vocabulary
    model.vocabulary = completed(vocabulary, model.vocabulary)
    stored = load_stored(model, args.files)

    started = time.perf_counter()
    encoded = encode(model, stored)
    seconds = time.perf_counter() - started
    model.save_words(encoded, args.output)
    words = encoded.words
    print(
        f"written to {args.output}: {len(words.categories):,} categories and "
        f"{len(words.attributes):,} attributes, encoded in {seconds:.1f} s"
    )
    return 0


def read_files(files: list[str], kind: str) -> Vocabulary:
    """The words of all files, merged.

    Raises:
        InputError: a file that is bad, or no word in any.
    """
    from ovarnet.io.word_files import read_vocabulary
    from ovarnet.vocabulary import FIELDS, Vocabulary

    merged = Vocabulary()
    for file in files:
        for field in FIELDS:
            if kind in (field, "both"):
                merged = merged.merge(read_vocabulary(file, field))
    if not merged.categories and not merged.attributes:
        raise InputError(f"{', '.join(files)}: no words; write at least one into the file")
    return merged


def load_stored(model: Predictor, files: list[str]) -> EncodedVocabulary | None:
    """The embeddings in `files` that are of this model; the words of others are encoded again."""
    stored = None
    for file in filter(is_encoded, files):
        try:
            loaded = model.load_words(file)
        except InputError:
            print(
                f"note: {file}: its embeddings are not of this model; its words are encoded again",
                file=sys.stderr,
            )
            continue
        stored = loaded if stored is None else stored.merge(loaded)
    return stored


def encode(model: Predictor, stored: EncodedVocabulary | None) -> EncodedVocabulary:
    """Encode all words of the model's vocabulary, with a progress bar."""
    from tqdm import tqdm

    words = model.vocabulary
    parts: list[tuple[Sequence[Word], Sequence[Word]]] = [
        *((chunk, ()) for chunk in chunks(words.categories)),
        *(((), chunk) for chunk in chunks(words.attributes)),
    ]
    encoded: EncodedVocabulary | None = None
    total = len(words.categories) + len(words.attributes)
    with tqdm(total=total, unit="word", disable=None, file=sys.stderr) as bar:
        for categories, attributes in parts:
            new = model.encode_vocabulary(categories, attributes, stored=stored)
            encoded = new if encoded is None else encoded.merge(new)
            bar.update(len(categories) + len(attributes))
    assert encoded is not None  # there is a word
    return encoded


def chunks(words: tuple[Word, ...]) -> list[tuple[Word, ...]]:
    """At most `CHUNK` words each."""
    return [words[start : start + CHUNK] for start in range(0, len(words), CHUNK)]
