"""What both meta-architectures share: detectron2's calling convention around a `RegionModel`.

N boxes of an image, C categories, A attributes. The "image given" is the tensor ``image`` of an
input, which detectron2 may have resized; ``height`` and ``width`` of the input are those of the
original image.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from detectron2.config import CfgNode
from detectron2.structures import Instances
from torch import Tensor, nn

from ovarnet.build.save import save_model
from ovarnet.config import Optimisation
from ovarnet.errors import InputError
from ovarnet.integrations.detectron2.catalog import dataset_vocabulary, read_dataset
from ovarnet.integrations.detectron2.dataset_dicts import from_dataset_dict
from ovarnet.integrations.detectron2.instances import to_instances
from ovarnet.io.pixel_arrays import ChannelOrder
from ovarnet.modeling.clip_attr import ClipAttr
from ovarnet.modeling.ovarnet import OvarNet
from ovarnet.modeling.post_processing import PROTOCOL, PostProcessingOptions
from ovarnet.modeling.predictor import Predictor
from ovarnet.modeling.region_model import RegionModel
from ovarnet.modeling.text.word_embeddings import EncodedVocabulary
from ovarnet.structures import Annotations
from ovarnet.vocabulary import Vocabulary

Input = dict[str, Any]
"""One image, as a `DatasetMapper` of detectron2 makes it."""


class RegionMetaArch(nn.Module):
    """Takes detectron2's inputs, returns its outputs.

    In evaluation mode `forward` returns one {"instances": Instances} per input, see `inference`; in
    training mode named losses, see the subclasses.

    Args:
        input_format: Channel order of the images, "BGR" or "RGB".
        post_processing: Which boxes are returned, see
            `ovarnet.modeling.post_processing.PostProcessing`.
        write: Writes the checkpoint folder of a new model, as its stage does; None: the model came
            from a folder and is written like that one.
    """

    def __init__(
        self,
        *,
        input_format: ChannelOrder,
        post_processing: PostProcessingOptions,
        write: Callable[[Path, Any], Path] | None,
    ):
        super().__init__()
        self.input_format = input_format
        self.post_processing = post_processing
        self._write = write
        self._vocabulary: Vocabulary | None = None
        self._encoded: EncodedVocabulary | None = None
        self.register_load_state_dict_post_hook(_forget_words)

    @property
    def region_model(self) -> RegionModel:
        """The model inside."""
        raise NotImplementedError

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.region_model.device

    @property
    def vocabulary(self) -> Vocabulary:
        """The words that are scored: those of `set_vocabulary`, or else of the model's training."""
        return self.region_model.vocabulary if self._vocabulary is None else self._vocabulary

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Score other words from now on.

        Args:
            vocabulary: C categories and A attributes; `Vocabulary.of(["mug"], ["red"])` for words
                of one's own.
        """
        self._vocabulary, self._encoded = vocabulary, None

    def forward(
        self, batched_inputs: Sequence[Input]
    ) -> list[dict[str, Instances]] | dict[str, Tensor]:
        """Detect, or compute the losses of a batch.

        Args:
            batched_inputs: For each image ``image``, (3, H, W) with values 0 to 255, uint8 or, as
                detectron2's `DefaultPredictor` gives it, float; optionally ``height`` and
                ``width``; in training also ``instances``, as `AttributeMapper` makes them.
        """
        if self.training:
            return {f"loss_{name}": loss for name, loss in self.losses(batched_inputs).items()}
        return self.inference(batched_inputs)

    def losses(self, batched_inputs: Sequence[Input]) -> dict[str, Tensor]:
        """Named losses of a batch."""
        raise NotImplementedError

    def parameter_groups(self, settings: Optimisation) -> list[dict[str, Any]]:
        """Parameter groups of an optimiser, with the rate of each module.

        Args:
            settings: Learning rate and weight decay are read.
        """
        raise NotImplementedError

    def inference(
        self,
        batched_inputs: Sequence[Input],
        detected_instances: Sequence[Instances] | None = None,
    ) -> list[dict[str, Instances]]:
        """Find boxes and score the vocabulary, or score it for given boxes.

        Args:
            batched_inputs: See `forward`.
            detected_instances: For each image ``pred_boxes``, in pixels of the image given, as in
                detectron2's `GeneralizedRCNN.inference`; all come back, in their order. None: boxes
                are found.

        Returns:
            For each image {"instances": see `to_instances`}, boxes in pixels of the original image.
        """
        found = self._predictor().detect(
            [_as_bytes(one["image"]) for one in batched_inputs],
            vocabulary=self._words(),
            boxes=(
                None
                if detected_instances is None
                else [one.pred_boxes.tensor for one in detected_instances]
            ),
            channel_order=self.input_format,
            **self.post_processing,
        )
        assert isinstance(found, list)  # one for each of a list of images
        outputs = []
        for one, detections in zip(batched_inputs, found, strict=True):
            height, width = one["image"].shape[1:]
            new_height, new_width = one.get("height", height), one.get("width", width)
            detections.boxes *= torch.tensor([new_width / width, new_height / height] * 2)
            outputs.append({"instances": to_instances(detections, (new_height, new_width))})
        return outputs

    def export(self, folder: str | Path) -> Path:
        """Write the model as it is now as a checkpoint folder, which `ovarnet.load` opens.

        Returns:
            The folder.
        """
        if self._write is not None:
            return self._write(Path(folder), self)
        model = self.region_model
        assert isinstance(model, ClipAttr | OvarNet), "the models that have checkpoint folders"
        return save_model(model, folder)

    def train(self, mode: bool = True) -> RegionMetaArch:
        """Set the mode; words are encoded again after training."""
        self._encoded = None
        return super().train(mode)

    def _apply(self, *args: Any, **kwargs: Any) -> RegionMetaArch:
        """Called by `to`: the words are encoded again, on the new device."""
        self._encoded = None
        return super()._apply(*args, **kwargs)

    def _predictor(self) -> Predictor:
        return Predictor(self.region_model)

    def _words(self) -> EncodedVocabulary:
        if self._encoded is None:
            vocabulary = self.vocabulary
            self._encoded = self._predictor().encode_vocabulary(
                vocabulary.categories, vocabulary.attributes
            )
        return self._encoded


class GivenBoxes(nn.Module):
    """A model in the box-given setting: it scores the annotated boxes of its inputs.

    Hand it to detectron2's `inference_on_dataset` in place of the model, with a loader whose mapper
    is `AttributeMapper`.

    Args:
        model: Is used where it is.
    """

    def __init__(self, model: RegionMetaArch):
        super().__init__()
        self.model = model

    def forward(self, batched_inputs: Sequence[Input]) -> list[dict[str, Instances]]:
        """As `RegionMetaArch.inference` for ``gt_boxes`` of ``instances``."""
        given = [
            Instances(one["instances"].image_size, pred_boxes=one["instances"].gt_boxes)
            for one in batched_inputs
        ]
        return self.model.inference(batched_inputs, given)


def post_processing_of(cfg: CfgNode) -> PostProcessingOptions:
    """detectron2's own keys: threshold, NMS within a category, number of boxes."""
    return {
        **PROTOCOL,
        "threshold": cfg.MODEL.ROI_HEADS.SCORE_THRESH_TEST,
        "nms_iou": cfg.MODEL.ROI_HEADS.NMS_THRESH_TEST,
        "limit": cfg.TEST.DETECTIONS_PER_IMAGE,
    }


def training_data(cfg: CfgNode) -> tuple[Vocabulary, list[Annotations]] | None:
    """Words and annotations of all datasets in ``DATASETS.TRAIN``; None where there is none.

    Raises:
        InputError: A dataset is not registered, or they have different words.
    """
    if not cfg.DATASETS.TRAIN:
        return None
    images: list[Annotations] = []
    vocabularies = []
    for name in cfg.DATASETS.TRAIN:
        records, vocabulary = read_dataset(name), dataset_vocabulary(name)
        images += [from_dataset_dict(record, vocabulary) for record in records]
        vocabularies.append(vocabulary)
    if any(vocabulary != vocabularies[0] for vocabulary in vocabularies):
        raise InputError(
            f"DATASETS.TRAIN: {', '.join(cfg.DATASETS.TRAIN)} have different words; register them "
            "with register_dataset(..., vocabulary=...), the same for all"
        )
    return vocabularies[0], images


def _as_bytes(image: Tensor) -> Tensor:
    """Whole numbers of 0 to 255 as uint8."""
    return image.round().clamp(0, 255).to(torch.uint8)


def _forget_words(module: RegionMetaArch, _keys: Any) -> None:
    """Other weights encode words differently."""
    module._encoded = None
