"""Checkpoint folders that training starts from and writes."""

import pytest

from ovarnet.build import SHIPPED
from ovarnet.errors import InputError
from ovarnet.training.clip_attr.checkpoints import open_clip_attr


def test_a_model_without_learned_prompts_cannot_initialise_step_two(start_files):
    with pytest.raises(InputError, match="train step I first"):
        open_clip_attr(start_files.proposer)


def test_a_shipped_name_is_opened():
    clip, classifier, checkpoint = open_clip_attr("scenes-clip-attr")
    assert checkpoint.folder == SHIPPED / "scenes-clip-attr"
    assert classifier.bias.item() == pytest.approx(
        checkpoint.settings["calibration"]["category"][1]
    )
    assert classifier.clip is clip
