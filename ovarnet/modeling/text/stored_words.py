"""Encoded words kept in a file, so that a large vocabulary is encoded once for all runs.

A file belongs to the weights that encoded it: it holds a key made of the text tower and the
prompts, and another model refuses it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ovarnet.errors import InputError, errors_prefixed
from ovarnet.io.encoded_words import FIX, EncodedWords, read_encoded_words, write_encoded_words
from ovarnet.io.word_files import read_vocabulary, vocabulary_record
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.prompts import TemplatePrompts
from ovarnet.modeling.text.word_embeddings import EncodedVocabulary, WordEmbeddings, joined
from ovarnet.vocabulary import KINDS, Kind, Vocabulary, Word


def text_key(classifier: TextClassifier) -> str:
    """A hash of all that a word's embedding depends on.

    The calibration and the image tower are no part of it, but for a photo CLIP's concepts: an
    OvarNet that shares its teacher's text tower, prompts and concepts has the same key.
    """
    clip, prompts = classifier.clip, classifier.prompts
    if clip.exported_text_key is not None:
        return clip.exported_text_key
    layout = (
        prompts.templates
        if isinstance(prompts, TemplatePrompts)
        else [*prompts.counts, prompts.parent_type]
    )
    about = json.dumps([layout, clip.context_length, clip.quick_gelu])
    digest = hashlib.sha256(about.encode())
    # + 0.0 makes of -0.0, which weights stored in fewer bits may have, the same bytes as of 0.0
    concepts = [] if classifier.concepts is None else [classifier.concepts + 0.0]
    for tensor in (*clip.text_tensors(), *prompts.state_dict().values(), *concepts):
        digest.update(f"{tensor.dtype} {tuple(tensor.shape)} ".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy())
    return digest.hexdigest()[:16]


def save_words(path: str | Path, vocabulary: EncodedVocabulary, classifier: TextClassifier) -> None:
    """Write encoded words, for `load_words`.

    Args:
        path: a name that ends in .safetensors.
        vocabulary: what `classifier` encoded.
        classifier: of the model.
    """
    words = EncodedWords(
        vocabulary_record(vocabulary.words),
        text_key(classifier),
        {
            "categories": vocabulary.categories.matrix,
            "attributes": vocabulary.attributes.matrix,
        },
    )
    write_encoded_words(path, words)


def load_words(path: str | Path, classifier: TextClassifier) -> EncodedVocabulary:
    """Read encoded words.

    Args:
        path: a file of `save_words`.
        classifier: of the model that the words are to be scored with.

    Raises:
        InputError: no such file, a damaged one, or the words of another model.
    """
    stored = read_encoded_words(path)
    if stored.key != text_key(classifier):
        raise InputError(
            f"{path}: its words were encoded by another model, whose text tower or prompts are "
            f"other than this one's; encode them again: ovarnet encode-words {path} --model MODEL "
            "--output NEW.safetensors"
        )
    words = read_vocabulary(path)
    with errors_prefixed(path):
        categories, attributes = (
            _embeddings(words.of_kind(kind), kind, rows, classifier)
            for kind, rows in zip(KINDS, stored.embeddings.values(), strict=True)
        )
    return EncodedVocabulary(words, categories, attributes)


def encode_missing(
    classifier: TextClassifier, words: Vocabulary, stored: EncodedVocabulary
) -> EncodedVocabulary:
    """Encode only the words that are not stored.

    Args:
        classifier: of the model that `stored` belongs to.
        words: C categories and A attributes.
        stored: words already encoded. One is taken over where its strings and its parent type are
            those wanted.

    Returns:
        What ``classifier.encode_vocabulary(words)`` returns.
    """
    categories, attributes = (
        _with_missing(
            classifier,
            words.of_kind(kind),
            stored.words.of_kind(kind),
            stored.categories if kind == "category" else stored.attributes,
            kind,
        )
        for kind in KINDS
    )
    return EncodedVocabulary(words, categories, attributes)


def _with_missing(
    classifier: TextClassifier,
    words: Sequence[Word],
    stored_words: Sequence[Word],
    stored: WordEmbeddings,
    kind: Kind,
) -> WordEmbeddings:
    position = {_encoded_as(word): index for index, word in enumerate(stored_words)}
    missing = [word for word in words if _encoded_as(word) not in position]
    fresh = classifier.embed(missing, kind)
    position |= {_encoded_as(word): len(stored) + row for row, word in enumerate(missing)}
    both = joined([stored.to(fresh.matrix.device), fresh])
    taken = both.select([position[_encoded_as(word)] for word in words])
    return replace(taken, names=tuple(word.name for word in words), neutral=fresh.neutral)


def _encoded_as(word: Word) -> tuple[tuple[str, ...], str]:
    """What of a word its embedding depends on."""
    return word.strings, word.parent


def _embeddings(
    words: Sequence[Word], kind: Kind, rows: Tensor, classifier: TextClassifier
) -> WordEmbeddings:
    owner = torch.tensor(
        [index for index, word in enumerate(words) for _ in word.strings], dtype=torch.long
    )
    if rows.shape != (len(owner), classifier.clip.embed_dim) or not rows.isfinite().all():
        raise InputError(f"its embeddings do not fit its words; {FIX}")
    nothing = classifier.embed([], kind)  # has what belongs to no word
    device = nothing.matrix.device
    return replace(
        nothing,
        matrix=rows.to(device),
        owner=owner.to(device),
        length=len(words),
        names=tuple(word.name for word in words),
    )
