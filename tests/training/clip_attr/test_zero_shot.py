"""The stage "zero_shot" on the tiny world."""

import torch
from omegaconf import OmegaConf

import ovarnet
from ovarnet.checkpoint import load_checkpoint
from ovarnet.config import resolve
from ovarnet.training.clip_attr.zero_shot import calibrate_clip_attr


def test_the_folder_holds_clip_proposer_and_a_calibration_of_each_kind(
    tiny_world, start_files, tmp_path
):
    given = {
        "stage": "zero_shot",
        "output": str(tmp_path),
        "root": str(tiny_world.root),
        "clip": {"name": "ovarnet-scenes", "pretrained": str(start_files.clip)},
        "proposer": str(start_files.proposer),
    }
    folder = calibrate_clip_attr(resolve(OmegaConf.create(given), "test"))
    assert set(load_checkpoint(folder).settings["calibration"]) == {"category", "attribute"}
    model = ovarnet.load(folder, device="cpu")
    found = model.detect(
        str(tiny_world.images / "0.png"),
        categories=["mug", "submarine"],
        attributes=["red"],
        boxes=[[4, 4, 34, 24]],
    )
    assert found.category_scores.shape == (1, 2)
    assert torch.isfinite(found.attribute_scores).all()
