"""Stage "ovarnet": trained on base boxes, distilled from CLIP-Attr (method sections 5 and 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path

import torch
from accelerate import Accelerator

from ovarnet.build import (
    build_ovarnet,
    checkpoint_clip_attr,
    checkpoint_prompts,
    find_checkpoint,
    open_clip_tower,
)
from ovarnet.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from ovarnet.config import OvarnetTraining, RegionHeadTraining
from ovarnet.errors import InputError
from ovarnet.modeling.clip_attr import ClipAttr
from ovarnet.modeling.ovarnet import OvarNet
from ovarnet.proposals.store import stored_proposals
from ovarnet.structures import Proposals
from ovarnet.training.clip_attr.checkpoints import STOCK
from ovarnet.training.data.base_novel_check import check_base_novel, clip_checkpoints
from ovarnet.training.data.image_cache import ImageCache
from ovarnet.training.distillation.criterion import OvarnetCriterion
from ovarnet.training.distillation.data import (
    DistillationData,
    TrainingImage,
    check_captions,
)
from ovarnet.training.distillation.dataset import DistillationDataset
from ovarnet.training.distillation.model import DistillationModel
from ovarnet.training.distillation.score_scales import ScoreScales
from ovarnet.training.distillation.teacher import Teacher, cache_embeddings, teacher_proposals
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
    """Train OvarNet and write the checkpoint folder.

    Args:
        config: Settings of the stage.
        accelerator: Of the process.
        resume: Continue from the last saved state in `config.output`.
        data: Images that are already read, shared by several runs.
        images: Decoded images, shared likewise.
        cache_folder: Where the teacher's proposals and embeddings are kept; None: in
            `config.output`.

    Returns:
        The checkpoint folder.

    Raises:
        InputError: Settings contradict each other, data are missing, the teacher is no calibrated
            CLIP-Attr, or a novel word of the data was a base word there.
    """
    if config.distillation.adapter and config.distillation.kind == "none":
        raise InputError(
            "distillation.adapter stands behind a teacher; set distillation.kind to probability "
            "or feature"
        )
    check_captions(config)
    output, images = Path(config.output), images or ImageCache(config.image_cache_mb)
    checkpoint = open_teacher(config.teacher)
    data = data or DistillationData.open(config)
    for earlier in (checkpoint, *clip_checkpoints(config.backbone)):
        check_base_novel(data.vocabulary, earlier)
    shares = data.shares(config)

    clip_attr = checkpoint_clip_attr(checkpoint).to(accelerator.device).eval()
    torch.manual_seed(config.seed)
    student, backbone = build_student(config, checkpoint, clip_attr, data)
    with accelerator.main_process_first():  # the others read what it has stored
        teacher, dataset = open_batches(config, clip_attr, data, images, cache_folder or output)
    model = make_model(config, student, data, teacher)

    trained = run_stage(
        model,
        dataset,
        config,
        accelerator,
        resume=resume,
        groups=model.groups(config.optimisation),
        make_sampler=partial(OrientedSampler, shares, data.is_tall()),
        after_step=DistillationModel.bound_scales,
    )
    accelerator.on_main_process(save_ovarnet)(
        output / "checkpoint", trained.model, trained.scales, checkpoint, backbone, config
    )
    return output / "checkpoint"


def open_teacher(name: str) -> Checkpoint:
    """Open the checkpoint of a teacher.

    Args:
        name: A folder, or a name that ships.

    Raises:
        InputError: It is no CLIP-Attr, or a kind of word is not calibrated there, so that its
            probabilities mean nothing.
    """
    if name.startswith(STOCK):
        raise InputError(
            f"teacher {name} is a CLIP as it is, without a calibration; put CLIP-Attr together "
            "first: ovarnet train configs/scenes/clip_attr_zero_shot.yaml"
        )
    checkpoint = load_checkpoint(find_checkpoint(name))
    if checkpoint.model != "clip-attr":
        raise InputError(
            f"teacher {name} is of kind '{checkpoint.model}'; OvarNet is distilled from CLIP-Attr, "
            "such as scenes-clip-attr or what stage clip_attr_captions wrote"
        )
    missing = [kind for kind in KINDS if kind not in checkpoint.settings.get("calibration", {})]
    if missing:
        raise InputError(
            f"teacher {name} has no calibration of {' and '.join(missing)} words; calibrate it "
            "with stage zero_shot, or train step I from it"
        )
    return checkpoint


def build_student(
    config: OvarnetTraining, teacher: Checkpoint, clip_attr: ClipAttr, data: DistillationData
) -> tuple[OvarNet, str]:
    """Build OvarNet before training.

    Returns:
        The student, with texts and calibration of the teacher and the trunk of the teacher's image
        tower or of `config.backbone`; and the name of the CLIP that the trunk is of.

    Raises:
        InputError: The design has a box stage.
    """
    if config.design.box_stage_width:
        raise InputError(
            f"design.box_stage_width is {config.design.box_stage_width}; stage ovarnet trains no "
            "box stage, stage region_head takes one over from a proposer"
        )
    backbone = clip_attr.clip if config.backbone is None else open_clip_tower(config.backbone)
    student = build_ovarnet(
        clip_attr.clip,
        partial(checkpoint_prompts, teacher),
        backbone,
        data.vocabulary,
        config.design,
    )
    student.classifier.calibration.copy_(clip_attr.classifier.calibration)
    return student, backbone.name


def make_model(
    config: OvarnetTraining, student: OvarNet, data: DistillationData, teacher: Teacher | None
) -> DistillationModel:
    """The student with its losses."""
    criterion = OvarnetCriterion(
        *data.weights(),
        config.loss_weights,
        config.distillation,
        student.box_coder,
        student.rpn.box_coder,
        config.rpn_batch_size,
    )
    return DistillationModel(
        student,
        criterion,
        teacher,
        roi_batch_size=config.roi_batch_size,
        backbone_lr_multiplier=config.backbone_lr_multiplier,
        with_adapter=config.distillation.adapter,
    )


def open_batches(
    config: OvarnetTraining,
    clip_attr: ClipAttr,
    data: DistillationData,
    images: ImageCache,
    folder: Path,
) -> tuple[Teacher | None, DistillationDataset]:
    """Open the teacher, and batches with regions for it; without distillation there are none."""
    settings = config.distillation
    if settings.kind == "none":
        return None, DistillationDataset(
            data, images, seed=config.seed, proposals={}, proposals_per_image=0, crop=None
        )
    teacher = Teacher(clip_attr, data.vocabulary)
    members = images_of_run(config, data)
    proposals = open_proposals(config, clip_attr, members, images, folder)
    cache = None
    if settings.cache_embeddings:
        cache = cache_embeddings(teacher, members, proposals, images, folder)
    return teacher, DistillationDataset(
        data,
        images,
        seed=config.seed,
        proposals=proposals,
        proposals_per_image=settings.proposals_per_image,
        crop=teacher.crop,
        cache=cache,
    )


def open_proposals(
    config: OvarnetTraining,
    clip_attr: ClipAttr,
    members: Mapping[tuple[str, int], TrainingImage],
    images: ImageCache,
    folder: Path,
) -> dict[str, Proposals]:
    """File -> best proposals: stored ones of `config.proposals`, or the teacher's own."""
    files = list(dict.fromkeys(image.file for image in members.values()))
    limit = config.distillation.teacher_proposals_per_image
    if not limit:
        return {file: Proposals(torch.zeros(0, 4), torch.zeros(0)) for file in files}
    if config.proposals:
        return stored_proposals(config.proposals, files, limit)
    return teacher_proposals(clip_attr, files, images, folder, limit)


def images_of_run(
    config: OvarnetTraining, data: DistillationData
) -> dict[tuple[str, int], TrainingImage]:
    """(source, index) -> image, of those that the run visits: all, unless it is too short."""
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
    visited = {key[1:] for batch in batches for key in batch}
    return {key: image for key, image in every.items() if key in visited}


def save_ovarnet(
    folder: Path,
    model: OvarNet,
    scales: ScoreScales,
    teacher: Checkpoint,
    backbone: str,
    config: OvarnetTraining | RegionHeadTraining,
) -> Path:
    """Write the folder that `ovarnet.load` opens.

    Args:
        folder: The checkpoint folder.
        model: The student.
        scales: Of its scores.
        teacher: Whose text side the student has.
        backbone: Name of the CLIP that the trunk is of.
        config: Settings of the run.

    Returns:
        `folder`.
    """
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
