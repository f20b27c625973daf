"""A proposer and CLIP-Attr on the small photo CLIP, and the settings of a run of them."""

from types import SimpleNamespace

import pytest
import torch
from omegaconf import OmegaConf

from ovarnet.build import build_proposer
from ovarnet.checkpoint import save_checkpoint
from ovarnet.config import ClipSettings, resolve
from ovarnet.io.word_files import read_vocabulary

PHOTO_DESIGN = {
    "channels": 96,
    "finest_stride": 8,
    "coarser_map": True,
    "short_side": [336, 336],
    "long_side": 448,
    "train_short_sides": [],
    "anchor_sizes": [24, 48, 96, 192],
    "anchor_scales": [1.0, 1.41],
    "rpn_convolutions": 1,
    "rpn_pre_nms": [500, 400],
    "rpn_post_nms": [300, 300],
    "box_stage_width": 256,
    "proposals": 20,
    "head": "clip",
    "roi_size": 4,
    "square_regions": True,
}


@pytest.fixture
def photo_models(small_photos, photo_clip, tiny_world, tmp_path):
    """Folders of an untrained proposer and of a CLIP-Attr; `proposer` is the module."""
    torch.manual_seed(5)
    proposer = build_proposer("photos", ClipSettings("ovarnet-photos")).eval()
    # objects and background at first have equal scores in all boxes
    torch.nn.init.normal_(proposer.detector.rpn.head.cls_logits.weight, std=0.1)
    torch.nn.init.normal_(proposer.detector.roi_heads.box_predictor.cls_score.weight, std=0.1)
    kind = {"kind": "photos", "clip": "ovarnet-photos"}
    words = read_vocabulary(tiny_world.root / "vocabulary.json")
    detector = save_checkpoint(
        tmp_path / "proposer",
        model="proposer",
        settings={"proposer": kind},
        vocabulary=words,
        parts={"proposer": proposer.state_dict()},
    )
    teacher = save_checkpoint(
        tmp_path / "teacher",
        model="clip-attr",
        settings={
            "clip": {"name": "ovarnet-photos"},
            "proposer": kind,
            "calibration": {"category": [8.0, -1.0], "attribute": [6.0, -0.5]},
            "prompts": {"category": ["a {}"], "attribute": ["{}"]},
        },
        vocabulary=words,
        parts={"clip": photo_clip.model.state_dict(), "proposer": proposer.state_dict()},
    )
    return SimpleNamespace(proposer=proposer, detector=str(detector), teacher=str(teacher))


@pytest.fixture
def region_settings(tiny_world, photo_models, tmp_path):
    """Called with the name of a run and changes: the resolved config of a small run."""

    def make(name="run", **more):
        source = {"dataset": "scenes", "root": str(tiny_world.root)}
        given = {
            "stage": "region_head",
            "output": str(tmp_path / name),
            "teacher": photo_models.teacher,
            "detector": photo_models.detector,
            "detection": source,
            "attributes": source,
            "proposals_per_image": 2,
            "limit": 2,
            "design": PHOTO_DESIGN,
            "optimisation": {"iterations": 2, "batch_size": 4, "save_every": 1, "ema": 0.5},
        }
        return resolve(OmegaConf.merge(given, more), "test")

    return make
