import json
from dataclasses import asdict
from pathlib import Path

import pytest

from ovarnet.config import ClipTraining, load_config, resolve
from ovarnet.errors import InputError

CONFIGS = Path(__file__).parents[1] / "configs"


def write(tmp_path, text):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    return path


def test_defaults_file_and_overrides_in_that_order(tmp_path):
    path = write(tmp_path, "stage: clip\noutput: a\nroot: r\nclip: {name: x}\noptimisation: {lr: 0.5, warmup: 7}\n")
    config = load_config(path, ["optimisation.lr=0.25", "output=b"])
    assert isinstance(config, ClipTraining)
    assert (config.optimisation.lr, config.optimisation.warmup, config.optimisation.decay, config.output) == (0.25, 7, 0.4, "b")


@pytest.mark.parametrize(("text", "overrides", "message"), [
    ("stage: clip\nouput: a\n", [], "unknown key 'ouput'; did you mean 'output'?"),
    ("stage: clip\noptimisation: {lrr: 1}\n", [], "unknown key 'optimisation.lrr'; did you mean 'optimisation.lr'?"),
    ("stage: clip\n", ["seeed=1"], "unknown key 'seeed'; did you mean 'seed'?"),
    ("stage: klip\n", [], "stage is 'klip'; it must be one of clip"),
    ("output: a\n", [], "stage is 'None'"),
    ("stage: clip\noutput: a\nroot: r\nclip: {name: x}\nseed: high\n", [], "seed: Value 'high'"),
    ("stage: clip\nroot: r\nclip: {name: x}\n", [], "output must be given"),
    ("stage: [clip\n", [], "cannot be read"),
    ("- a\n- b\n", [], "must be a list of 'key: value' lines"),
    ("stage: clip\n", ["seed"], "'seed' is not of the form KEY=VALUE"),
])
def test_mistakes_are_named(tmp_path, text, overrides, message):
    with pytest.raises(InputError) as error:
        load_config(write(tmp_path, text), overrides)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"nothing\.yaml does not exist"):
        load_config(tmp_path / "nothing.yaml")


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.yaml")), ids=lambda p: str(p.relative_to(CONFIGS)))
def test_shipped_configs_resolve_and_stay_the_same_when_every_setting_is_stated(path, tmp_path):
    """A checkpoint keeps the resolved settings; as a config they are the same run."""
    config = load_config(path)
    assert load_config(write(tmp_path, json.dumps(asdict(config)))) == config


def test_resolve_names_its_source():
    from omegaconf import OmegaConf

    with pytest.raises(InputError, match="somewhere: stage is"):
        resolve(OmegaConf.create({"stage": "x"}), "somewhere")
