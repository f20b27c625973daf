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
        concepts: (K, D) what categories are compared with (`TextClassifier.joint_concepts`); they
            are a second output, which no input changes. None: there is no such output.

    Attributes:
        settings: what prompts need to know to write the token ids.

    Raises:
        InputError: a text tower of another family.
    """

    concept_rows: Tensor | None

    def __init__(
        self,
        clip: Clip,
        prompts: TemplatePrompts | LearnedPrompts,
        concepts: Tensor | None = None,
    ):
        super().__init__()
        tower = clip.require_text_tower()
        self._tower = (tower,)  # it is no module; its parameters belong to the CLIP
        self.clip = clip
        table = tower.token_embedding.weight.detach()
        self.settings = settings_of(tower, has_concepts=concepts is not None)
        if isinstance(prompts, LearnedPrompts):
            table = torch.cat([table, prompts.vectors.detach()])
        self.table = nn.Parameter(table, requires_grad=False)
        self.register_buffer("concept_rows", concepts)  # an output is named concepts
        self.eval()

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what `forward` returns."""
        return ("embeddings",) if self.concept_rows is None else ("embeddings", "concepts")

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Features of padded prompts.

        Args:
            tokens: (T, L) int64 ids of whole prompts; learned vector k is `settings.tokens` + k.
            lengths: (T,) int64, tokens of each.

        Returns:
            (T, D), not L2-normalised; and the concepts (K, D), if there are any.
        """
        embeddings = self._tower[0].encode_whole(F.embedding(tokens, self.table), lengths)
        return embeddings if self.concept_rows is None else (embeddings, self.concept_rows.clone())


def settings_of(tower: TextTower, *, has_concepts: bool = False) -> TextSettings:
    """What is kept of a tower beside its weights."""
    return TextSettings(
        start=tuple(tower.start),
        end=tuple(tower.end),
        context_length=tower.context_length,
        pad_id=tower.pad_id,
        full_context=tower.full_context,
        width=tower.width,
        tokens=tower.token_embedding.num_embeddings,
        has_concepts=has_concepts,
    )
