"""Stage "proposer": the class-agnostic detector of the two-stage model (method section 2.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from ovarnet.build import build_proposer
from ovarnet.checkpoint import save_checkpoint
from ovarnet.config import ProposerTraining
from ovarnet.data.datasets import open_dataset
from ovarnet.errors import InputError
from ovarnet.proposals.detector import DetectorProposer
from ovarnet.structures import Annotations
from ovarnet.training.data.base_novel_check import check_initial_models, clip_checkpoints
from ovarnet.training.data.held_out import best_by_loss, check_held_out, check_same_words
from ovarnet.training.engine.best_weights import BestWeights
from ovarnet.training.engine.loop import run_stage
from ovarnet.training.proposer.data import BoxedImageBatch, BoxedImageDataset, with_base_boxes
from ovarnet.training.proposer.trunk_maps import TrunkMapBatch, TrunkMapDataset
from ovarnet.vocabulary import Vocabulary


class ProposerModel(nn.Module):
    """The proposer, called with one batch.

    Args:
        proposer: In training mode called with images and boxes, returns its losses by name.
    """

    def __init__(self, proposer: DetectorProposer):
        super().__init__()
        self.proposer = proposer

    def forward(self, batch: BoxedImageBatch | TrunkMapBatch) -> dict[str, Tensor]:
        """The losses of a batch."""
        if isinstance(batch, TrunkMapBatch):
            return self.proposer.losses_on_maps(batch.maps, batch.boxes, batch.sizes)
        return self.proposer(batch.images, batch.boxes)

    def train(self, mode: bool = True) -> ProposerModel:
        """Set the mode of this module; the proposer always trains, or it would have no losses.

        Measured on held-out images it gives the losses of training: it has no dropout, and its
        BatchNorm is frozen.
        """
        super().train(mode)
        self.proposer.train()
        return self


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
        InputError: The data cannot be read or hold no box of a base category, a novel word of
            theirs was a base word of the CLIP, or the validation split cannot be used.
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
    proposer.to(accelerator.device)
    with accelerator.main_process_first():  # the others read the maps that it has stored
        dataset = open_images(config, proposer, annotations, config.views)
        best = held_out_choice(config, proposer, vocabulary, accelerator.is_main_process)
    trained = run_stage(
        ProposerModel(proposer),
        dataset,
        config,
        accelerator,
        resume=resume,
        make_sampler=partial(dataset.sampler, config.optimisation.batch_size),
        best=best,
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


def open_images(
    config: ProposerTraining,
    proposer: DetectorProposer,
    annotations: Sequence[Annotations],
    views: int,
) -> BoxedImageDataset | TrunkMapDataset:
    """What is trained on or measured: images, or the kept maps of `views` of each."""
    if not views:
        return BoxedImageDataset(annotations, seed=config.seed)
    folder = Path(config.maps or config.output)
    return TrunkMapDataset(proposer, annotations, folder, views=views)


def held_out_choice(
    config: ProposerTraining, proposer: DetectorProposer, vocabulary: Vocabulary, is_main: bool
) -> BestWeights | None:
    """What chooses among the weights by the loss on the validation split; None without one.

    Raises:
        InputError: The split is trained on, has no box of a base category, or has other words than
            the training data.
    """
    settings, source = config.validation, config.detection
    if settings.split is None:
        return None
    check_held_out(settings.split, source)
    words, annotations = open_dataset(
        source.dataset, source.root, settings.split, base_words_only=True
    )
    check_same_words(settings.split, words, vocabulary)
    annotations = with_base_boxes(annotations, words)[: config.limit]
    dataset = open_images(config, proposer, annotations, min(config.views, 1))
    keys = dataset.sampler(config.optimisation.batch_size, settings.batches, seed=config.seed)
    return best_by_loss(dataset, keys, settings, Path(config.output), is_main=is_main)
