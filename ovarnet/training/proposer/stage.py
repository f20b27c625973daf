"""Stage "proposer": the class-agnostic detector of the two-stage model (method section 2.1)."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from ovarnet.build import build_proposer
from ovarnet.checkpoint import save_checkpoint
from ovarnet.config import ProposerTraining
from ovarnet.data.datasets import open_dataset
from ovarnet.errors import InputError
from ovarnet.training.data.base_novel_check import check_initial_models, clip_checkpoints
from ovarnet.training.engine.loop import run_stage
from ovarnet.training.proposer.data import BoxedImageBatch, BoxedImageDataset, with_base_boxes


class ProposerModel(nn.Module):
    """The proposer, called with one batch.

    Args:
        proposer: In training mode called with images and boxes, returns its losses by name.
    """

    def __init__(self, proposer: nn.Module):
        super().__init__()
        self.proposer = proposer

    def forward(self, batch: BoxedImageBatch) -> dict[str, Tensor]:
        """The losses of a batch."""
        return self.proposer(batch.images, batch.boxes)


def train_proposer(
    config: ProposerTraining, accelerator: Accelerator, *, resume: bool = False
) -> Path:
    """Train a proposer on boxes of base categories and write its checkpoint folder.

    Args:
        config: Settings of the stage.
        accelerator: Device, precision and processes.
        resume: Continue from the last saved state.

    Returns:
        The checkpoint folder.

    Raises:
        InputError: The data cannot be read or hold no box of a base category, or a novel word of
            theirs was a base word of the CLIP.
    """
    output, source = Path(config.output), config.detection
    vocabulary, annotations = open_dataset(source.dataset, source.root, source.split)
    check_initial_models(vocabulary, clip_checkpoints(config.clip), [source])
    annotations = with_base_boxes(annotations, vocabulary)[: config.limit]
    if not annotations:
        raise InputError(
            f"{source.dataset} in {source.root} has no box of a base category; the proposer "
            "learns from those alone"
        )
    torch.manual_seed(config.seed)
    proposer = build_proposer(config.kind, config.clip, imagenet_weights=config.imagenet_weights)
    trained = run_stage(
        ProposerModel(proposer),
        BoxedImageDataset(annotations, seed=config.seed),
        config,
        accelerator,
        resume=resume,
    ).proposer
    accelerator.on_main_process(save_checkpoint)(
        output / "checkpoint",
        model="proposer",
        vocabulary=vocabulary,
        parts={"proposer": trained.state_dict()},
        settings={
            "proposer": {"kind": config.kind, "clip": config.clip and config.clip.name},
            "training": asdict(config),
        },
    )
    return output / "checkpoint"
