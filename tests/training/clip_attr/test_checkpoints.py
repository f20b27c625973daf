"""Checkpoint folders that training starts from and writes."""

import pytest

from ovarnet.errors import InputError
from ovarnet.training.clip_attr.checkpoints import open_clip_attr


def test_a_model_without_learned_prompts_cannot_initialise_step_two(start_files):
    with pytest.raises(InputError, match="train step I first"):
        open_clip_attr(start_files.proposer)
