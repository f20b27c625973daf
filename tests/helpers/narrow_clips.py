"""CLIPs of open_clip with fewer numbers in a layer, under their own names.

Image towers keep their depth, strides and patches. Built in milliseconds instead of seconds.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import open_clip
import pytest
from open_clip import factory

NAMES = (
    "RN50",
    "RN50-quickgelu",
    "ViT-B-16",
    "ViT-B-16-quickgelu",
    "ViT-B-32",
    "ViT-B-32-quickgelu",
    "ViT-L-14-quickgelu",
)
EMBED_DIM = 64
RESNET = {"width": 16}
VIT = {"width": 64, "head_width": 16}
TEXT = {"width": 64, "heads": 2, "layers": 2}


@contextmanager
def narrow_clips() -> Iterator[None]:
    """Within it, `load_clip` builds the architectures of `NAMES` so."""
    with pytest.MonkeyPatch.context() as patch:
        for name in NAMES:
            config = open_clip.get_model_config(name)
            is_resnet = isinstance(config["vision_cfg"]["layers"], list)
            config["embed_dim"] = EMBED_DIM
            config["vision_cfg"] |= RESNET if is_resnet else VIT
            config["text_cfg"] |= TEXT
            patch.setitem(factory._MODEL_CONFIGS, name, config)
        yield
