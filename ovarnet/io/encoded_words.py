"""Files of encoded words: a vocabulary and its text embeddings, under the key of a text tower.

A safetensors file: one tensor for each kind of word, and the words themselves in its metadata, so
that they can be read without the embeddings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from ovarnet.errors import InputError
from ovarnet.io.files import whole_file
from ovarnet.vocabulary import FIELDS, Field

if TYPE_CHECKING:
    from torch import Tensor

ENCODED_WORDS = ".safetensors"
FORMAT = "ovarnet-words/1"
FIX = "write it again with ovarnet encode-words"


@dataclass(frozen=True)
class EncodedWords:
    """What a file holds.

    Args:
        vocabulary: the words as plain values, see `ovarnet.io.word_files.vocabulary_record`.
        key: of the text tower and the prompts that encoded them.
        embeddings: "categories" and "attributes" -> (S, D) float32, L2-normalised, one row per
            string of a word, in order; empty where they were not asked for.
    """

    vocabulary: dict[str, Any]
    key: str
    embeddings: Mapping[Field, Tensor]


def write_encoded_words(path: str | Path, words: EncodedWords) -> None:
    """Write encoded words; the file appears only when it is complete.

    Args:
        path: its name must end in .safetensors, by which files of words are told apart.
        words: what to write.
    """
    from safetensors.torch import save_file  # here, so that files of plain words load no torch

    metadata = {
        "format": FORMAT,
        "key": words.key,
        # ASCII, since lone surrogates cannot be written as UTF-8
        "vocabulary": json.dumps(words.vocabulary),
    }
    tensors = {str(field): rows.cpu().contiguous() for field, rows in words.embeddings.items()}
    with whole_file(path) as unfinished:
        save_file(tensors, unfinished, metadata)
        unfinished.chmod(0o644)  # safetensors makes it readable by its owner alone


def read_encoded_words(path: str | Path, *, embeddings: bool = True) -> EncodedWords:
    """Read encoded words.

    Args:
        path: a file of `write_encoded_words`.
        embeddings: False reads the words and the key alone.

    Raises:
        InputError: no such file, a damaged one, or one with other content, such as weights.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file; check the path, or {FIX}")
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise InputError(f"{path}: holds no encoded words; {FIX}")
            return EncodedWords(
                json.loads(metadata["vocabulary"]),
                metadata["key"],
                {field: file.get_tensor(field) for field in FIELDS} if embeddings else {},
            )
    except InputError:
        raise
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: damaged or truncated ({error}); {FIX}") from None
