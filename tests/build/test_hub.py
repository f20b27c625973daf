"""Checkpoint folders of the Hub, from a stand-in on localhost."""

import pytest
from huggingface_hub import constants
from stub_hub import COMMIT, stub_hub

from ovarnet.build.hub import fetch_model
from ovarnet.errors import InputError


@pytest.fixture
def hub(monkeypatch, tmp_path):
    with stub_hub(monkeypatch, tmp_path / "cache") as server:
        server.repositories["shop/mugs"] = {
            "config.yaml": b"format: ovarnet/1\n",
            "clip.safetensors": b"weights",
            "README.md": b"# mugs",
            "evil.bin": b"pickle",
        }
        yield server


def test_only_files_without_code_are_fetched(hub):
    folder = fetch_model("shop/mugs")
    assert sorted(file.name for file in folder.iterdir()) == ["clip.safetensors", "config.yaml"]
    assert (folder / "clip.safetensors").read_bytes() == b"weights"


def test_a_revision_follows_the_name(hub):
    assert fetch_model(f"shop/mugs@{COMMIT}") == fetch_model("shop/mugs@main")
    with pytest.raises(InputError, match=r"shop/mugs has no revision 'v9'; leave @REVISION out"):
        fetch_model("shop/mugs@v9")


def test_what_is_in_the_cache_needs_no_network(hub, monkeypatch):
    folder = fetch_model("shop/mugs")
    hub.repositories.clear()
    assert fetch_model("shop/mugs", local_files_only=True) == folder
    with pytest.raises(InputError, match="is not in the local cache and cannot be fetched"):
        fetch_model("shop/cups", local_files_only=True)


def test_refusals_are_one_line(hub, monkeypatch):
    for name, message in (
        ("shop/cups", rf"^{hub.url}/shop/cups does not exist, or this account may not read it"),
        ("shop/mugs/x", r"^hf:shop/mugs/x is no name of a repository; write hf:ORGANISATION/NAME"),
    ):
        with pytest.raises(InputError, match=message) as error:
            fetch_model(name)
        assert "\n" not in str(error.value)

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(InputError, match=r"cannot be fetched \(no network: .*refused") as error:
        fetch_model("shop/cups")
    assert "\n" not in str(error.value)
