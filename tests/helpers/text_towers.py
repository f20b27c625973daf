"""Small CLIPs with random weights, one for each family of text towers, and their tokenizers."""

import json

import open_clip
import torch
from open_clip.tokenizer import HFTokenizer

from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.clip.weights import ClipSource

VISION = {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16}
PIECES = ["a", "red", "cat", "photo", "of", "striped", "blue", "car", "##s", "color", "animal"]
SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}


def bert_clip(folder, family="bert", pooler="mean_pooler", **tokenizer_settings):
    """A CLIP with a transformers encoder. family: "bert", "roberta" or "mt5"."""
    folder.mkdir(exist_ok=True)
    pads = save_tokenizer(folder, family)
    more = {"bert": {"intermediate_size": 64}, "roberta": {"intermediate_size": 64}}.get(
        family, {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 2, "num_heads": 2}
    )
    config = {"model_type": family, "vocab_size": 30, "pad_token_id": pads, **SIZES, **more}
    (folder / "config.json").write_text(json.dumps(config))
    text = {
        "hf_model_name": str(folder),
        "hf_tokenizer_name": str(folder),
        "hf_model_pretrained": False,
        "hf_pooler_type": pooler,
        "hf_proj_type": "linear",
        "context_length": 12,
    }
    torch.manual_seed(0)
    model = open_clip.CustomTextCLIP(embed_dim=16, vision_cfg=VISION, text_cfg=text).eval()
    tokenizer = HFTokenizer(str(folder), context_length=12, **tokenizer_settings)
    config = {"embed_dim": 16, "vision_cfg": VISION, "text_cfg": text}
    return Clip(model, tokenizer, ClipSource(f"{family}-{pooler}", config, None, False))


def siglip_clip(folder):
    """A CLIP whose text tower is SigLIP's: no mask, full context, read at the last position."""
    folder.mkdir(exist_ok=True)
    save_tokenizer(folder, "mt5")
    text = {
        "context_length": 12,
        "vocab_size": 30,
        "width": 32,
        "heads": 2,
        "layers": 2,
        "no_causal_mask": True,
        "proj_bias": True,
        "pool_type": "last",
    }
    torch.manual_seed(0)
    model = open_clip.CustomTextCLIP(embed_dim=16, vision_cfg=VISION, text_cfg=text).eval()
    tokenizer = HFTokenizer(str(folder), context_length=12, clean="canonicalize")
    config = {"embed_dim": 16, "vision_cfg": VISION, "text_cfg": text}
    return Clip(model, tokenizer, ClipSource("siglip-like", config, None, False))


def save_tokenizer(folder, family) -> int:
    """Write a word-level tokenizer with the special tokens of `family`; returns the padding id."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    pad, start, end = {
        "bert": ("[PAD]", "[CLS]", "[SEP]"),
        "roberta": ("<pad>", "<s>", "</s>"),
        "mt5": ("<pad>", None, "</s>"),
    }[family]
    # RoBERTa counts positions from the padding id, which is 1 there and 0 elsewhere
    special = ["<s>", "<pad>", "</s>"] if family == "roberta" else [pad, start or "<none>", end]
    words = {piece: index for index, piece in enumerate([*special, "[UNK]", *PIECES])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    around = f"{start} $A {end}" if start else f"$A {end}"
    tokenizer.post_processor = processors.TemplateProcessing(
        single=around, special_tokens=[(mark, words[mark]) for mark in (start, end) if mark]
    )
    names = {"pad_token": pad, "unk_token": "[UNK]"}
    names |= {"eos_token": end} if start is None else {"cls_token": start, "sep_token": end}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    return words[pad]
