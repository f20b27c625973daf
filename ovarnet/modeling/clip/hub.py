"""Weights of an open_clip tag: from the Hub's cache, else from the network.

Where neither has them, one line says what to do.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import constants, hf_hub_download
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError
from open_clip.constants import HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME

from ovarnet.errors import InputError

PROBE_SECONDS = 5


def download(name: str, tag: str, described: Mapping[str, Any]) -> Path:
    """Find or download the weights of a tag.

    Args:
        name: architecture.
        tag: open_clip's name of the weights.
        described: open_clip's entry for the tag.

    Returns:
        The file in the Hub's cache.

    Raises:
        InputError: neither in the cache nor reachable.
    """
    repository, _, file = described["hf_hub"].rpartition("/")
    candidates = _candidates(file)

    # the cache
    for candidate in candidates:
        try:
            return Path(hf_hub_download(repository, candidate, local_files_only=True))
        except EntryNotFoundError:  # LocalEntryNotFoundError among them
            continue
    advised = (
        f"{name}-quickgelu"
        if described.get("quick_gelu") and not name.endswith("-quickgelu")
        else name
    )

    # the network
    offline = why_unreachable()
    if offline:
        raise _not_at_hand(name, tag, repository, candidates[0], offline, advised)
    for candidate in candidates:
        try:
            return Path(hf_hub_download(repository, candidate))
        except LocalEntryNotFoundError as error:  # the connection broke after the probe
            raise _not_at_hand(
                name, tag, repository, candidate, "the connection broke", advised
            ) from error
        except EntryNotFoundError:
            continue
        except (HfHubHTTPError, OSError) as error:
            raise _not_at_hand(
                name, tag, repository, candidate, str(error).splitlines()[0], advised
            ) from error
    raise _not_at_hand(
        name, tag, repository, candidates[0], "the repository holds no such file", advised
    )


def _candidates(file: str) -> list[str]:
    """File names to try, safetensors first; no file name means open_clip's default names."""
    if not file:
        return [HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME]
    path = Path(file)
    return (
        [path.with_suffix(".safetensors").name, file] if path.suffix in (".bin", ".pth") else [file]
    )


def why_unreachable() -> str:
    """Why the Hub does not answer; empty when it does.

    Checked first because the Hub's client tries for about 20 seconds before it gives up.
    """
    if constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set"
    try:
        urllib.request.urlopen(
            urllib.request.Request(constants.ENDPOINT, method="HEAD"), timeout=PROBE_SECONDS
        ).close()
    except urllib.error.HTTPError:
        return ""
    except OSError as error:
        return f"no network: {getattr(error, 'reason', error)}"
    return ""


def _not_at_hand(
    name: str, tag: str, repository: str, file: str, why: str, advised: str
) -> InputError:
    return InputError(
        f"the weights {tag!r} of {name} are not in the local cache and cannot be fetched ({why}); "
        f"download {file} of {constants.ENDPOINT}/{repository} elsewhere and give its path instead "
        f"of the tag, with the architecture {advised}"
    )
