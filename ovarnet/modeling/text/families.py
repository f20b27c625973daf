"""Which family of text towers a CLIP has."""

from __future__ import annotations

from torch import nn

from ovarnet.modeling.text.bert_tower import BertTower
from ovarnet.modeling.text.causal_tower import CausalTower
from ovarnet.modeling.text.siglip_tower import SiglipTower
from ovarnet.modeling.text.tower import TextTower


def text_tower(model: nn.Module, tokenizer: object, context_length: int) -> TextTower | None:
    """The text tower of an open_clip model, or None for a kind that takes no learnable vectors.

    Args:
        model: `open_clip.CLIP`, whose text parts are its own, or a class with `.text`.
        tokenizer: what `open_clip.get_tokenizer` gives for it.
        context_length: most tokens of a text.
    """
    module = getattr(model, "text", model)
    pool = getattr(model, "text_pool_type", None) or getattr(module, "pool_type", None)
    if CausalTower.fits(module, pool, tokenizer):
        return CausalTower(module, tokenizer, context_length)
    for family in (BertTower, SiglipTower):
        if family.fits(module, tokenizer):
            return family(module, tokenizer, context_length)
    return None
