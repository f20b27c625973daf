"""For commands that are tested with a model whose scores are known."""

import pytest
from fake_model import FakeModel, picture

import ovarnet


@pytest.fixture
def fake_model(monkeypatch):
    """`ovarnet.load` gives a `FakeModel`, whatever it is asked for."""
    monkeypatch.setitem(ovarnet.__dict__, "load", lambda name, proposer=None, device="auto": FakeModel())


@pytest.fixture
def photo(tmp_path):
    return picture(tmp_path / "photo.png", 60, 40)
