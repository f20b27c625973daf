"""detectron2's `Visualizer` with attributes in its labels."""

from __future__ import annotations

from typing import Any

import torch
from detectron2.structures import BoxMode, Instances
from detectron2.utils.visualizer import VisImage, Visualizer

from ovarnet.drawing.label_text import ATTRIBUTE_THRESHOLD, summary
from ovarnet.integrations.detectron2.dataset_dicts import OBJECT
from ovarnet.integrations.detectron2.instances import from_instances
from ovarnet.vocabulary import Vocabulary


class AttributeVisualizer(Visualizer):
    """Draws boxes with their category and attributes, by detectron2's means.

    detectron2's own `Visualizer` draws the same `Instances` without attributes.

    Args:
        image: (H, W, 3) uint8 RGB.
        vocabulary: The words of the score columns: `RegionMetaArch.vocabulary`, or those in the
            metadata of a dataset.
        top_attributes: At most this many attributes per box.
        attribute_threshold: Attributes that score lower are not shown.
        options: Of `Visualizer`: ``scale``, ``instance_mode``.
    """

    def __init__(
        self,
        image: Any,
        vocabulary: Vocabulary,
        *,
        top_attributes: int = 3,
        attribute_threshold: float = ATTRIBUTE_THRESHOLD,
        **options: Any,
    ):
        super().__init__(image, **options)
        self.vocabulary = vocabulary
        self.top_attributes, self.attribute_threshold = top_attributes, attribute_threshold

    def draw_instance_predictions(self, predictions: Instances) -> VisImage:
        """Draw what a model returned, as ``mug 0.83: red 0.91, striped 0.72``.

        Args:
            predictions: With ``pred_boxes`` and ``scores``, see `to_instances`.
        """
        found = from_instances(predictions, self.vocabulary)
        labels = summary(found, self.top_attributes, self.attribute_threshold)
        return self.overlay_instances(boxes=found.boxes.numpy(), labels=labels)

    def draw_dataset_dict(self, dic: dict[str, Any]) -> VisImage:
        """Draw annotations, as ``mug: red, striped``: the attributes labelled positive.

        Args:
            dic: A dataset dict of `to_dataset_dict`.
        """
        annotations = dic["annotations"]
        boxes = [
            BoxMode.convert(one["bbox"], one["bbox_mode"], BoxMode.XYXY_ABS) for one in annotations
        ]
        return self.overlay_instances(
            boxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4).numpy(),
            labels=[self._label(one) for one in annotations],
        )

    def _label(self, annotation: dict[str, Any]) -> str:
        names = [*self.vocabulary.category_names, OBJECT]
        attributes = [
            self.vocabulary.attribute_names[column]
            for column in annotation.get("positive_attributes", [])
        ]
        parts = [names[annotation["category_id"]], ", ".join(attributes)]
        return ": ".join(part for part in parts if part)
