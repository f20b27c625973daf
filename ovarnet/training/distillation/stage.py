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
from torch import Tensor, nn
from torchvision.models.detection.transform import resize_boxes

from ovarnet.build import build_ovarnet, checkpoint_clip_attr, checkpoint_prompts, open_clip_tower
from ovarnet.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from ovarnet.config.settings import Optimisation, OvarnetTraining
from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.clip_attr import ClipAttr
from ovarnet.modeling.ovarnet import OvarNet
from ovarnet.proposals.store import stored_proposals
from ovarnet.training.data.base_boxes import base_vocabulary
from ovarnet.training.data.base_novel_check import check_base_novel
from ovarnet.training.data.crops import ImageCache
from ovarnet.training.distillation.criterion import (
    OvarnetCriterion,
    RegionTargets,
    join_regions,
    sample_regions,
)
from ovarnet.training.distillation.data import (
    DistillationData,
    DistillationDataset,
    Targets,
    TrainingImage,
)
from ovarnet.training.distillation.score_scales import ScoreScales
from ovarnet.training.distillation.teacher import Teacher, teacher_cache, teacher_proposals
from ovarnet.training.distillation.teacher_adapter import TeacherAdapter, labels_of_teacher_rows
from ovarnet.training.engine.loop import run_stage
from ovarnet.training.engine.sampling import OrientedSampler
from ovarnet.training.engine.schedule import parameter_groups
from ovarnet.vocabulary import KINDS, Vocabulary


class DistillationModel(nn.Module):
    """OvarNet in training, called with one batch of `DistillationDataset`. Texts are frozen; the
    trunk learns when its rate is not 0.

    regions: per image in the losses. teacher: None without distillation; it is used, not owned, so
    that no state holds it. adapter: with a `TeacherAdapter` behind it.
    """

    def __init__(
        self,
        model: OvarNet,
        criterion: OvarnetCriterion,
        teacher: Teacher | None,
        *,
        regions: int,
        backbone_rate: float,
        adapter: bool = False,
    ):
        super().__init__()
        self.model, self.criterion, self.regions, self.backbone_rate = (
            model,
            criterion,
            regions,
            backbone_rate,
        )
        self._teacher = (teacher,)
        self.scales = ScoreScales(model.classifier.calibration)
        self.adapter = (
            TeacherAdapter(teacher.model.clip.embed_dim, model.classifier.calibration)
            if adapter
            else None
        )
        self.words, self.base = model.vocabulary, base_vocabulary(model.vocabulary)
        model.clip.requires_grad_(False)
        model.classifier.requires_grad_(False)
        model.backbone.trunk.requires_grad_(backbone_rate > 0)

    @property
    def teacher(self) -> Teacher | None:
        return self._teacher[0]

    def forward(self, batch: tuple[list[Tensor], list[Targets]]) -> dict[str, Tensor]:
        images, targets = batch
        pixels, sizes, original = self.model.preprocess(images)
        targets = [in_batch_frame(*parts) for parts in zip(targets, original, sizes, strict=True)]
        features = self.model.extract_features(pixels)
        anchors = self.model.rpn(features.pyramid)
        proposals, _ = self.model.rpn.propose(anchors, sizes)
        picked = [
            sample_regions(found, target, self.regions)
            for found, target in zip(proposals, targets, strict=True)
        ]
        embeddings, deltas = self.model.head(features, [regions.boxes for regions in picked], sizes)
        regions = join_regions(picked)
        return (
            self.criterion.loss_rpn(anchors, targets)
            | self.criterion.loss_labels(
                *self.logits(embeddings, self.base, self.scales), deltas, regions
            )
            | self.distil(embeddings, picked, targets)
        )

    def logits(
        self, embeddings: Tensor, words: Vocabulary, scales: ScoreScales
    ) -> tuple[Tensor, Tensor]:
        """Embeddings (R, D) -> logits of the categories and of the attributes of `words`."""
        classifier = self.model.classifier
        return (
            scales(
                classifier.cosines(embeddings, classifier.embed(words.categories, "category")),
                "category",
            ),
            scales(
                classifier.cosines(embeddings, classifier.embed(words.attributes, "attribute")),
                "attribute",
            ),
        )

    def distil(
        self, embeddings: Tensor, picked: list[RegionTargets], targets: list[Targets]
    ) -> dict[str, Tensor]:
        """The teacher is asked once about every box and proposal, not about every region."""
        if self.teacher is None:
            return {}
        seen = torch.cat([target.teacher for target in targets])
        rows, first = [], 0
        for regions, target in zip(picked, targets, strict=True):
            rows.append(torch.where(regions.teacher_rows >= 0, regions.teacher_rows + first, -1))
            first += len(target.teacher)
        rows = torch.cat(rows)
        answers, losses = self.adapted(self.teacher.embed(seen), targets)
        answers, student = answers[rows[rows >= 0]], embeddings[rows >= 0]
        if self.criterion.distillation.kind == "feature":
            return losses | self.criterion.loss_features(student, answers)
        said = (
            self.teacher.logits(answers)
            if self.adapter is None
            else self.logits(answers, self.words, self.adapter.scales)
        )
        return losses | self.criterion.loss_probabilities(
            self.logits(student, self.words, self.scales), tuple(z.detach() for z in said)
        )

    def adapted(self, answers: Tensor, targets: list[Targets]) -> tuple[Tensor, dict[str, Tensor]]:
        """The teacher's embeddings (T, D) behind its adapter, where it has one, without gradient;
        and the losses that teach the adapter.
        """
        if self.adapter is None:
            return answers, {}
        answers = self.adapter(answers)
        losses = self.criterion.loss_adapter(
            *self.logits(answers, self.base, self.adapter.scales), *labels_of_teacher_rows(targets)
        )
        return answers.detach(), losses

    def groups(self, settings: Optimisation) -> list[dict]:
        """The optimiser's groups: the trunk at its share of the rate, everything new at the full
        one.
        """
        parts = [(self.model.backbone.trunk, self.backbone_rate)]
        parts += [
            (module, 1.0)
            for name, module in self.model.backbone.named_children()
            if name != "trunk"
        ]
        parts += [
            (module, 1.0)
            for module in (self.model.rpn, self.model.head, self.scales, self.adapter)
            if module is not None
        ]
        return [
            group
            for module, rate in parts
            if rate
            for group in parameter_groups(module, settings.lr * rate, settings.weight_decay)
        ]

    def bound_scales(self) -> None:
        """No logit scale beyond 100, as in CLIP."""
        for scales in [self.scales] if self.adapter is None else [self.scales, self.adapter.scales]:
            scales.bound()

    def train(self, mode: bool = True) -> DistillationModel:
        """Texts and trunk stay in eval mode: the words are encoded once, and BatchNorm keeps CLIP's
        statistics.
        """
        super().train(mode)
        for part in (self.model.clip, self.model.classifier, self.model.backbone.trunk):
            part.eval()
        return self


def in_batch_frame(targets: Targets, before: tuple[int, int], after: tuple[int, int]) -> Targets:
    """Boxes and proposals brought from the image's pixels to the batch's."""
    return targets._replace(
        boxes=resize_boxes(targets.boxes, before, after),
        proposals=resize_boxes(targets.proposals, before, after),
    )


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
    if config.distillation.kind not in ("probability", "feature", "none"):
        raise InputError(
            f"distillation.kind is '{config.distillation.kind}'; choose probability, feature or "
            "none"
        )
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
        *data.weights(config.terms.frequency_power),
        config.terms,
        config.distillation,
        model.box_coder,
        model.rpn.box_coder,
        config.anchors,
    )
    return DistillationModel(
        model,
        criterion,
        teacher,
        regions=config.regions,
        backbone_rate=config.backbone_rate,
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
    cache = teacher_cache(teacher, asked, proposals, images, folder) if settings.cached else None
    return teacher, DistillationDataset(
        data,
        images,
        seed=config.seed,
        proposals=proposals,
        drawn=settings.proposals,
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
