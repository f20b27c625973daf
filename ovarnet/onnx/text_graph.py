"""The text tower as a function of token ids, for `torch.export` and ONNX."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.text.prompts import LearnedPrompts, TemplatePrompts
from ovarnet.modeling.text.tower import TextTower
from ovarnet.onnx.settings import TextSettings


class TextGraph(nn.Module):
    """Token table, the prompts' learned vectors after it, and the tower.

    Args:
        clip: whose text tower takes token embeddings.
        prompts: of the model.

    Attributes:
        settings: what prompts need to know to write the token ids.

    Raises:
        InputError: a text tower of another family.
    """

    def __init__(self, clip: Clip, prompts: TemplatePrompts | LearnedPrompts):
        super().__init__()
        tower = clip.require_text_tower()
        self._tower = (tower,)  # it is no module; its parameters belong to the CLIP
        self.clip = clip
        table = tower.token_embedding.weight.detach()
        self.settings = settings_of(tower)
        if isinstance(prompts, LearnedPrompts):
            table = torch.cat([table, prompts.vectors.detach()])
        self.table = nn.Parameter(table, requires_grad=False)
        self.eval()

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Features of padded prompts.

        Args:
            tokens: (T, L) int64 ids of whole prompts; learned vector k is `settings.tokens` + k.
            lengths: (T,) int64, tokens of each.

        Returns:
            (T, D), not L2-normalised.
        """
        return self._tower[0].encode_whole(F.embedding(tokens, self.table), lengths)


def settings_of(tower: TextTower) -> TextSettings:
    """What is kept of a tower beside its weights."""
    return TextSettings(
        start=tuple(tower.start),
        end=tuple(tower.end),
        context_length=tower.context_length,
        pad_id=tower.pad_id,
        full_context=tower.full_context,
        width=tower.width,
        tokens=tower.token_embedding.num_embeddings,
    )
