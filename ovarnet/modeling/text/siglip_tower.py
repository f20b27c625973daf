"""SigLIP's text tower: bidirectional, padded to the full context, read at the last position."""

from __future__ import annotations

from collections.abc import Sequence

from open_clip.tokenizer import HFTokenizer
from open_clip.transformer import TextTransformer
from torch import Tensor, nn

from ovarnet.modeling.text.bert_tower import hf_tokenize
from ovarnet.modeling.text.causal_tower import project
from ovarnet.modeling.text.tower import TextTower


class SiglipTower(TextTower):
    """A `TextTransformer` without a mask. It attends to its padding, as it did in training."""

    full_context = True

    def __init__(self, module: TextTransformer, tokenizer: HFTokenizer, context_length: int):
        self.module, self.tokenizer, self.context_length = module, tokenizer, context_length
        self.token_embedding = module.token_embedding
        special = tokenizer.tokenizer
        self.start, self.pad_id = (), special.pad_token_id
        whole = special(["a"]).input_ids[0]
        self.end = tuple(whole[len(hf_tokenize(tokenizer, ["a"])[0]) :])

    @staticmethod
    def fits(module: nn.Module, tokenizer: object) -> bool:
        """Whether `module` is such a tower."""
        return (
            isinstance(module, TextTransformer)
            and isinstance(tokenizer, HFTokenizer)
            and module.attn_mask is None
            and module.cls_emb is None
            and not module.use_pad_mask
            and module.pool_type == "last"
        )

    def tokenize(self, strings: Sequence[str]) -> list[list[int]]:
        """See `TextTower.tokenize`."""
        return hf_tokenize(self.tokenizer, strings)

    def encode(self, embeddings: Tensor, lengths: Tensor) -> Tensor:
        """See `TextTower.encode`."""
        return self.encode_whole(embeddings, lengths)

    def encode_whole(self, embeddings: Tensor, lengths: Tensor) -> Tensor:  # noqa: ARG002
        """See `TextTower.encode_whole`."""
        module = self.module
        dtype = module.transformer.get_cast_dtype()
        tokens = embeddings.to(dtype) + module.positional_embedding.to(dtype)
        tokens = module.ln_final(module.transformer(tokens, attn_mask=None))
        return project(tokens[:, -1], module.text_projection)
