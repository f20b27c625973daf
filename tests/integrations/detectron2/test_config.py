# ruff: noqa: E402 (detectron2 is looked for first)
"""What our models add to a config."""

from pathlib import Path

import pytest
from detectron2_sources import require_detectron2

require_detectron2()

from detectron2.config import get_cfg
from detectron2.modeling import META_ARCH_REGISTRY

from ovarnet.errors import InputError
from ovarnet.integrations.detectron2.config import add_ovarnet_config, stage_settings

ROOT = Path(__file__).parents[3]


def config(**ours):
    cfg = get_cfg()
    add_ovarnet_config(cfg)
    for key, value in ours.items():
        setattr(cfg.MODEL.OVARNET, key, value)
    return cfg


def test_a_stage_is_read_with_its_options():
    cfg = config(
        STAGE=str(ROOT / "configs/scenes/ovarnet.yaml"), STAGE_OPTIONS=["teacher=scenes-clip-attr"]
    )
    settings = stage_settings(cfg, "ovarnet")
    assert (settings.teacher, settings.roi_batch_size) == ("scenes-clip-attr", 16)
    with pytest.raises(InputError, match="needs stage clip_attr"):
        stage_settings(cfg, "clip_attr")


def test_a_model_must_be_named():
    assert stage_settings(config(CHECKPOINT="scenes"), "ovarnet") is None
    with pytest.raises(InputError, match=r"give CHECKPOINT, .* or STAGE"):
        stage_settings(config(), "ovarnet")


@pytest.mark.parametrize("file", sorted((ROOT / "configs/detectron2").glob("*.yaml")))
def test_the_configs_that_ship_are_understood(file, monkeypatch):
    monkeypatch.chdir(ROOT)
    cfg = config()
    cfg.merge_from_file(str(file))
    architecture = META_ARCH_REGISTRY.get(cfg.MODEL.META_ARCHITECTURE)
    stage = {"OvarNet": "ovarnet", "ClipAttr": "clip_attr"}[architecture.__name__]
    stage_settings(cfg, stage)
