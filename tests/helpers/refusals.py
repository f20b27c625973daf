"""What a stage says of one bad setting."""

import pytest
from config_values import required
from omegaconf import OmegaConf

from ovarnet.config import STAGES, resolve
from ovarnet.errors import InputError


def refusal(stage: str, override: str) -> str:
    """The error of a config of `stage` that is right but for KEY=VALUE."""
    stated = {"stage": stage, **required(STAGES[stage].settings)}
    given = OmegaConf.merge(stated, OmegaConf.from_dotlist([override]))
    with pytest.raises(InputError) as error:
        resolve(given, "c.yaml")
    return str(error.value).removeprefix("c.yaml: ")


def accepted(stage: str, *overrides: str):
    """The config of `stage` with KEY=VALUE."""
    stated = {"stage": stage, **required(STAGES[stage].settings)}
    return resolve(OmegaConf.merge(stated, OmegaConf.from_dotlist(list(overrides))), "c.yaml")
