"""Stage "proposer": the class-agnostic detector of the two-stage model, trained on boxes of base
categories only (method section 2.1).
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.utils.data import Dataset

from ovarnet.build import build_proposer
from ovarnet.checkpoint import save_checkpoint
from ovarnet.config import ProposerTraining
from ovarnet.data.datasets import open_dataset
from ovarnet.errors import InputError
from ovarnet.io.images import read_image, to_pixels
from ovarnet.structures import Annotations
from ovarnet.training.data.crops import hflip_boxes
from ovarnet.training.engine.loop import run_stage
from ovarnet.vocabulary import Vocabulary


class BoxedImageDataset(Dataset):
    """Images with their boxes, mirrored half of the time; read from disk at every visit."""

    def __init__(self, annotations: list[Annotations], *, seed: int):
        self.annotations, self.seed = annotations, seed

    def __len__(self) -> int:
        return len(self.annotations)

    def __getitems__(self, keys: list[tuple[int, int]]) -> tuple[list[Tensor], list[Tensor]]:
        """Batch of (iteration, index) keys -> images, each (3, H, W) float32 in [0, 1], and their
        boxes, each (N, 4) xyxy pixels.
        """
        draw = torch.Generator().manual_seed(self.seed * 1_000_003 + keys[0][0])
        mirrored = (torch.rand(len(keys), generator=draw) < 0.5).tolist()
        samples = [
            self._sample(self.annotations[index], flip)
            for (_, index), flip in zip(keys, mirrored, strict=True)
        ]
        return [image for image, _ in samples], [boxes for _, boxes in samples]

    @staticmethod
    def _sample(annotation: Annotations, mirrored: bool) -> tuple[Tensor, Tensor]:
        image = to_pixels(read_image(annotation.file))
        boxes = annotation.boxes[~annotation.is_crowd]
        return (image.flip(-1), hflip_boxes(boxes, image.shape[2])) if mirrored else (image, boxes)


class ProposerModel(nn.Module):
    """The proposer, called with one batch."""

    def __init__(self, proposer: nn.Module):
        super().__init__()
        self.proposer = proposer

    def forward(self, batch: tuple[list[Tensor], list[Tensor]]) -> dict[str, Tensor]:
        return self.proposer(*batch)


def base_boxes(annotations: list[Annotations], vocabulary: Vocabulary) -> list[Annotations]:
    """Only the boxes whose category is seen; images left without a box are dropped. A novel box
    never reaches the loss.
    """
    seen = vocabulary.category_seen
    kept = [
        image[(image.categories >= 0) & seen[image.categories.clamp(min=0)]]
        for image in annotations
    ]
    return [image for image in kept if len(image)]


def train_proposer(
    config: ProposerTraining, accelerator: Accelerator, *, resume: bool = False
) -> Path:
    """Train and write the checkpoint folder; returns it."""
    output, source = Path(config.output), config.detection
    vocabulary, images = open_dataset(source.dataset, source.root, source.split)
    images = base_boxes(images, vocabulary)[: config.limit]
    if not images:
        raise InputError(
            f"{source.dataset} in {source.root} has no box of a base category; the proposer "
            "learns from those alone"
        )
    torch.manual_seed(config.seed)
    model = ProposerModel(
        build_proposer(config.kind, config.clip, imagenet_weights=config.imagenet_weights)
    )
    best = run_stage(
        model,
        BoxedImageDataset(images, seed=config.seed),
        config.optimisation,
        accelerator,
        output=output,
        seed=config.seed,
        resume=resume,
    ).proposer
    accelerator.on_main_process(save_checkpoint)(
        output / "checkpoint",
        model="proposer",
        vocabulary=vocabulary,
        parts={"proposer": best.state_dict()},
        settings={
            "proposer": {"kind": config.kind, "clip": config.clip and config.clip.name},
            "training": asdict(config),
        },
    )
    return output / "checkpoint"
