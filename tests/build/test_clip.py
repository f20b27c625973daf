"""A CLIP from its settings."""

import pytest
import torch

from ovarnet.build import open_clip_tower
from ovarnet.config import ClipSettings
from ovarnet.errors import InputError


def test_weights_are_random_where_none_are_named(tmp_path):
    torch.manual_seed(0)
    first, second = (open_clip_tower(ClipSettings("ovarnet-scenes")) for _ in range(2))
    weights = "visual.conv1.weight"
    assert not torch.equal(first.model.state_dict()[weights], second.model.state_dict()[weights])

    torch.save(first.model.state_dict(), tmp_path / "clip.pt")
    again = open_clip_tower(ClipSettings("ovarnet-scenes", str(tmp_path / "clip.pt")))
    assert torch.equal(again.model.state_dict()[weights], first.model.state_dict()[weights])
    with pytest.raises(InputError, match="does not exist"):
        open_clip_tower(ClipSettings("ovarnet-scenes", str(tmp_path / "none.pt")))
