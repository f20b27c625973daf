"""For tests of whole commands: a model whose scores are known, and a full-size proposer that looks
at small pictures. For tests of photo models: a small CLIP of their kind."""

import pytest
from fake_model import fake_predictor, picture
from small_photo_clip import small_architecture, small_photo_clip

import ovarnet
from ovarnet.build import proposer as proposer_build
from ovarnet.modeling.resize import DetectorResize
from ovarnet.proposals import detector as proposer


@pytest.fixture
def fake_model(monkeypatch):
    """`ovarnet.load` gives a `fake_predictor`, whatever it is asked for."""
    monkeypatch.setitem(
        ovarnet.__dict__, "load", lambda name, proposer=None, device="auto": fake_predictor()
    )


@pytest.fixture
def photo(tmp_path):
    return picture(tmp_path / "photo.png", 60, 40)


@pytest.fixture
def small_pictures(monkeypatch):
    """The full-size proposer brings images to a short side of 96 pixels, not of 800."""
    make = proposer.resnet50_proposer

    def small_proposer(imagenet_weights=False):
        full = make(imagenet_weights)
        resize = full.detector.transform
        full.detector.transform = DetectorResize((96, 96), 128, resize.image_mean, resize.image_std)
        return full

    for module in (proposer, proposer_build):
        monkeypatch.setattr(module, "resnet50_proposer", small_proposer)


@pytest.fixture(scope="session")
def photo_clip(tmp_path_factory):
    """An untrained small CLIP for photos; tests that change its weights copy it."""
    return small_photo_clip(tmp_path_factory.mktemp("photo_clip"))


@pytest.fixture
def small_photos(tmp_path_factory):
    """`ovarnet-photos` names the architecture of `photo_clip`."""
    with small_architecture(tmp_path_factory.mktemp("small_photos")):
        yield
