"""Stage "clip": pre-training a CLIP on image-caption pairs with the symmetric InfoNCE loss. No box
and no label is read.

N pairs of a batch, S the side of the image tower's input, D the embedding width.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path

import torch
from accelerate import Accelerator
from open_clip.loss import ClipLoss
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import Dataset
from tqdm import tqdm

from ovarnet.checkpoint import save_checkpoint
from ovarnet.config import ClipTraining
from ovarnet.data.captions import CaptionedImage, load_captions
from ovarnet.errors import InputError
from ovarnet.io.images import read_image, to_pixels
from ovarnet.io.skipped import Skipped
from ovarnet.io.word_files import read_vocabulary
from ovarnet.modeling.clip.clip import Clip, load_clip
from ovarnet.modeling.crops import crop_boxes
from ovarnet.training.clip.bag_of_words_init import start_as_bag_of_words
from ovarnet.training.engine.loop import run_stage
from ovarnet.vocabulary import Vocabulary

INIT_LOGIT_SCALE = 14.3
"""1 / 0.07, of a CLIP trained from scratch (CLIP paper, section 2.5)."""


class CaptionPairDataset(Dataset):
    """Pictures, one of their captions drawn anew at every visit.

    Pictures are letterboxed to the tower's input (method section 2.2: aspect kept, zero pad after
    normalisation). Where all of them take at most `megabytes`, they are read once and kept as
    float16, and what cannot be read is left out and logged; a larger corpus is read at every visit,
    and a picture that cannot be read then ends the run.
    """

    def __init__(
        self, records: list[CaptionedImage], clip: Clip, *, seed: int, megabytes: int = 4096
    ):
        self.seed, self.size, self.mean, self.std = seed, clip.image_size, clip.mean, clip.std
        fits = len(records) * 3 * self.size**2 * 2 <= megabytes * 2**20
        self.pictures, self.records = self._keep(records) if fits else (None, records)
        self.tokens = [clip.tokenize(record.captions) for record in self.records]

    def _keep(self, records: list[CaptionedImage]) -> tuple[Tensor, list[CaptionedImage]]:
        pictures, kept, broken = (
            torch.empty(len(records), 3, self.size, self.size, dtype=torch.float16),
            [],
            Skipped(),
        )
        for record in tqdm(records, desc="reading pictures", unit="image", mininterval=2.0):
            try:
                pictures[len(kept)] = self._picture(record)
                kept.append(record)
            except InputError as error:
                broken.add("image unreadable", str(error))
        broken.log("pictures with captions")
        if not kept:
            raise InputError(f"none of the {len(records)} pictures can be read: {broken}")
        return pictures[: len(kept)], kept

    def _picture(self, record: CaptionedImage) -> Tensor:
        """(3, S, S) float32."""
        pixels = to_pixels(read_image(record.file))
        whole = torch.tensor([[0.0, 0.0, pixels.shape[2], pixels.shape[1]]])
        return crop_boxes(pixels, whole, self.size, self.mean, self.std, enlarge=0.0)[0]

    def __len__(self) -> int:
        return len(self.records)

    def __getitems__(self, keys: list[tuple[int, int]]) -> tuple[Tensor, list[list[int]]]:
        """Batch of (iteration, index) keys -> pictures (N, 3, S, S) float32, half of them mirrored,
        and N token lists.
        """
        draw = torch.Generator().manual_seed(self.seed * 1_000_003 + keys[0][0])
        rows = [index for _, index in keys]
        pictures = (
            torch.stack([self._picture(self.records[row]) for row in rows])
            if self.pictures is None
            else self.pictures[rows].float()
        )
        mirrored = torch.rand(len(keys), generator=draw) < 0.5
        pictures[mirrored] = pictures[mirrored].flip(-1)
        choices = torch.rand(len(keys), generator=draw)
        tokens = [
            self.tokens[index][int(u * len(self.tokens[index]))]
            for (_, index), u in zip(keys, choices.tolist(), strict=True)
        ]
        return pictures, tokens


class ContrastiveModel(nn.Module):
    """A CLIP that judges a batch of pairs."""

    def __init__(self, clip: Clip, loss: nn.Module):
        super().__init__()
        self.clip, self.loss = clip.to(memory_format=torch.channels_last), loss

    def forward(self, batch: tuple[Tensor, list[list[int]]]) -> dict[str, Tensor]:
        pictures, tokens = batch
        tower = self.clip.require_text_tower()
        sequences = [tower.whole(row) for row in tokens]
        images = F.normalize(
            self.clip.encode_image(pictures.contiguous(memory_format=torch.channels_last)), dim=-1
        )
        texts = F.normalize(self.clip.encode_sequences(sequences), dim=-1)
        return {"contrastive": self.loss(images, texts, self.clip.logit_scale.exp())}


def train_clip(config: ClipTraining, accelerator: Accelerator, *, resume: bool = False) -> Path:
    """Train and write the checkpoint folder `config.output`; returns it."""
    output, root = Path(config.output), Path(config.root)
    records = load_captions(root / config.captions, root / config.images)[: config.limit]
    torch.manual_seed(config.seed)
    clip = load_clip(
        config.clip.name, config.clip.pretrained, random_weights=config.clip.pretrained is None
    )
    pairs = CaptionPairDataset(records, clip, seed=config.seed, megabytes=config.image_cache_mb)
    if config.clip.pretrained is None:
        with torch.no_grad():
            clip.logit_scale.fill_(math.log(INIT_LOGIT_SCALE))
        if config.bag_of_words_init:
            start_as_bag_of_words(clip, [row for rows in pairs.tokens for row in rows])
    loss = ClipLoss(
        local_loss=True,
        gather_with_grad=True,
        rank=accelerator.process_index,
        world_size=accelerator.num_processes,
    )
    model = ContrastiveModel(clip, loss)
    words = root / "vocabulary.json"  # the generated world's; a caption corpus has none
    best = run_stage(
        model,
        pairs,
        config.optimisation,
        accelerator,
        output=output,
        seed=config.seed,
        resume=resume,
        undecayed=[clip.token_embedding.weight],
        after_step=lambda model: model.clip.bound_logit_scale(),
    ).clip
    accelerator.on_main_process(save_checkpoint)(
        output / "checkpoint",
        model="clip",
        settings={"clip": {"name": config.clip.name}, "training": asdict(config)},
        vocabulary=read_vocabulary(words) if words.is_file() else Vocabulary(),
        parts={"clip": best.model.state_dict()},
    )
    return output / "checkpoint"
