"""Each CLIP gets the tower of its family, or none."""

import open_clip
import pytest
import torch
from text_towers import bert_clip, siglip_clip

from ovarnet.modeling.clip.clip import load_clip
from ovarnet.modeling.text.bert_tower import BertTower
from ovarnet.modeling.text.causal_tower import CausalTower
from ovarnet.modeling.text.families import text_tower
from ovarnet.modeling.text.siglip_tower import SiglipTower


def test_the_family_is_told_by_the_modules(tmp_path):
    pytest.importorskip("transformers")
    assert isinstance(bert_clip(tmp_path / "bert").text_tower, BertTower)
    assert isinstance(siglip_clip(tmp_path / "siglip").text_tower, SiglipTower)


def test_clips_own_tower_is_causal():
    torch.manual_seed(0)
    clip = load_clip("ovarnet-scenes", None, random_weights=True)
    assert isinstance(clip.text_tower, CausalTower)


def test_a_tower_read_in_another_way_has_none():
    text = {"width": 32, "heads": 2, "layers": 1, "no_causal_mask": True, "pool_type": "first"}
    vision = {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16}
    model = open_clip.CustomTextCLIP(embed_dim=16, vision_cfg=vision, text_cfg=text)
    assert text_tower(model, open_clip.SimpleTokenizer(), 77) is None
