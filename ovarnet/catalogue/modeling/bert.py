"""A BERT encoder on PyTorch's transformer layers, and the reader of a Hugging Face folder.

N sequences, S tokens, H width.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ovarnet.catalogue.modeling.wordpiece import QUERY, TITLE, TOKENIZER_FILE, WordPiece
from ovarnet.checkpoint import load_weights
from ovarnet.errors import InputError
from ovarnet.io.files import read_json

EPS = 1e-12
INIT_STD, BASE_WIDTH = 0.02, 768
SEGMENTS = 3
"""Title, image, query."""

LAYER_NAMES = {
    "attention.output.dense": "self_attn.out_proj",
    "attention.output.LayerNorm": "norm1",
    "intermediate.dense": "linear1",
    "output.dense": "linear2",
    "output.LayerNorm": "norm2",
}
"""A part of Hugging Face's BertLayer -> ours; query, key and value become one matrix."""
OTHER_NAMES = {
    "embeddings.word_embeddings.weight": "tokens.weight",
    "embeddings.position_embeddings.weight": "positions.weight",
    "embeddings.token_type_embeddings.weight": "segments.weight",
    "embeddings.LayerNorm.weight": "norm.weight",
    "embeddings.LayerNorm.bias": "norm.bias",
    "pooler.dense.weight": "pooler.weight",
    "pooler.dense.bias": "pooler.bias",
}


class Bert(nn.Module):
    """Post-norm transformer with token, position and segment embeddings.

    Args:
        vocabulary: Number of tokens.
        hidden: H.
        layers: Number of layers.
        heads: Of the attention.
        feed_forward: Width of the feed-forward layers.
        positions: Most tokens of a text.
        dropout: Of embeddings and layers.
    """

    def __init__(
        self,
        *,
        vocabulary: int,
        hidden: int,
        layers: int,
        heads: int,
        feed_forward: int,
        positions: int = 512,
        dropout: float = 0.1,
    ):
        super().__init__()
        self.hidden, self.heads, self.feed_forward = hidden, heads, feed_forward
        self.tokens = nn.Embedding(vocabulary, hidden)
        self.positions = nn.Embedding(positions, hidden)
        self.segments = nn.Embedding(SEGMENTS, hidden)
        self.norm = nn.LayerNorm(hidden, eps=EPS)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(
            _layer(hidden, heads, feed_forward, dropout) for _ in range(layers)
        )
        self.pooler = nn.Linear(hidden, hidden)
        self.apply(init_weights)

    def embed(self, ids: Tensor, segments: Tensor) -> Tensor:
        """Embeddings of texts.

        Args:
            ids: (N, T) int64.
            segments: (N, T) int64, TITLE, IMAGE or QUERY.

        Returns:
            (N, T, H).
        """
        places = torch.arange(ids.shape[1], device=ids.device)
        summed = self.tokens(ids) + self.positions(places) + self.segments(segments)
        return self.dropout(self.norm(summed))

    def encode(self, tokens: Tensor, padding: Tensor, hidden_pairs: Tensor | None = None) -> Tensor:
        """Run the layers.

        Args:
            tokens: (N, S, H) embeddings.
            padding: (N, S) bool, True where there is no token.
            hidden_pairs: (S, S) bool, True where a token (row) must not see another (column); None:
                all see all.

        Returns:
            (N, S, H).
        """
        for layer in self.layers:
            tokens = layer(tokens, src_mask=hidden_pairs, src_key_padding_mask=padding)
        return tokens

    def pool(self, states: Tensor) -> Tensor:
        """BERT's pooled output: (N, S, H) states -> (N, H) of the first token."""
        return torch.tanh(self.pooler(states[:, 0]))


def init_weights(module: nn.Module) -> None:
    """BERT's random weights, biases 0; for `nn.Module.apply`.

    BERT draws with deviation 0.02 at a width of 768; narrower layers get the gain that this has
    there.
    """
    if isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=INIT_STD)
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=init_deviation(module.in_features))
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.MultiheadAttention):
        nn.init.normal_(module.in_proj_weight, std=init_deviation(module.embed_dim))


def init_deviation(width: int) -> float:
    """Of the weights of a layer with so many inputs: 0.02 from BERT-base's width on."""
    return INIT_STD * max(1.0, BASE_WIDTH / width) ** 0.5


def load_bert(folder: str | Path, *, layers: int | None, dropout: float) -> tuple[Bert, WordPiece]:
    """Read a BERT of Hugging Face's layout.

    Args:
        folder: With config.json, model.safetensors and tokenizer.json.
        layers: How many of its layers are kept, from the first; None: all.
        dropout: Of embeddings and layers.

    Returns:
        The encoder, in float32 in training mode, and its tokenizer. The pooler is random where the
        file has none; the query's segment starts as the title's.

    Raises:
        InputError: A file is missing or damaged, another architecture, or a tokenizer of another
            size.
    """
    folder = Path(folder)
    settings = read_json(folder / "config.json", dict)
    tokenizer = WordPiece.read(folder / TOKENIZER_FILE)
    bert = Bert(**_sizes(settings, folder / "config.json", layers), dropout=dropout)
    if tokenizer.size != len(bert.tokens.weight):
        raise InputError(
            f"{folder}: tokenizer.json has {tokenizer.size:,} pieces and the weights "
            f"{len(bert.tokens.weight):,}; take both from one model"
        )
    state = _renamed(_read(folder / "model.safetensors"), len(bert.layers))
    state["segments.weight"] = _with_query(state, bert)
    for name in ("pooler.weight", "pooler.bias"):
        state.setdefault(name, bert.state_dict()[name])
    load_weights(bert, state, folder / "model.safetensors")
    return bert, tokenizer


def _layer(hidden: int, heads: int, feed_forward: int, dropout: float) -> nn.Module:
    layer = nn.TransformerEncoderLayer(
        hidden, heads, feed_forward, dropout, "gelu", layer_norm_eps=EPS, batch_first=True
    )
    layer.dropout.p = 0.0  # PyTorch drops out after the activation too, BERT does not
    return layer


def _sizes(settings: dict[str, Any], source: Path, layers: int | None) -> dict[str, int]:
    names = {
        "vocabulary": "vocab_size",
        "hidden": "hidden_size",
        "layers": "num_hidden_layers",
        "heads": "num_attention_heads",
        "feed_forward": "intermediate_size",
        "positions": "max_position_embeddings",
    }
    missing = [name for name in names.values() if not isinstance(settings.get(name), int)]
    if missing or settings.get("model_type", "bert") != "bert":
        lacks = f"has no {missing[0]}" if missing else f"is of a {settings['model_type']}"
        raise InputError(f"{source} {lacks}; give the folder of a BERT")
    sizes = {ours: int(settings[theirs]) for ours, theirs in names.items()}
    if layers is not None:
        if layers > sizes["layers"]:
            raise InputError(
                f"{source}: encoder.layers is {layers}, and this BERT has {sizes['layers']}"
            )
        sizes["layers"] = layers
    return sizes


def _read(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise InputError(f"{path} does not exist; a BERT folder needs its weights as safetensors")
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is damaged or truncated ({error}); copy it again") from None


def _renamed(weights: dict[str, Tensor], layers: int) -> dict[str, Tensor]:
    """Hugging Face's tensors under our names; heads, buffers and later layers are left out."""
    state: dict[str, Tensor] = {}
    parts: dict[str, dict[str, Tensor]] = {}
    for name, tensor in weights.items():
        # BERT-base as Google released it calls the parameters of LayerNorm gamma and beta
        name = name.removeprefix("bert.").replace("gamma", "weight").replace("beta", "bias")
        layer = re.fullmatch(r"encoder\.layer\.(\d+)\.(.+)\.(weight|bias)", name)
        if name in OTHER_NAMES:
            state[OTHER_NAMES[name]] = tensor.float()
        elif layer and int(layer[1]) < layers:
            if layer[2] in LAYER_NAMES:
                ours = f"layers.{layer[1]}.{LAYER_NAMES[layer[2]]}.{layer[3]}"
                state[ours] = tensor.float()
            else:
                joint = f"layers.{layer[1]}.self_attn.in_proj_{layer[3]}"
                parts.setdefault(joint, {})[layer[2].rpartition(".")[2]] = tensor.float()
    for name, part in parts.items():
        if part.keys() == {"query", "key", "value"}:
            state[name] = torch.cat([part["query"], part["key"], part["value"]])
    return state


def _with_query(state: dict[str, Tensor], bert: Bert) -> Tensor:
    """BERT's two segments, and the query's row, which starts as the title's."""
    rows = state.get("segments.weight")
    if rows is None or not 1 <= len(rows) < QUERY + 1:
        return bert.segments.weight.detach() if rows is None else rows
    if len(rows) == 1:  # a model without pairs
        rows = torch.cat([rows, bert.segments.weight[1:2].detach()])
    return torch.cat([rows, rows[TITLE : TITLE + 1]])
