"""A CLIP from its settings."""

from __future__ import annotations

from ovarnet.config import ClipSettings
from ovarnet.modeling.clip.clip import Clip, load_clip


def open_clip_tower(clip: ClipSettings) -> Clip:
    """Open the CLIP of `clip`, with random weights where none are named.

    Random weights are to be trained, or filled from a checkpoint.
    """
    return load_clip(clip.name, clip.pretrained, random_weights=clip.pretrained is None)
