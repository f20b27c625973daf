"""Stage "clip": pre-training a CLIP on image-caption pairs; no box and no label is read.

N pairs of a batch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from accelerate import Accelerator
from open_clip.loss import ClipLoss
from torch import Tensor, nn
from torch.nn import functional as F

from ovarnet.checkpoint import save_checkpoint
from ovarnet.config import ClipTraining
from ovarnet.data.captions import CaptionedImage, load_captions
from ovarnet.io.word_files import read_vocabulary
from ovarnet.modeling.clip.clip import Clip, load_clip
from ovarnet.training.clip.bag_of_words_init import init_as_bag_of_words
from ovarnet.training.clip.data import CaptionPairBatch, CaptionPairDataset
from ovarnet.training.data.held_out import (
    best_on_batches,
    check_held_out_captions,
    whole_batches,
)
from ovarnet.training.engine.best_weights import BestWeights
from ovarnet.training.engine.loop import run_stage
from ovarnet.training.engine.sampling import IterationSampler
from ovarnet.vocabulary import Vocabulary

INIT_LOGIT_SCALE = 14.3
"""1 / 0.07, of a CLIP trained from scratch (CLIP paper, section 2.5)."""


class ContrastiveModel(nn.Module):
    """A CLIP with its loss.

    Args:
        clip: Both towers are trained.
        loss: Of (N, D) image and text features of unit length and the logit scale.
    """

    def __init__(self, clip: Clip, loss: nn.Module):
        super().__init__()
        self.clip, self.loss = clip.to(memory_format=torch.channels_last), loss

    def forward(self, batch: CaptionPairBatch) -> dict[str, Tensor]:
        """The loss "contrastive" of a batch."""
        tower = self.clip.require_text_tower()
        sequences = [tower.whole(tokens) for tokens in batch.tokens]
        pixels = batch.images.contiguous(memory_format=torch.channels_last)
        images = F.normalize(self.clip.encode_image(pixels), dim=-1)
        texts = F.normalize(self.clip.encode_sequences(sequences), dim=-1)
        return {"contrastive": self.loss(images, texts, self.clip.logit_scale.exp())}


def train_clip(config: ClipTraining, accelerator: Accelerator, *, resume: bool = False) -> Path:
    """Train a CLIP and write its checkpoint folder.

    Args:
        config: Settings of the stage.
        accelerator: Device, precision and processes.
        resume: Continue from the last saved state.

    Returns:
        The checkpoint folder.

    Raises:
        InputError: Captions or images cannot be read, or the validation captions cannot be used.
    """
    output, root = Path(config.output), Path(config.root)
    images = load_captions(root / config.captions, root / config.images)[: config.limit]
    torch.manual_seed(config.seed)
    clip = load_clip(
        config.clip.name, config.clip.pretrained, random_weights=config.clip.pretrained is None
    )
    best = held_out_choice(config, images, clip, accelerator)
    pairs = CaptionPairDataset(images, clip, seed=config.seed, megabytes=config.image_cache_mb)
    if config.clip.pretrained is None:
        init_from_scratch(clip, pairs, as_bag_of_words=config.bag_of_words_init)

    loss = ClipLoss(
        local_loss=True,
        gather_with_grad=True,
        rank=accelerator.process_index,
        world_size=accelerator.num_processes,
    )
    trained = run_stage(
        ContrastiveModel(clip, loss),
        pairs,
        config,
        accelerator,
        resume=resume,
        undecayed=[clip.token_embedding.weight],
        after_step=lambda model: model.clip.bound_logit_scale(),
        best=best,
    ).clip

    words = root / "vocabulary.json"  # the generated world has one, a caption corpus has not
    accelerator.on_main_process(save_checkpoint)(
        output / "checkpoint",
        model="clip",
        settings={"clip": {"name": config.clip.name}, "training": asdict(config)},
        vocabulary=read_vocabulary(words) if words.is_file() else Vocabulary(),
        parts={"clip": trained.model.state_dict()},
    )
    return output / "checkpoint"


def held_out_choice(
    config: ClipTraining, trained: Sequence[CaptionedImage], clip: Clip, accelerator: Accelerator
) -> BestWeights | None:
    """What chooses among the weights by the loss on validation captions; None without them.

    As in training, each process measures its part of every batch.

    Args:
        config: Settings of the stage.
        trained: Images of the training captions.
        clip: Gives input size, normalisation and tokenizer.
        accelerator: Of the process.

    Raises:
        InputError: The captions have no image, one that is trained on, or less than a batch.
    """
    settings, root = config.validation, Path(config.root)
    if settings.captions is None:
        return None
    images = load_captions(root / settings.captions, root / config.images)
    check_held_out_captions(settings.captions, images, trained)
    pairs = CaptionPairDataset(
        images, clip, seed=config.seed, megabytes=config.image_cache_mb, flip=False
    )
    size = config.optimisation.batch_size
    keys = IterationSampler(
        len(pairs),
        size,
        whole_batches(settings.captions, len(pairs), size, settings.batches),
        seed=config.seed,
        rank=accelerator.process_index,
        world=accelerator.num_processes,
    )
    return best_on_batches(
        pairs, keys, settings, Path(config.output), is_main=accelerator.is_main_process
    )


@torch.no_grad()
def init_from_scratch(clip: Clip, pairs: CaptionPairDataset, *, as_bag_of_words: bool) -> None:
    """Initial temperature of a CLIP with random weights and, if asked for, its text tower."""
    clip.logit_scale.fill_(math.log(INIT_LOGIT_SCALE))
    if as_bag_of_words:
        init_as_bag_of_words(clip, [tokens for captions in pairs.tokens for tokens in captions])
