"""Settings of the stage "catalogue_clip"."""

import pytest
from omegaconf import OmegaConf

from ovarnet.config import resolve
from ovarnet.errors import InputError


def settings(**given):
    base = {
        "stage": "catalogue_clip",
        "output": "out",
        "data": {"root": "shop"},
        "model": "photos-clip-attr",
    }
    return resolve(OmegaConf.create({**base, **given}), "test")


def test_defaults():
    config = settings()
    assert (config.prototypes, config.neighbours, config.queue) == (0.2, 0.2, 2048)
    assert config.data.foreground


def test_shares_of_the_loss_leave_something_to_the_contrastive_term():
    with pytest.raises(InputError, match="shares of one loss"):
        settings(prototypes=0.5, neighbours=0.5)


def test_an_average_of_the_weights_is_refused():
    with pytest.raises(InputError, match="would average the queues"):
        settings(optimisation={"ema": 0.9})
