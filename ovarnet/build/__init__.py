"""The only place that turns names, settings and checkpoint folders into models."""

from ovarnet.build.clip import open_clip_tower
from ovarnet.build.clip_attr import checkpoint_clip_attr, checkpoint_prompts, stock_clip_attr
from ovarnet.build.folders import find_checkpoint, find_proposer
from ovarnet.build.load import load, load_model
from ovarnet.build.ovarnet import build_ovarnet, checkpoint_ovarnet
from ovarnet.build.proposer import build_proposer, open_proposer, proposer_clip, proposer_kind
from ovarnet.shipped import SHIPPED

__all__ = [
    "SHIPPED",
    "build_ovarnet",
    "build_proposer",
    "checkpoint_clip_attr",
    "checkpoint_ovarnet",
    "checkpoint_prompts",
    "find_checkpoint",
    "find_proposer",
    "load",
    "load_model",
    "open_clip_tower",
    "open_proposer",
    "proposer_clip",
    "proposer_kind",
    "stock_clip_attr",
]
