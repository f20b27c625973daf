"""detectron2's training inputs -> the batches of our stages.

N annotated boxes of an image, K proposals drawn for it, R boxes, A base attributes, S side of a
crop. Boxes are in the frame of the image given, which augmentation has changed.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ovarnet.config import Distillation
from ovarnet.integrations.detectron2.dataset_dicts import (
    labelled_categories,
    without_object_class,
)
from ovarnet.integrations.detectron2.meta_arch import Input
from ovarnet.io.pixel_arrays import ChannelOrder
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.crops import random_crop_boxes
from ovarnet.structures import UNKNOWN, Annotations
from ovarnet.training.data.base_boxes import attribute_boxes, detection_boxes
from ovarnet.training.data.base_dataset import BaseBoxBatch
from ovarnet.training.distillation.data import training_image
from ovarnet.training.distillation.dataset import (
    DistillationBatch,
    ImageTargets,
    supervises_boxes,
)
from ovarnet.training.distillation.teacher import Teacher
from ovarnet.vocabulary import Vocabulary


def rgb_pixels(image: Tensor, input_format: ChannelOrder) -> Tensor:
    """(3, H, W) uint8 in the order of the config -> float32 RGB in [0, 1]."""
    return (image.flip(0) if input_format == "BGR" else image).float() / 255


def input_annotations(record: Input, vocabulary: Vocabulary) -> Annotations:
    """The annotations of an input, in the frame of the image given.

    Args:
        record: With ``instances``. Without ``gt_attributes``, as detectron2's own mapper leaves
            them, no attribute has a label.
        vocabulary: Of the dataset.
    """
    instances = record["instances"]
    height, width = instances.image_size
    count, attributes = len(instances), len(vocabulary.attributes)
    return Annotations(
        record.get("file_name", ""),
        str(record.get("image_id", "")),
        height,
        width,
        instances.gt_boxes.tensor,
        without_object_class(instances.gt_classes, vocabulary),
        (
            instances.gt_attributes
            if instances.has("gt_attributes")
            else torch.full((count, attributes), UNKNOWN)
        ),
        is_crowd=instances.gt_is_ignored if instances.has("gt_is_ignored") else None,
        labelled_categories=labelled_categories(record, vocabulary),
    )


def distillation_batch(
    inputs: Sequence[Input],
    vocabulary: Vocabulary,
    teacher: Teacher | None,
    settings: Distillation,
    *,
    input_format: ChannelOrder,
    device: torch.device,
) -> DistillationBatch:
    """A batch of the stage "ovarnet".

    The teacher's crops are cut from the augmented image, and its proposals are found in it: unlike
    in `ovarnet distill`, nothing of the teacher is cached.

    Args:
        inputs: See `RegionMetaArch.forward`.
        vocabulary: Of the dataset.
        teacher: None: no distillation.
        settings: How many proposals of the teacher are used.
        input_format: Channel order of the images.
        device: Where the batch goes.
    """
    images = [rgb_pixels(one["image"].to(device), input_format) for one in inputs]
    targets = [
        _image_targets(input_annotations(one, vocabulary), pixels, vocabulary, teacher, settings)
        for one, pixels in zip(inputs, images, strict=True)
    ]
    return DistillationBatch(images, targets).to(device)


def box_batch(
    inputs: Sequence[Input],
    vocabulary: Vocabulary,
    clip: Clip,
    *,
    input_format: ChannelOrder,
) -> BaseBoxBatch:
    """A batch of the stage "clip_attr": every box with a base category, every one with attributes.

    Args:
        inputs: See `RegionMetaArch.forward`.
        vocabulary: Of the dataset.
        clip: Gives the size and the normalisation of the crops; the batch goes to its device.
        input_format: Channel order of the images.
    """
    generator = torch.Generator().manual_seed(int(torch.randint(2**31, ())))
    pixels = [rgb_pixels(one["image"].to(clip.device), input_format) for one in inputs]
    annotations = [input_annotations(one, vocabulary) for one in inputs]

    crops: list[Tensor] = []
    targets = {}
    for source in (detection_boxes, attribute_boxes):
        boxes = [source([one], vocabulary) for one in annotations]
        targets[source] = torch.cat([one.targets for one in boxes])
        crops += [
            random_crop_boxes(image, one.boxes, clip.image_size, clip.mean, clip.std, generator)
            for image, one in zip(pixels, boxes, strict=True)
        ]
    return BaseBoxBatch(
        targets[detection_boxes], targets[attribute_boxes], crops=torch.cat(crops)
    ).to(clip.device)


def _image_targets(
    annotations: Annotations,
    pixels: Tensor,
    vocabulary: Vocabulary,
    teacher: Teacher | None,
    settings: Distillation,
) -> ImageTargets:
    attributes = int(vocabulary.attribute_seen.sum())
    image = training_image(annotations, vocabulary, attributes, exhaustive=True)
    proposals, crops = torch.zeros(0, 4), None
    if teacher is not None:
        proposals = _draw_proposals(teacher, pixels, settings)
        crops = teacher.crop(pixels, torch.cat([image.boxes, proposals]))
    return ImageTargets(
        boxes=image.boxes,
        categories=image.categories,
        attributes=image.attributes,
        is_box_supervised=supervises_boxes(image, pixels.shape, bool(vocabulary.categories)),
        is_ignored=image.is_ignored,
        proposals=proposals,
        teacher_crops=crops,
        teacher_embeddings=None,
        rpn_supervised=True,
        all_annotated=image.all_annotated,
    )


def _draw_proposals(teacher: Teacher, pixels: Tensor, settings: Distillation) -> Tensor:
    """(K, 4), drawn from the teacher's best proposals."""
    best = settings.teacher_proposals_per_image
    boxes = teacher.model.proposer.propose([pixels])[0].boxes[:best]
    return boxes[torch.randperm(len(boxes))[: settings.proposals_per_image]]
