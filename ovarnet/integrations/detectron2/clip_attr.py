"""``META_ARCHITECTURE: ClipAttr``, the two-stage model as a detectron2 model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from detectron2.config import CfgNode, configurable
from detectron2.modeling import META_ARCH_REGISTRY
from torch import Tensor, nn

from ovarnet.build import load_model, open_proposer
from ovarnet.config import ClipAttrTraining, Optimisation
from ovarnet.errors import InputError
from ovarnet.integrations.detectron2.config import stage_settings
from ovarnet.integrations.detectron2.meta_arch import (
    Input,
    RegionMetaArch,
    post_processing_of,
    training_data,
)
from ovarnet.integrations.detectron2.training_batches import box_batch
from ovarnet.io.pixel_arrays import ChannelOrder
from ovarnet.modeling import clip_attr as modeling
from ovarnet.modeling.post_processing import PostProcessingOptions
from ovarnet.structures import Annotations
from ovarnet.training.clip_attr.checkpoints import (
    InitialClipAttr,
    init_clip_attr,
    save_clip_attr,
)
from ovarnet.training.clip_attr.step_one import FederatedModel, init_bias
from ovarnet.training.clip_attr.step_one_criterion import FederatedCriterion
from ovarnet.training.data.base_boxes import attribute_boxes, base_vocabulary, detection_boxes
from ovarnet.training.data.base_data import BaseData
from ovarnet.training.data.base_dataset import BaseBoxDataset
from ovarnet.training.data.base_novel_check import check_base_novel, clip_checkpoints
from ovarnet.training.data.crops import BoxCropper
from ovarnet.training.data.image_cache import ImageCache
from ovarnet.vocabulary import Vocabulary


@META_ARCH_REGISTRY.register()
class ClipAttr(RegionMetaArch):
    """The two-stage model, in training with the losses of step I.

    Args:
        model: The model; its proposer takes no gradient.
        stage: Of the same CLIP and classifier; None: the model is not trained.
        input_format: See `RegionMetaArch`.
        post_processing: See `RegionMetaArch`.
        write: See `RegionMetaArch`.
    """

    @configurable
    def __init__(
        self,
        model: modeling.ClipAttr,
        stage: FederatedModel | None,
        *,
        input_format: ChannelOrder,
        post_processing: PostProcessingOptions,
        write: Callable[[Path, ClipAttr], Path] | None = None,
    ):
        super().__init__(input_format=input_format, post_processing=post_processing, write=write)
        # in a tuple, so that shared weights are not registered and saved a second time
        self.model, self._stage = model, (stage,)
        if stage is None:
            model.requires_grad_(False)
        elif isinstance(model.proposer, nn.Module):
            model.proposer.requires_grad_(False)

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict[str, Any]:
        """Build the parts, see `add_ovarnet_config`.

        Training data and the initial model must agree on what is base and what is novel.

        Raises:
            InputError: Settings, a checkpoint or a dataset that cannot be used.
        """
        settings = stage_settings(cfg, "clip_attr")
        checkpoint = cfg.MODEL.OVARNET.CHECKPOINT
        proposer = cfg.MODEL.OVARNET.PROPOSER or None
        if settings is None:
            parts = {"model": _trained_model(checkpoint, proposer), "stage": None}
        else:
            if checkpoint:
                settings.init_from, settings.clip, settings.proposer = checkpoint, None, None
            parts = _from_stage(settings, proposer, training_data(cfg))
        return {
            **parts,
            "input_format": cfg.INPUT.FORMAT,
            "post_processing": post_processing_of(cfg),
        }

    @property
    def stage(self) -> FederatedModel | None:
        """The losses."""
        return self._stage[0]

    @property
    def region_model(self) -> modeling.ClipAttr:
        """The two-stage model."""
        return self.model

    def losses(self, batched_inputs: Sequence[Input]) -> dict[str, Tensor]:
        """The losses of step I, see `FederatedCriterion`.

        Raises:
            InputError: The model was built for inference.
        """
        if self.stage is None:
            raise InputError(
                "ClipAttr was built for inference; to train it, set MODEL.OVARNET.STAGE to a "
                "config of stage clip_attr, such as configs/scenes/clip_attr.yaml, and "
                "DATASETS.TRAIN"
            )
        # before each step instead of after it, as the trainer is not ours
        self.stage.bound_temperature()
        batch = box_batch(
            batched_inputs,
            self.model.vocabulary,
            self.model.clip,
            input_format=self.input_format,
        )
        if not len(batch.categories) and not len(batch.attributes):
            return {"categories": 0.0 * self.stage.bias.sum()}
        return self.stage.to(self.device)(batch)

    def parameter_groups(self, settings: Optimisation) -> list[dict[str, Any]]:
        """See `RegionMetaArch.parameter_groups`."""
        assert self.stage is not None, "a model for inference has no stage"
        return self.stage.groups(settings)

    def train(self, mode: bool = True) -> ClipAttr:
        """Set the mode; towers and proposer stay in evaluation mode."""
        super().train(mode)
        self.model.eval()
        if self.stage is not None:
            self.stage.train(mode)
        return self


def _trained_model(checkpoint: str, proposer: str | None) -> modeling.ClipAttr:
    model = load_model(checkpoint, proposer=proposer, device="cpu")
    if not isinstance(model, modeling.ClipAttr):
        raise InputError(
            f"MODEL.OVARNET.CHECKPOINT: {checkpoint} is an OvarNet; set MODEL.META_ARCHITECTURE to "
            "OvarNet, or give a CLIP-Attr such as photos-clip-attr"
        )
    return model


def _from_stage(
    settings: ClipAttrTraining,
    proposer: str | None,
    found: tuple[Vocabulary, list[Annotations]] | None,
) -> dict[str, Any]:
    """A model whose prompts are trained, as `ovarnet train` builds it."""
    initial = init_clip_attr(settings)
    data = _data(found, initial.proposer.vocabulary)
    for earlier in (*initial.checkpoints, *clip_checkpoints(settings.clip)):
        check_base_novel(data.vocabulary, earlier)
    if found is not None and settings.lr_multipliers.bias and not initial.has_learned_prompts:
        crops = BoxCropper(initial.clip, ImageCache(settings.image_cache_mb))
        init_bias(initial.classifier, BaseBoxDataset(data, crops, seed=settings.seed), settings)
    model = modeling.ClipAttr(
        initial.clip,
        initial.classifier,
        open_proposer(proposer or initial.proposer.folder),
        data.vocabulary,
    )
    stage = FederatedModel(
        initial.clip,
        initial.classifier,
        data.base,
        FederatedCriterion(data, settings.loss),
        settings.lr_multipliers,
        settings.tower_regularisation,
    )
    return {"model": model, "stage": stage, "write": _writer(settings, initial)}


def _writer(
    settings: ClipAttrTraining, initial: InitialClipAttr
) -> Callable[[Path, ClipAttr], Path]:
    def write(folder: Path, model: ClipAttr) -> Path:
        assert model.stage is not None, "a model of a stage"
        return save_clip_attr(
            folder, model.stage, model.model.vocabulary, initial.proposer, asdict(settings)
        )

    return write


def _data(found: tuple[Vocabulary, list[Annotations]] | None, words: Vocabulary) -> BaseData:
    """Boxes of the training data; `words` and no box where there is none."""
    vocabulary, images = (words, []) if found is None else found
    return BaseData(
        vocabulary,
        base_vocabulary(vocabulary),
        detection_boxes(images, vocabulary),
        attribute_boxes(images, vocabulary),
    )
