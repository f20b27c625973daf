"""Weights of a tag: from the cache, from the network, or one line that says what to do."""

import urllib.error
from pathlib import Path

import pytest
from huggingface_hub import constants

from ovarnet.errors import InputError
from ovarnet.modeling.clip import hub as clip_hub
from ovarnet.modeling.clip.clip import load_clip
from ovarnet.modeling.clip.weights import resolve


def test_offline_a_tag_fails_at_once_and_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(clip_hub, "hf_hub_download", _not_cached)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(InputError) as caught:
        load_clip("RN50", "openai")
    assert str(caught.value) == (
        "the weights 'openai' of RN50 are not in the local cache and cannot be fetched "
        "(HF_HUB_OFFLINE is set); download "
        f"open_clip_model.safetensors of {constants.ENDPOINT}/timm/resnet50_clip.openai elsewhere "
        "and give its path instead of the tag, "
        "with the architecture RN50-quickgelu"
    )
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(clip_hub.urllib.request, "urlopen", _no_network)
    with pytest.raises(InputError, match="no network: name or service not known"):
        load_clip("RN50", "openai")


def test_a_cached_tag_needs_no_network(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(clip_hub.urllib.request, "urlopen", _no_network)
    monkeypatch.setattr(
        clip_hub,
        "hf_hub_download",
        lambda *names, local_files_only: asked.append(names) or "/cache/x",
    )
    assert resolve("RN50", "openai", random_weights=False).file == Path("/cache/x")
    assert asked == [("timm/resnet50_clip.openai", "open_clip_model.safetensors")]


def test_the_network_is_asked_for_safetensors_first(monkeypatch):
    asked = []

    def fetch(repository, file, local_files_only=False):
        asked.append((file, local_files_only))
        if local_files_only:
            raise clip_hub.LocalEntryNotFoundError("not cached")
        if file.endswith(".safetensors"):
            raise clip_hub.EntryNotFoundError("no such file")
        return "/cache/weights.bin"

    monkeypatch.setattr(clip_hub, "hf_hub_download", fetch)
    monkeypatch.setattr(clip_hub, "why_unreachable", lambda: "")
    tag = {"hf_hub": "someone/clip/weights.bin"}
    assert clip_hub.download("RN50", "theirs", tag) == Path("/cache/weights.bin")
    assert asked == [
        ("weights.safetensors", True),
        ("weights.bin", True),
        ("weights.safetensors", False),
        ("weights.bin", False),
    ]


def test_a_repository_without_the_file_is_named(monkeypatch):
    def fetch(repository, file, local_files_only=False):
        raise clip_hub.EntryNotFoundError("no such file")

    monkeypatch.setattr(clip_hub, "hf_hub_download", fetch)
    monkeypatch.setattr(clip_hub, "why_unreachable", lambda: "")
    with pytest.raises(InputError, match="the repository holds no such file"):
        clip_hub.download("RN50", "theirs", {"hf_hub": "someone/clip/weights.bin"})


def _not_cached(repository, file, local_files_only):
    assert local_files_only
    raise clip_hub.LocalEntryNotFoundError("not cached")


def _no_network(request, timeout):
    assert timeout <= 5
    raise urllib.error.URLError("name or service not known")
