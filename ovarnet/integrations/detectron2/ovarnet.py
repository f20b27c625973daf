"""``META_ARCHITECTURE: OvarNet``, the one-stage model as a detectron2 model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from detectron2.config import CfgNode, configurable
from detectron2.modeling import META_ARCH_REGISTRY
from torch import Tensor

from ovarnet.build import checkpoint_clip_attr, find_checkpoint, load_model
from ovarnet.checkpoint import load_checkpoint
from ovarnet.config import Distillation, Optimisation, OvarnetTraining
from ovarnet.errors import InputError
from ovarnet.integrations.detectron2.config import stage_settings
from ovarnet.integrations.detectron2.meta_arch import (
    Input,
    RegionMetaArch,
    post_processing_of,
    training_data,
)
from ovarnet.integrations.detectron2.training_batches import distillation_batch
from ovarnet.io.pixel_arrays import ChannelOrder
from ovarnet.modeling import ovarnet as modeling
from ovarnet.modeling.post_processing import PostProcessingOptions
from ovarnet.modeling.text.word_embeddings import EncodedVocabulary
from ovarnet.structures import Annotations
from ovarnet.training.data.base_boxes import ATTRIBUTES, DETECTION, base_vocabulary
from ovarnet.training.data.base_novel_check import check_base_novel, clip_checkpoints
from ovarnet.training.distillation.data import CAPTIONS, DistillationData, training_image
from ovarnet.training.distillation.model import DistillationModel
from ovarnet.training.distillation.stage import (
    build_student,
    make_model,
    open_teacher,
    save_ovarnet,
)
from ovarnet.training.distillation.teacher import Teacher
from ovarnet.vocabulary import KINDS, Vocabulary


@META_ARCH_REGISTRY.register()
class OvarNet(RegionMetaArch):
    """The one-stage model with its losses.

    Args:
        stage: The model and its losses.
        distillation: How many proposals of the teacher are used; only with a teacher.
        input_format: See `RegionMetaArch`.
        post_processing: See `RegionMetaArch`.
        write: See `RegionMetaArch`.
    """

    @configurable
    def __init__(
        self,
        stage: DistillationModel,
        *,
        distillation: Distillation,
        input_format: ChannelOrder,
        post_processing: PostProcessingOptions,
        write: Callable[[Path, OvarNet], Path] | None = None,
    ):
        super().__init__(input_format=input_format, post_processing=post_processing, write=write)
        self.stage, self.distillation = stage, distillation

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict[str, Any]:
        """Build the parts, see `add_ovarnet_config`.

        Training data, the teacher and the model must agree on what is base and what is novel.

        Raises:
            InputError: Settings, a checkpoint or a dataset that cannot be used.
        """
        settings = stage_settings(cfg, "ovarnet")
        if settings is None:
            settings = OvarnetTraining(
                output="", teacher="", distillation=Distillation(kind="none")
            )
        found = training_data(cfg)
        if cfg.MODEL.OVARNET.CHECKPOINT:
            parts = _from_checkpoint(cfg.MODEL.OVARNET.CHECKPOINT, settings, found)
        else:
            parts = _from_stage(settings, found)
        return {
            **parts,
            "distillation": settings.distillation,
            "input_format": cfg.INPUT.FORMAT,
            "post_processing": post_processing_of(cfg),
        }

    @property
    def region_model(self) -> modeling.OvarNet:
        """The one-stage model."""
        return self.stage.model

    def losses(self, batched_inputs: Sequence[Input]) -> dict[str, Tensor]:
        """The losses of the stage "ovarnet", see `OvarnetCriterion`."""
        # before each step instead of after it, as the trainer is not ours
        self.stage.bound_scales()
        teacher = self.stage.teacher
        if teacher is not None:
            teacher.model.to(self.device)
        batch = distillation_batch(
            batched_inputs,
            self.region_model.vocabulary,
            teacher,
            self.distillation,
            input_format=self.input_format,
            device=self.device,
        )
        return self.stage(batch)

    def parameter_groups(self, settings: Optimisation) -> list[dict[str, Any]]:
        """See `RegionMetaArch.parameter_groups`."""
        return self.stage.groups(settings)

    def export(self, folder: str | Path) -> Path:
        """See `RegionMetaArch.export`."""
        self._calibrate()
        return super().export(folder)

    def _words(self) -> EncodedVocabulary:
        if self._encoded is None:
            self._calibrate()
        return super()._words()

    def _calibrate(self) -> None:
        """Score at inference as the scales do that are trained."""
        scales = self.stage.scales
        for row, kind in enumerate(KINDS):
            scale, bias = scales.log_scale[row].exp().item(), scales.bias[row].item()
            self.region_model.classifier.calibrate(kind, scale, bias)


def _from_checkpoint(
    name: str, settings: OvarnetTraining, found: tuple[Vocabulary, list[Annotations]] | None
) -> dict[str, Any]:
    """A model from a checkpoint folder; its architecture is that of the folder."""
    model = load_model(name, device="cpu")
    if not isinstance(model, modeling.OvarNet):
        raise InputError(
            f"MODEL.OVARNET.CHECKPOINT: {name} is a CLIP-Attr; set MODEL.META_ARCHITECTURE to "
            "ClipAttr, or give an OvarNet such as photos or scenes"
        )
    checkpoint = load_checkpoint(find_checkpoint(name))
    data = _data(found, model.vocabulary)
    check_base_novel(data.vocabulary, checkpoint)
    model.vocabulary = data.vocabulary
    teacher = None
    if found is not None and settings.distillation.kind != "none":
        earlier = open_teacher(settings.teacher)
        check_base_novel(data.vocabulary, earlier)
        teacher = Teacher(checkpoint_clip_attr(earlier), data.vocabulary)
    return {"stage": make_model(settings, model, data, teacher)}


def _from_stage(
    settings: OvarnetTraining, found: tuple[Vocabulary, list[Annotations]] | None
) -> dict[str, Any]:
    """A new model, as `ovarnet distill` builds it."""
    checkpoint = open_teacher(settings.teacher)
    data = _data(found, checkpoint.vocabulary)
    for earlier in (checkpoint, *clip_checkpoints(settings.backbone)):
        check_base_novel(data.vocabulary, earlier)
    clip_attr = checkpoint_clip_attr(checkpoint).eval()
    student, backbone = build_student(settings, checkpoint, clip_attr, data)
    teacher = None
    if found is not None and settings.distillation.kind != "none":
        teacher = Teacher(clip_attr, data.vocabulary)

    def write(folder: Path, model: OvarNet) -> Path:
        return save_ovarnet(
            folder, model.stage.model, model.stage.scales, checkpoint, backbone, settings
        )

    return {"stage": make_model(settings, student, data, teacher), "write": write}


def _data(
    found: tuple[Vocabulary, list[Annotations]] | None, words: Vocabulary
) -> DistillationData:
    """Words and frequencies of the training data; `words` and no image where there is none."""
    vocabulary, images = (words, []) if found is None else found
    base = base_vocabulary(vocabulary)
    detection = [
        training_image(image, vocabulary, len(base.attributes), exhaustive=True) for image in images
    ]
    return DistillationData(vocabulary, base, {DETECTION: detection, ATTRIBUTES: [], CAPTIONS: []})
