"""Box-given scores of many CLIP-Attr variants on the same test boxes.

Crops are cut once, and encoded once per image tower. N boxes, D the embedding width, C category
words, A attribute words.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ovarnet.data.datasets import open_dataset
from ovarnet.evaluation.attributes import attribute_metrics
from ovarnet.evaluation.box_given import category_metrics
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.clip_attr import encode_crops
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.structures import first_boxes
from ovarnet.training.data.crops import BoxCropper
from ovarnet.training.data.embedding_cache import tower_hash
from ovarnet.training.data.image_cache import ImageCache
from ovarnet.vocabulary import Vocabulary

BATCH = 128


class BoxGivenTest:
    """Box-given test on the first boxes of a split, with all words of the dataset.

    Args:
        clip: Its image transform cuts the crops.
        dataset: Name of a dataset.
        root: Its folder.
        split: Of the dataset.
        boxes: How many; whole images are taken.
    """

    def __init__(
        self, clip: Clip, dataset: str, root: str | Path, split: str = "test", *, boxes: int = 1500
    ):
        self.vocabulary, images = open_dataset(dataset, root, split)
        images = first_boxes(images, boxes)
        crops = BoxCropper(clip, ImageCache(0))
        self.crops = torch.cat([crops.fixed(image.file, image.boxes).half() for image in images])
        self.categories = torch.cat([image.categories for image in images]).numpy()
        self.attributes = torch.cat([image.attributes for image in images]).numpy()
        self.embeddings: dict[str, Tensor] = {}

    def __call__(self, clip: Clip, classifier: TextClassifier) -> dict[str, float]:
        """Score a model.

        Returns:
            Percentages: "attributes/GROUP", the mean AP of attributes, and "categories/GROUP", the
            accuracy among all categories. GROUP is base, novel, all, or a parent type.
        """
        embeddings = self.embed(clip)
        classifier.eval()
        with torch.no_grad():
            category_scores, attribute_scores = (
                logits.sigmoid().numpy()
                for logits in classifier.logits(
                    embeddings, classifier.encode_vocabulary(self.vocabulary)
                )
            )
        return self.measure(category_scores, attribute_scores)

    def measure(
        self, category_scores: np.ndarray, attribute_scores: np.ndarray
    ) -> dict[str, float]:
        """As `__call__`, from scores (N, C) and (N, A) in [0, 1]."""
        attributes = attribute_metrics(
            attribute_scores, self.attributes, groups=groups(self.vocabulary)
        )
        categories = category_metrics(category_scores, self.categories)
        seen = self.vocabulary.category_seen.numpy()
        result = {f"attributes/{name}": 100 * group.ap for name, group in attributes.groups.items()}
        for name, columns in (("base", seen), ("novel", ~seen), ("all", slice(None))):
            result[f"categories/{name}"] = 100 * categories.accuracy(columns)
        return result

    def chance(self) -> dict[str, float]:
        """Constant attribute scores, and a category drawn evenly."""
        shape = len(self.attributes), len(self.vocabulary.attributes)
        attributes = attribute_metrics(
            np.full(shape, 0.5), self.attributes, groups=groups(self.vocabulary)
        )
        even = 100 / len(self.vocabulary.categories)
        return {
            f"attributes/{name}": 100 * group.chance for name, group in attributes.groups.items()
        } | {f"categories/{name}": even for name in ("base", "novel", "all")}

    def embed(self, clip: Clip) -> Tensor:
        """Normalised embeddings (N, D) of the crops, computed once per state of the image tower."""
        key = tower_hash(clip)
        if key not in self.embeddings:
            with torch.no_grad():
                embeddings = [
                    encode_crops(clip, part.float(), batch=BATCH)
                    for part in self.crops.split(BATCH)  # stored in float16
                ]
                self.embeddings[key] = F.normalize(torch.cat(embeddings), dim=-1)
        return self.embeddings[key]


def groups(vocabulary: Vocabulary) -> dict[str, list[int]]:
    """base, novel and each parent type -> attribute columns."""
    words = vocabulary.attributes
    found = {
        "base": [i for i, word in enumerate(words) if word.seen],
        "novel": [i for i, word in enumerate(words) if not word.seen],
    }
    for parent in dict.fromkeys(word.parent for word in words):
        found[parent] = [i for i, word in enumerate(words) if word.parent == parent]
    return found
