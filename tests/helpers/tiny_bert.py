"""A BERT of a few thousand weights in the exact files of Hugging Face, with random weights."""

from pathlib import Path

import torch
from transformers import BertConfig, BertForPreTraining, BertModel

from ovarnet.catalogue.modeling.wordpiece import WordPiece

TITLES = [
    "Red running shoes for women",
    "Blue striped mug",
    "Black leather belt with buckle",
    "Green cotton shirt",
]


def tiny_bert(folder: Path, *, layers: int = 2, kind: type = BertModel, width: int = 16):
    """Write the folder; returns transformers' model in evaluation mode."""
    tokenizer = WordPiece.train(TITLES * 2, 120)
    config = BertConfig(
        vocab_size=tokenizer.size,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=4 * width,
        max_position_embeddings=40,
        initializer_range=0.3,
    )
    torch.manual_seed(0)
    model = kind(config).eval()
    model.save_pretrained(folder)
    (folder / "tokenizer.json").write_text(tokenizer.to_json(), encoding="utf-8")
    return model


__all__ = ["TITLES", "BertForPreTraining", "tiny_bert"]
