"""An OvarNet with random weights that is quick to run and to export, and images for it."""

import numpy as np
import torch

from ovarnet.build import build_ovarnet
from ovarnet.config import OvarnetDesign
from ovarnet.modeling.clip.clip import Clip, load_clip
from ovarnet.modeling.text.prompts import LearnedPrompts, TemplatePrompts
from ovarnet.vocabulary import KINDS, Vocabulary, Word

DESIGN = {
    "channels": 16,
    "coarser_map": False,
    "short_side": (32, 96),
    "long_side": 128,
    "train_short_sides": [],
    "anchor_sizes": [8, 16, 32, 64],
    "rpn_pre_nms": (60, 60),
    "rpn_post_nms": (30, 30),
    "box_stage_width": 8,
    "proposals": 20,
    "roi_size": 4,
    "roi_canonical_size": 40,
    "width": 32,
    "layers": 1,
    "heads": 2,
    "hidden": 32,
}
WORDS = Vocabulary.of(
    categories=[Word("mug", parent="kitchen"), Word("car", synonyms=("car", "automobile"))],
    attributes=["red", "striped"],
)


def small_clip() -> Clip:
    torch.manual_seed(0)
    return load_clip("ovarnet-scenes", None, random_weights=True)


def small_ovarnet(*, learned: bool = False, **design):
    """Calibrated; with `learned` vectors in its prompts instead of templates."""
    clip = small_clip()
    torch.manual_seed(1)

    def prompts(text):
        if learned:
            return LearnedPrompts(text.text_width, (1, 1, 1))
        return TemplatePrompts(["a photo of a {}"], ["a {} thing"])

    model = build_ovarnet(clip, prompts, clip, WORDS, OvarnetDesign(**DESIGN | design))
    # scores far enough apart that rounding never swaps two boxes: at a hundredth of these
    # deviations float32 has exact ties, which every runtime orders in its own way
    torch.nn.init.normal_(model.rpn.head.cls_logits.weight, std=2.5)
    if model.box_stage is not None:
        torch.nn.init.normal_(model.box_stage.box_predictor.cls_score.weight, std=10.0)
    for kind, scale in zip(KINDS, (9.0, 11.0), strict=True):
        model.classifier.calibrate(kind, scale, -2.0)
    model.threshold = 0.4
    return model.eval()


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
