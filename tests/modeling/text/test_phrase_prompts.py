"""Prompts of noun phrases."""

import torch

from ovarnet.modeling.clip.clip import load_clip
from ovarnet.modeling.text.phrase_prompts import PhrasePrompts


def test_phrases_too_long_are_cut():
    torch.manual_seed(0)
    clip = load_clip("ovarnet-scenes", None, random_weights=True)
    prompts = PhrasePrompts(clip.text_width, 3)
    long = " ".join(["mug"] * 300)
    assert prompts.encode(clip, [long, "mug"]).shape == (2, clip.embed_dim)
