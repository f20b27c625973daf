"""Stage "region_head": OvarNet on a proposer's detector (method sections 5 and 6).

Where trunk, pyramid, RPN and box stage are frozen, a region of a photo has the same cells at every
visit. They are computed once, with what the teacher gives for the crop, and the region head is
trained on them in minutes.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch
from accelerate import Accelerator

from ovarnet.build import build_ovarnet, checkpoint_clip_attr, checkpoint_prompts
from ovarnet.checkpoint import Checkpoint, load_weights
from ovarnet.config import RegionHeadTraining
from ovarnet.errors import InputError
from ovarnet.modeling.clip.concept_tower import ConceptTower
from ovarnet.modeling.clip_attr import ClipAttr
from ovarnet.modeling.concept_roi_head import ConceptStages
from ovarnet.modeling.ovarnet import OvarNet
from ovarnet.training.clip_attr.checkpoints import open_proposer_checkpoint
from ovarnet.training.data.base_novel_check import check_base_novel
from ovarnet.training.data.held_out import best_by_loss, check_held_out, check_same_words
from ovarnet.training.distillation.data import DistillationData
from ovarnet.training.distillation.stage import open_teacher, save_ovarnet
from ovarnet.training.engine.best_weights import BestWeights
from ovarnet.training.engine.loop import run_stage
from ovarnet.training.engine.sampling import IterationSampler
from ovarnet.training.region_head.data import RegionDataset, label_regions
from ovarnet.training.region_head.images import merge_images
from ovarnet.training.region_head.model import RegionHeadModel
from ovarnet.training.region_head.region_cache import cache_regions


def train_region_head(
    config: RegionHeadTraining,
    accelerator: Accelerator,
    *,
    resume: bool = False,
) -> Path:
    """Train the region head and write the checkpoint folder.

    Args:
        config: Settings of the stage.
        accelerator: Of the process.
        resume: Continue from the last saved state in `config.output`.

    Returns:
        The checkpoint folder.

    Raises:
        InputError: The teacher is no calibrated CLIP-Attr on a photo CLIP, the detector has another
            design, data are missing, or a novel word of the data was a base word of an earlier
            stage.
    """
    output = Path(config.output)
    checkpoint = open_teacher(config.teacher)
    data = DistillationData.open(config)
    check_base_novel(data.vocabulary, checkpoint)

    clip_attr = checkpoint_clip_attr(checkpoint).eval()
    torch.manual_seed(config.seed)
    student = build_student(config, checkpoint, clip_attr, data)
    folder = Path(config.regions or config.output)
    with accelerator.main_process_first():  # the others read what it has stored
        dataset = open_regions(config, student, clip_attr, data, folder)
        best = held_out_choice(
            config, student, clip_attr, data, folder, accelerator.is_main_process
        )
    model = RegionHeadModel(
        student,
        clip_attr.clip.model.visual,
        dataset.regions.pooled.float().std(dim=0),
        config.loss_weights,
        data.weights(),
    )
    trained = run_stage(
        model,
        dataset,
        config,
        accelerator,
        resume=resume,
        after_step=RegionHeadModel.bound_scales,
        best=best,
    )
    accelerator.on_main_process(save_ovarnet)(
        output / "checkpoint",
        trained.model,
        trained.scales,
        checkpoint,
        clip_attr.clip.name,
        config,
    )
    return output / "checkpoint"


def open_regions(
    config: RegionHeadTraining,
    student: OvarNet,
    clip_attr: ClipAttr,
    data: DistillationData,
    folder: Path,
) -> RegionDataset:
    """Regions of all images, stored in a folder, with their labels."""
    images = merge_images(image for source in data.sources.values() for image in source)
    number = config.proposals_per_image
    regions = cache_regions(student, clip_attr.clip, images, number, folder, config.design)
    return RegionDataset(regions, label_regions(images, regions), seed=config.seed)


def held_out_choice(
    config: RegionHeadTraining,
    student: OvarNet,
    clip_attr: ClipAttr,
    data: DistillationData,
    folder: Path,
    is_main: bool,
) -> BestWeights | None:
    """What chooses among the weights by the loss on the validation split; None without one.

    Raises:
        InputError: The split is trained on, or has other base words than the training data.
    """
    settings = config.validation
    if settings.split is None:
        return None
    check_held_out(settings.split, config.detection, config.attributes)
    held_out = DistillationData.open(config, split=settings.split)
    check_same_words(settings.split, held_out.base, data.base)
    dataset = open_regions(config, student, clip_attr, held_out, folder)
    keys = IterationSampler(
        len(dataset), config.optimisation.batch_size, settings.batches, seed=config.seed
    )
    return best_by_loss(dataset, keys, settings, Path(config.output), is_main=is_main)


def build_student(
    config: RegionHeadTraining, teacher: Checkpoint, clip_attr: ClipAttr, data: DistillationData
) -> OvarNet:
    """Build OvarNet before training, with the proposer's detector.

    Raises:
        InputError: The teacher's CLIP is no photo CLIP, or the head is another one.
    """
    if not isinstance(clip_attr.clip.model.visual, ConceptTower):
        raise InputError(
            f"stage region_head needs a CLIP such as ovarnet-photos, and {config.teacher} has "
            f"{clip_attr.clip.name}; use stage ovarnet"
        )
    student = build_ovarnet(
        clip_attr.clip,
        partial(checkpoint_prompts, teacher),
        clip_attr.clip,
        data.vocabulary,
        config.design,
    )
    if not isinstance(student.head.cells, ConceptStages):
        raise InputError(
            f"design.head is {config.design.head}; stage region_head trains the head clip"
        )
    student.classifier.calibration.copy_(clip_attr.classifier.calibration)
    load_detector(student, config.detector, data)
    return student


def load_detector(student: OvarNet, name: str, data: DistillationData) -> None:
    """Take pyramid, RPN and box stage from a proposer.

    Args:
        student: Is changed.
        name: A checkpoint folder that holds a proposer.
        data: Of the run.

    Raises:
        InputError: Its design is another one, or a novel word of the data was a base word there.
    """
    checkpoint = open_proposer_checkpoint(name)
    check_base_novel(data.vocabulary, checkpoint)
    found = checkpoint.part("proposer")
    for prefix, part in (
        ("detector.backbone.", student.backbone),
        ("detector.rpn.", student.rpn),
        ("detector.roi_heads.", student.box_stage),
    ):
        if part is not None:
            own = {
                key.removeprefix(prefix): tensor
                for key, tensor in found.items()
                if key.startswith(prefix)
            }
            load_weights(part, own, checkpoint.folder / "proposer.safetensors")
