"""Checkpoint folders on the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from huggingface_hub import constants, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from ovarnet.errors import InputError
from ovarnet.modeling.clip.hub import why_unreachable

HUB = "hf:"
"""Begins the name of a repository."""

FILES = ("*.safetensors", "*.json", "*.yaml")
"""What is downloaded: never a file that holds code or pickled objects."""


def fetch_model(repository: str, **options: Any) -> Path:
    """Find a checkpoint folder in the Hub's cache, or download it.

    Args:
        repository: ORGANISATION/NAME, or ORGANISATION/NAME@REVISION for a branch, tag or commit.
        options: of `huggingface_hub.snapshot_download`: ``revision``, ``token``, ``cache_dir``,
            ``force_download``, ``local_files_only``.

    Returns:
        The folder in the cache.

    Raises:
        InputError: no such repository or revision, one without access, or no network.
    """
    name, _, revision = repository.partition("@")
    if revision:
        options["revision"] = revision
    where = f"{constants.ENDPOINT}/{name}"
    try:
        return Path(str(snapshot_download(name, allow_patterns=list(FILES), **options)))
    except HFValidationError:
        raise InputError(
            f"{HUB}{repository} is no name of a repository; write {HUB}ORGANISATION/NAME"
        ) from None
    except RevisionNotFoundError:
        raise InputError(
            f"{where} has no revision {options.get('revision')!r}; leave @REVISION out for the "
            "newest"
        ) from None
    except (RepositoryNotFoundError, GatedRepoError):
        raise InputError(
            f"{where} does not exist, or this account may not read it; check the name, or log in "
            "with: hf auth login"
        ) from None
    except (LocalEntryNotFoundError, OSError) as error:
        why = why_unreachable() or (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"{where} is not in the local cache and cannot be fetched ({why}); download it "
            "elsewhere and give the folder's path"
        ) from None
