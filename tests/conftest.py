"""For tests of whole commands: a model whose scores are known, and a full-size proposer that looks
at small pictures. For tests of photo models: a small CLIP of their kind.

What takes seconds to import is imported where it is used: pytest-xdist loads this file in one
process more than runs tests.
"""

import gc

import pytest

LONGEST = "test_quick_chain.py"
"""Four minutes; the next one has half a minute."""


def pytest_collection_finish(session):
    """The modules and tests that are loaded by now stay: no collection of garbage visits them."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def pytest_collection_modifyitems(items):
    """Long files first, so that at the end no worker waits for another one's long file."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path.name != LONGEST, item.path not in slow))


@pytest.fixture
def figure_of_curves():
    """Runs draw their curves."""


@pytest.fixture(autouse=True)
def without_figure_of_curves(request, monkeypatch):
    """A run does not draw its curves, which takes longer than the two steps that most tests train.

    Tests that ask for `figure_of_curves` draw them.
    """
    if "figure_of_curves" not in request.fixturenames:
        monkeypatch.setattr("ovarnet.drawing.curves.curves", lambda history, path: None)


@pytest.fixture
def fake_model(monkeypatch):
    """`ovarnet.load` gives a `fake_predictor`, whatever it is asked for."""
    from fake_model import fake_predictor

    import ovarnet

    monkeypatch.setitem(
        ovarnet.__dict__, "load", lambda name, proposer=None, device="auto": fake_predictor()
    )


@pytest.fixture
def photo(tmp_path):
    from fake_model import picture

    return picture(tmp_path / "photo.png", 60, 40)


@pytest.fixture
def small_pictures(monkeypatch):
    """The full-size proposer brings images to a short side of 96 pixels, not of 800."""
    from ovarnet.build import proposer as proposer_build
    from ovarnet.modeling.resize import DetectorResize
    from ovarnet.proposals import detector as proposer

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
    from small_photo_clip import small_photo_clip

    return small_photo_clip(tmp_path_factory.mktemp("photo_clip"))


@pytest.fixture
def small_photos(tmp_path_factory):
    """`ovarnet-photos` names the architecture of `photo_clip`."""
    from small_photo_clip import small_architecture

    with small_architecture(tmp_path_factory.mktemp("small_photos")):
        yield


@pytest.fixture
def interrupted(monkeypatch):
    """Called with a training function and a config: trains up to the first saved state, as if
    Ctrl-C came then."""
    from accelerate import Accelerator

    from ovarnet.training.engine.training_state import TrainingState

    def save_and_stop(self, model, save=TrainingState.save):
        save(self, model)
        raise KeyboardInterrupt

    def run(train, config):
        with monkeypatch.context() as patch:
            patch.setattr(TrainingState, "save", save_and_stop)
            with pytest.raises(KeyboardInterrupt):
                train(config, Accelerator(cpu=True))

    return run
