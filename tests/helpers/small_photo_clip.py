"""The photo CLIP with fewer, narrower layers and smaller crops, for tests."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from ovarnet.modeling.clip import concept_clip
from ovarnet.modeling.clip.clip import Clip, load_clip

NAME = "ovarnet-photos"
EMBED_DIM, SIZE, LEARNED = 64, 112, 8
VISION = {
    "trunk": "tf_efficientnet_lite0",
    "image_size": SIZE,
    "classes": 1000,
    "learned_concepts": LEARNED,
    "hidden": 16,
}
TEXT = {"context_length": 32, "width": EMBED_DIM // 2}
ENCODER = {
    "hidden_size": EMBED_DIM // 2,
    "intermediate_size": 64,
    "num_attention_heads": 2,
    "num_hidden_layers": 1,
}


@contextmanager
def small_architecture(folder: Path) -> Iterator[None]:
    """Within it `ovarnet-photos` has the sizes above; its files are written to an empty folder."""
    encoder = json.loads((concept_clip.MINILM / "config.json").read_text(encoding="utf-8"))
    minilm = Path(shutil.copytree(concept_clip.MINILM, folder / "minilm"))
    (minilm / "config.json").write_text(json.dumps(encoder | ENCODER))
    sizes = {"embed_dim": EMBED_DIM, "vision_cfg": VISION, "text_cfg": TEXT}
    (folder / f"{NAME}.json").write_text(json.dumps(sizes))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(concept_clip, "CONFIGS", folder)
        patch.setattr(concept_clip, "MINILM", minilm)
        yield


def small_photo_clip(folder: Path) -> Clip:
    """Build it with random weights."""
    with small_architecture(folder):
        torch.manual_seed(0)
        return load_clip(NAME, None, random_weights=True)
