"""BERT-like text towers of open_clip (`HFTextEncoder`): bidirectional, with a pooler of their own.

BERT, RoBERTa, XLM-RoBERTa (the multilingual CLIPs), Chinese RoBERTa, MiniLM and the encoders of
T5 and mT5, read by mean, [CLS] or pooler output.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from open_clip.hf_model import HFTextEncoder
from open_clip.tokenizer import HFTokenizer
from torch import Tensor, nn

from ovarnet.modeling.text.tower import TextTower


class BertTower(TextTower):
    """A transformers encoder, its pooler and projection.

    Padding is masked by length, not by comparing ids with the padding id, so a learnable vector is
    never taken for padding. A prompt's features do not depend on how far the batch is padded.
    """

    def __init__(self, module: HFTextEncoder, tokenizer: HFTokenizer, context_length: int):
        self.module, self.tokenizer, self.context_length = module, tokenizer, context_length
        self.token_embedding = module.transformer.get_input_embeddings()
        self.start, self.end = _marks(tokenizer)

    @staticmethod
    def fits(module: nn.Module, tokenizer: object) -> bool:
        """Whether `module` is such a tower."""
        return isinstance(module, HFTextEncoder) and isinstance(tokenizer, HFTokenizer)

    def tokenize(self, strings: Sequence[str]) -> list[list[int]]:
        """See `TextTower.tokenize`."""
        return hf_tokenize(self.tokenizer, strings)

    def encode(self, embeddings: Tensor, lengths: Tensor) -> Tensor:
        """See `TextTower.encode`."""
        if not len(lengths):
            return embeddings.new_zeros(0, self.module.output_dim)
        return self.encode_whole(embeddings[:, : int(lengths.max())], lengths)

    def encode_whole(self, embeddings: Tensor, lengths: Tensor) -> Tensor:
        """See `TextTower.encode_whole`."""
        module, length = self.module, embeddings.shape[1]
        mask = (torch.arange(length, device=lengths.device) < lengths[:, None]).long()
        out = module.transformer(inputs_embeds=embeddings, attention_mask=mask)
        return module.proj(module.pooler(out, mask))


def hf_tokenize(tokenizer: HFTokenizer, strings: Sequence[str]) -> list[list[int]]:
    """Token ids of each string, cleaned as open_clip cleans it, without special tokens."""
    if not strings:
        return []
    cleaned = [tokenizer.clean_fn(string) for string in strings]
    ids = tokenizer.tokenizer(cleaned, add_special_tokens=False, verbose=False).input_ids
    return [list(row) for row in ids]


def _marks(tokenizer: HFTokenizer) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The special tokens that the tokenizer puts before and after a text."""
    text = "a"
    plain = hf_tokenize(tokenizer, [text])[0]
    whole = list(tokenizer.tokenizer([text]).input_ids[0])
    at = next(i for i in range(len(whole)) if whole[i : i + len(plain)] == plain)
    start, end = tuple(whole[:at]), tuple(whole[at + len(plain) :])
    # open_clip replaces a stripped [SEP] by 0, which BERT's mask then takes for padding
    return start, () if tokenizer.strip_sep_token else end
