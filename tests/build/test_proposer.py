"""Proposers from names, folders and files."""

import json

import pytest
import torch

from ovarnet.build import SHIPPED, build_proposer, open_proposer, proposer_clip, proposer_kind
from ovarnet.checkpoint import load_checkpoint
from ovarnet.config import ClipSettings
from ovarnet.errors import InputError
from ovarnet.modeling.clip.concept_tower import EfficientNetTrunk
from ovarnet.proposals.detector import DetectorProposer
from ovarnet.proposals.from_file import FileProposals


def test_the_shipped_proposer():
    proposer = open_proposer("scenes")
    assert isinstance(proposer, DetectorProposer)
    assert not proposer.training
    checkpoint = load_checkpoint(SHIPPED / "scenes-clip-attr")
    assert (proposer_kind(checkpoint), proposer_clip(checkpoint)) == ("scenes", "ovarnet-scenes")
    stored = checkpoint.part("proposer")
    assert all(torch.equal(stored[name], value) for name, value in proposer.state_dict().items())


def test_a_file_and_a_folder_of_shards(tmp_path):
    (tmp_path / "00000.json").write_text(json.dumps({"a.jpg": []}))
    assert isinstance(open_proposer(tmp_path / "00000.json"), FileProposals)
    assert isinstance(open_proposer(tmp_path), FileProposals)


def test_names_that_are_no_proposer(tmp_path):
    with pytest.raises(
        InputError, match=r"proposer 'scene' does not exist; give .*scenes, .*torchv"
    ):
        open_proposer("scene")
    with pytest.raises(InputError, match="holds no proposer"):
        open_proposer(SHIPPED / "scenes")


def test_kinds():
    small = build_proposer("scenes", ClipSettings("ovarnet-scenes"))
    assert small.detector.roi_heads.box_head.fc6.out_features == 128
    with pytest.raises(InputError, match=r"needs a CLIP; give clip\.name"):
        build_proposer("scenes", None)
    with pytest.raises(InputError, match="'yolo' is not known; choose scenes, photos or resnet50"):
        build_proposer("yolo", None)


def test_a_proposer_for_photos_is_built_on_a_photo_clip(small_photos):
    trunk = build_proposer("photos", ClipSettings("ovarnet-photos")).detector.backbone.trunk
    assert isinstance(trunk, EfficientNetTrunk)
    with pytest.raises(InputError, match="kind 'photos' needs a CLIP"):
        build_proposer("photos", None)
