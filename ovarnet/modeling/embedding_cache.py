"""Text embeddings on disk: one safetensors file per word list, named by a hash of the words, the prompts and the text weights."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from ovarnet.modeling.prompts import Kind, WordEmbeddings
from ovarnet.vocabulary import Word

log = logging.getLogger(__name__)


def embedding_key(words: Sequence[Word], kind: Kind, fingerprint: str) -> str:
    """sha256 of everything the embeddings depend on: strings and parent types in order, kind, prompts and text weights."""
    content = [kind, [[list(word.strings), word.parent] for word in words], fingerprint]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


class DiskCache:
    """A folder of embeddings. A file that cannot be read or written costs a warning and a computation, never a failure."""

    def __init__(self, folder: Path):
        self.folder = folder

    def read(self, key: str, words: Sequence[Word], kind: Kind) -> WordEmbeddings | None:
        """The embeddings stored under `key`, on the CPU; None when there are none or the file is damaged."""
        file = self.folder / f"{key}.safetensors"
        if not file.is_file():
            return None
        try:
            stored = load_file(file)
            matrix, owner = stored["matrix"], stored["owner"]
        except (SafetensorError, OSError, KeyError) as error:
            return self._damaged(file, error)
        expected = [column for column, word in enumerate(words) for _ in word.strings]
        if matrix.ndim != 2 or len(matrix) != len(expected) or owner.tolist() != expected or not torch.isfinite(matrix).all():
            return self._damaged(file, "other shapes than expected")
        return WordEmbeddings(matrix, owner, len(words), kind)

    def write(self, key: str, embeddings: WordEmbeddings) -> None:
        """Atomic: another process sees the whole file or none."""
        temporary = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self.folder, suffix=".part")
            os.close(handle)
            save_file({"matrix": embeddings.matrix.cpu().contiguous(), "owner": embeddings.owner.cpu()}, temporary)
            os.replace(temporary, self.folder / f"{key}.safetensors")
        except (OSError, SafetensorError) as error:
            log.warning("text embeddings were not cached in %s: %s", self.folder, error)
            if temporary is not None:
                Path(temporary).unlink(missing_ok=True)

    @staticmethod
    def _damaged(file: Path, why: object) -> None:
        log.warning("cached text embeddings %s are damaged (%s); computing them again", file, why)
