"""Stage "catalogue_captions": titles written from photos, by the encoder of a matcher.

No source describes the captioner of Kaleido-BERT; this follows the sequence masks of unified
vision-language models: patches and [CLS] see each other, a title token sees them and the title up
to itself. N products, T tokens, P patches, D width of a patch feature.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.utils.data import Dataset

from ovarnet.catalogue.losses.pretext import accuracy, word_loss
from ovarnet.catalogue.modeling.matcher import MatcherNetwork
from ovarnet.catalogue.modeling.title_writer import title_states
from ovarnet.catalogue.modeling.wordpiece import TOKENIZER_FILE, TitleTokens, WordPiece
from ovarnet.catalogue.pretext.masking import NOT_PREDICTED
from ovarnet.catalogue.pretext.patch_tasks import WORDS
from ovarnet.catalogue.training.features import PatchFeatures
from ovarnet.catalogue.training.matcher_data import TextBatch, pad_texts
from ovarnet.catalogue.training.saving import save_model
from ovarnet.catalogue.training.start import open_start
from ovarnet.config.catalogue_bert import TitleTraining
from ovarnet.errors import InputError
from ovarnet.training.data.batch import TensorBatch
from ovarnet.training.engine.loop import run_stage
from ovarnet.training.engine.seeds import derive_seed

MASKED_SHARE = 0.5
"""Of the tokens of a title, [SEP] included."""


@dataclass
class TitleBatch(TensorBatch):
    """Photos and titles with hidden tokens.

    Attributes:
        text: With masked tokens.
        words: (N, T) int64 targets, `NOT_PREDICTED` elsewhere.
        patches: (N, P, D).
        locations: (N, P, 5).
    """

    text: TextBatch
    words: Tensor
    patches: Tensor
    locations: Tensor


class TitleDataset(Dataset):
    """Products whose titles are to be written; which tokens are hidden is drawn at every visit.

    Args:
        tokens: Of M titles.
        features: Of the photos.
        tokenizer: Names the mask.
        patches: P.
        seed: Of the run.
    """

    def __init__(
        self,
        tokens: Sequence[TitleTokens],
        features: PatchFeatures,
        tokenizer: WordPiece,
        *,
        patches: int,
        seed: int,
    ):
        self.tokens, self.features, self.tokenizer = tokens, features, tokenizer
        self.patches, self.seed = patches, seed

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitems__(self, keys: Sequence[tuple[int, int]]) -> TitleBatch:
        """The batch of (iteration, index) keys."""
        ids, targets = [], []
        for step, index in keys:
            rng = random.Random(derive_seed(self.seed, step, index))
            title = self.tokens[index].ids
            hidden = [place > 0 and rng.random() < MASKED_SHARE for place in range(len(title))]
            ids.append(
                [
                    self.tokenizer.mask if is_hidden else token
                    for token, is_hidden in zip(title, hidden, strict=True)
                ]
            )
            targets.append(
                [
                    token if is_hidden else NOT_PREDICTED
                    for token, is_hidden in zip(title, hidden, strict=True)
                ]
            )
        text = pad_texts(ids, [[0] * len(row) for row in ids], self.tokenizer.pad)
        words = torch.full(text.ids.shape, NOT_PREDICTED)
        for row, target in enumerate(targets):
            words[row, : len(target)] = torch.tensor(target)
        rows = [index for _, index in keys]
        return TitleBatch(
            text,
            words,
            torch.stack([self.features.row(row)[: self.patches] for row in rows]),
            torch.stack([self.features.location(row) for row in rows]),
        )


class TitleModel(nn.Module):
    """A matcher's network with the loss of writing titles.

    Args:
        network: With the head of words.
    """

    def __init__(self, network: MatcherNetwork):
        super().__init__()
        self.network = network
        self._measured: dict[str, Tensor] = {}

    def forward(self, batch: TitleBatch) -> dict[str, Tensor]:
        """The loss "title" of a batch."""
        text = batch.text
        states = title_states(self.network, text.ids, text.padding, batch.patches, batch.locations)
        chosen = batch.words != NOT_PREDICTED
        table = self.network.encoder.bert.tokens.weight
        logits = self.network.heads[WORDS](states[chosen], table)
        self._measured = {"title accuracy": accuracy(logits, batch.words[chosen])}
        return {"title": word_loss(logits, batch.words[chosen])}

    def measures(self) -> dict[str, Tensor]:
        """Accuracy in the last batch, for the log."""
        return self._measured


def train_captions(
    config: TitleTraining, accelerator: Accelerator, *, resume: bool = False
) -> Path:
    """Fine-tune a matcher and write the checkpoint folder of a title writer.

    Args:
        config: Settings of the stage.
        accelerator: Device, precision and processes.
        resume: Continue from the last saved state.

    Returns:
        The checkpoint folder.

    Raises:
        InputError: The matcher cannot be opened, or has no head of words.
    """
    start = open_start(config, accelerator)
    network, design, tokenizer = start.network, start.design, start.tokenizer
    if WORDS not in design.tasks:
        raise InputError(
            f"{config.init_from} was trained without the task {WORDS}, so it cannot write titles; "
            f"train it with tasks=[{WORDS},...]"
        )
    tokens = [tokenizer.encode(product.title, None, design.tokens) for product in start.products]
    data = TitleDataset(tokens, start.features, tokenizer, patches=start.patches, seed=config.seed)
    torch.manual_seed(config.seed)
    for name, head in network.heads.items():
        head.requires_grad_(name == WORDS)
    network.encoder.requires_grad_(True)
    network.encoder.bert.pooler.requires_grad_(False)
    trained = run_stage(TitleModel(network), data, config, accelerator, resume=resume).network
    settings, texts = {"matcher": asdict(design)}, {TOKENIZER_FILE: tokenizer.to_json()}
    return save_model(config, accelerator, "captions", settings, {"network": trained}, texts)
