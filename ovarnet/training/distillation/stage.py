"""Stage "ovarnet": the one-stage model learns from base boxes and from CLIP-Attr (method sections 5
and 6).

R regions of a batch, T of them with an answer of the teacher.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path

import torch
from accelerate import Accelerator

from ovarnet.build import build_ovarnet, checkpoint_clip_attr, checkpoint_prompts, open_clip_tower
from ovarnet.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from ovarnet.config import OvarnetTraining
from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.clip_attr import ClipAttr
from ovarnet.modeling.ovarnet import OvarNet
from ovarnet.proposals.store import stored_proposals
from ovarnet.training.data.base_novel_check import check_base_novel
from ovarnet.training.data.crops import ImageCache
from ovarnet.training.distillation.criterion import (
    OvarnetCriterion,
)
from ovarnet.training.distillation.data import DistillationData, TrainingImage
from ovarnet.training.distillation.dataset import DistillationDataset
from ovarnet.training.distillation.model import DistillationModel
from ovarnet.training.distillation.teacher import Teacher, teacher_cache, teacher_proposals
from ovarnet.training.engine.loop import run_stage
from ovarnet.training.engine.sampling import OrientedSampler
from ovarnet.vocabulary import KINDS


def train_ovarnet(
    config: OvarnetTraining,
    accelerator: Accelerator,
    *,
    resume: bool = False,
    data: DistillationData | None = None,
    images: ImageCache | None = None,
    cache_folder: Path | None = None,
) -> Path:
    """Train and write the checkpoint folder; returns it. data, images, cache_folder: already open
    ones, shared by several runs.
    """
    if config.distillation.adapter and config.distillation.kind == "none":
        raise InputError(
            "distillation.adapter stands behind a teacher; set distillation.kind to probability "
            "or feature"
        )
    output, images = Path(config.output), images or ImageCache(config.image_cache_mb)
    checkpoint = load_checkpoint(config.teacher)
    data = data or DistillationData.open(config)
    check_base_novel(data.vocabulary, checkpoint)
    shares = data.shares(config)
    clip_attr = checkpoint_clip_attr(checkpoint).to(accelerator.device).eval()
    torch.manual_seed(config.seed)
    model, backbone = start_model(config, checkpoint, clip_attr, data)
    with accelerator.main_process_first():  # the others read what it has stored
        teacher, dataset = build_teacher_and_data(
            config, clip_attr, data, images, cache_folder or output
        )
    learner = make_learner(model, data, teacher, config)
    best = run_stage(
        learner,
        dataset,
        config.optimisation,
        accelerator,
        output=output,
        seed=config.seed,
        resume=resume,
        groups=learner.groups(config.optimisation),
        make_sampler=partial(OrientedSampler, shares, data.is_tall()),
        after_step=DistillationModel.bound_scales,
    )
    accelerator.on_main_process(save_ovarnet)(
        output / "checkpoint", best, checkpoint, backbone.name, config
    )
    return output / "checkpoint"


def start_model(
    config: OvarnetTraining, checkpoint: Checkpoint, clip_attr: ClipAttr, data: DistillationData
) -> tuple[OvarNet, Clip]:
    """OvarNet before training: texts and calibration of the teacher, trunk of the teacher's image
    tower or of `config.backbone`.
    """
    backbone = clip_attr.clip if config.backbone is None else open_clip_tower(config.backbone)
    model = build_ovarnet(
        clip_attr.clip,
        partial(checkpoint_prompts, checkpoint),
        backbone,
        data.vocabulary,
        config.design,
    )
    model.classifier.calibration.copy_(clip_attr.classifier.calibration)
    return model, backbone


def make_learner(
    model: OvarNet, data: DistillationData, teacher: Teacher | None, config: OvarnetTraining
) -> DistillationModel:
    """The model with the losses of `config`."""
    criterion = OvarnetCriterion(
        *data.weights(),
        config.loss_weights,
        config.distillation,
        model.box_coder,
        model.rpn.box_coder,
        config.rpn_batch_size,
    )
    return DistillationModel(
        model,
        criterion,
        teacher,
        regions=config.roi_batch_size,
        backbone_rate=config.backbone_lr_multiplier,
        adapter=config.distillation.adapter,
    )


def build_teacher_and_data(
    config: OvarnetTraining,
    clip_attr: ClipAttr,
    data: DistillationData,
    images: ImageCache,
    folder: Path,
) -> tuple[Teacher | None, DistillationDataset]:
    """The teacher and the data set with the regions it is asked about; no teacher and none of them
    without distillation.
    """
    settings = config.distillation
    if settings.kind == "none":
        return None, DistillationDataset(
            data, images, seed=config.seed, proposals={}, drawn=0, crop=None
        )
    teacher = Teacher(clip_attr, data.vocabulary)
    asked = images_for_teacher(config, data)
    files = list(dict.fromkeys(image.file for image in asked.values()))
    proposals = (
        stored_proposals(config.proposals, files, settings.teacher_proposals_per_image)
        if config.proposals
        else teacher_proposals(
            clip_attr, files, images, folder, settings.teacher_proposals_per_image
        )
    )
    cache = (
        teacher_cache(teacher, asked, proposals, images, folder)
        if settings.cache_embeddings
        else None
    )
    return teacher, DistillationDataset(
        data,
        images,
        seed=config.seed,
        proposals=proposals,
        drawn=settings.proposals_per_image,
        crop=teacher.crop,
        cache=cache,
    )


def images_for_teacher(
    config: OvarnetTraining, data: DistillationData
) -> dict[tuple[str, int], TrainingImage]:
    """(source, index) -> images that the teacher is asked about: all, or those that a run too short
    to see all of them will see.
    """
    every = {
        (source, index): image
        for source, members in data.sources.items()
        for index, image in enumerate(members)
    }
    settings = config.optimisation
    if settings.iterations * settings.batch_size >= len(every):
        return every
    batches = OrientedSampler(
        data.shares(config), data.is_tall(), settings.iterations, seed=config.seed
    )
    seen = {key[1:] for batch in batches for key in batch}
    return {key: image for key, image in every.items() if key in seen}


def save_ovarnet(
    folder: Path,
    learner: DistillationModel,
    teacher: Checkpoint,
    backbone: str,
    config: OvarnetTraining,
) -> Path:
    """Write the folder that `ovarnet.load` opens."""
    model, scales = learner.model, learner.scales
    calibration = {
        kind: [scales.log_scale[row].exp().item(), scales.bias[row].item()]
        for row, kind in enumerate(KINDS)
    }
    settings = {
        "clip": {"name": model.clip.name},
        "backbone": {"name": backbone},
        "prompts": teacher.settings["prompts"],
        "calibration": calibration,
        "design": asdict(config.design),
        "training": asdict(config),
    }
    parts = {"text": model.clip.model.state_dict(), "detector": model.detector_parts().state_dict()}
    if "vectors" in settings["prompts"]:
        parts["prompts"] = model.classifier.prompts.state_dict()
    return save_checkpoint(
        folder, model="ovarnet", settings=settings, vocabulary=model.vocabulary, parts=parts
    )
