"""A proposer and CLIP-Attr on the small photo CLIP, and the settings of a run of them."""

from types import SimpleNamespace

import pytest
import torch
from omegaconf import OmegaConf
from small_photo_clip import small_architecture

from ovarnet.build import build_proposer, checkpoint_clip_attr
from ovarnet.checkpoint import load_checkpoint, save_checkpoint
from ovarnet.config import ClipSettings, resolve
from ovarnet.io.word_files import read_vocabulary
from ovarnet.training.distillation.data import DistillationData
from ovarnet.training.region_head.stage import build_student

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


@pytest.fixture(scope="session")
def photo_models(photo_clip, tiny_world, tmp_path_factory):
    """Folders of an untrained proposer and of a CLIP-Attr; `proposer` is the module."""
    folder = tmp_path_factory.mktemp("photo_models")
    torch.manual_seed(5)
    with small_architecture(tmp_path_factory.mktemp("architecture")):
        proposer = build_proposer("photos", ClipSettings("ovarnet-photos")).eval()
    # objects and background at first have equal scores in all boxes
    torch.nn.init.normal_(proposer.detector.rpn.head.cls_logits.weight, std=0.1)
    torch.nn.init.normal_(proposer.detector.roi_heads.box_predictor.cls_score.weight, std=0.1)
    kind = {"kind": "photos", "clip": "ovarnet-photos"}
    words = read_vocabulary(tiny_world.root / "vocabulary.json")
    detector = save_checkpoint(
        folder / "proposer",
        model="proposer",
        settings={"proposer": kind},
        vocabulary=words,
        parts={"proposer": proposer.state_dict()},
    )
    teacher = save_checkpoint(
        folder / "teacher",
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


@pytest.fixture(scope="session")
def region_config(tiny_world, photo_models):
    """Called with the folder of a run and changes: the resolved config of a small run."""

    def make(folder, **more):
        source = {"dataset": "scenes", "root": str(tiny_world.root)}
        given = {
            "stage": "region_head",
            "output": str(folder),
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


@pytest.fixture(scope="session")
def region_parts(region_config, tmp_path_factory):
    """Untrained student, CLIP of the teacher and data of a run; tests that train it copy it."""
    config = region_config(tmp_path_factory.mktemp("run"))
    with small_architecture(tmp_path_factory.mktemp("architecture")):
        checkpoint = load_checkpoint(config.teacher)
        clip_attr = checkpoint_clip_attr(checkpoint).eval()
        data = DistillationData.open(config)
        student = build_student(config, checkpoint, clip_attr, data)
    return student, clip_attr.clip, data


@pytest.fixture
def region_settings(region_config, small_photos, tmp_path):
    """The same by the name of the run, where `ovarnet-photos` is small."""
    return lambda name="run", **more: region_config(tmp_path / name, **more)
