"""The teacher's answers, kept: refused before anything is computed where they would be too many."""

from types import SimpleNamespace

import pytest
import torch

from ovarnet.errors import InputError
from ovarnet.structures import Proposals
from ovarnet.training.base_regions import DETECTION
from ovarnet.training.distill_teacher import teacher_cache
from ovarnet.training.regions import ImageMemory


def test_more_answers_than_there_is_room_for_are_refused_before_the_first_one(tmp_path):
    """192 boxes and 320 proposals of one image, 1,024 numbers of 4 bytes each: 2 MB."""
    teacher = SimpleNamespace(model=SimpleNamespace(clip=SimpleNamespace(embed_dim=1024)))
    asked = {(DETECTION, 0): SimpleNamespace(file="never read", boxes=torch.zeros(192, 4))}
    proposals = {"never read": Proposals(torch.zeros(320, 4), torch.zeros(320))}
    with pytest.raises(InputError, match="the teacher's answers need 2 MB, more than 1; set"):
        teacher_cache(teacher, asked, proposals, ImageMemory(1), tmp_path, megabytes=1)
    assert not list(tmp_path.iterdir())
