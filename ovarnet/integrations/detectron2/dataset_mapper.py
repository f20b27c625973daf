"""Dataset dicts -> what the meta-architectures take: pixels, and `Instances` with attributes."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from detectron2.config import CfgNode, configurable
from detectron2.data import detection_utils
from detectron2.data import transforms as T
from detectron2.structures import Instances

from ovarnet.integrations.detectron2.dataset_dicts import attribute_rows


class AttributeMapper:
    """detectron2's `DatasetMapper` for boxes, with their attributes.

    Adds to a dataset dict ``image``, (3, H, W) uint8 in the channel order of the config, and
    ``instances`` in the frame of that image, with ``gt_boxes``, ``gt_classes`` (N,) int64,
    ``gt_attributes`` (N, A) int8 of POSITIVE / NEGATIVE / UNKNOWN, and ``gt_is_ignored`` (N,) bool,
    crowd or difficult boxes. Unlike detectron2's own, it also does so at test time, for the
    box-given setting, and keeps ignored boxes.

    Args:
        is_train: Boxes that augmentation has cut away are dropped.
        augmentations: Applied to the image and its boxes. OvarNet resizes images itself: leave
            resizing out (``INPUT.MIN_SIZE_TRAIN (0,)``, ``INPUT.MIN_SIZE_TEST 0``).
        image_format: "BGR" or "RGB".
    """

    @configurable
    def __init__(
        self,
        is_train: bool,
        *,
        augmentations: Sequence[T.Augmentation | T.Transform],
        image_format: str,
    ):
        self.is_train = is_train
        self.augmentations = T.AugmentationList(augmentations)
        self.image_format = image_format

    @classmethod
    def from_config(cls, cfg: CfgNode, is_train: bool = True) -> dict[str, Any]:
        """The arguments that a config gives."""
        return {
            "is_train": is_train,
            "augmentations": detection_utils.build_augmentation(cfg, is_train),
            "image_format": cfg.INPUT.FORMAT,
        }

    def __call__(self, dataset_dict: dict[str, Any]) -> dict[str, Any]:
        """Read one image; the dict given is not changed."""
        record = copy.deepcopy(dataset_dict)
        image = detection_utils.read_image(record["file_name"], format=self.image_format)
        detection_utils.check_image_size(record, image)

        augmented = T.AugInput(image)
        transforms = self.augmentations(augmented)
        record["image"] = torch.from_numpy(np.ascontiguousarray(augmented.image.transpose(2, 0, 1)))

        annotations = [
            detection_utils.transform_instance_annotations(
                one, transforms, augmented.image.shape[:2]
            )
            for one in record.pop("annotations", [])
        ]
        instances = _instances(
            annotations, augmented.image.shape[:2], record.get("num_attributes", 0)
        )
        if self.is_train:
            instances = instances[instances.gt_boxes.nonempty()]
        record["instances"] = instances
        return record


def _instances(
    annotations: list[dict[str, Any]], image_size: tuple[int, int], attributes: int
) -> Instances:
    instances = detection_utils.annotations_to_instances(annotations, image_size)
    instances.gt_attributes = attribute_rows(annotations, attributes)
    instances.gt_is_ignored = torch.tensor(
        [bool(one.get("iscrowd", 0) or one.get("difficult", False)) for one in annotations],
        dtype=torch.bool,
    )
    return instances
