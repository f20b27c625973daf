"""A predictor around a model without a network: real geometry, words and box rules, scores that
can be worked out by hand; and images for it."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from PIL import Image
from torch import nn

from ovarnet.modeling.predictor import Predictor
from ovarnet.modeling.region_model import RegionEmbeddings, RegionModel
from ovarnet.vocabulary import Vocabulary


class ColumnClassifier(nn.Module):
    """The logit of column w for a region with embedding e is e - w."""

    def __init__(self):
        super().__init__()
        self.anchor = nn.Parameter(torch.zeros(1))

    def embed(self, words, kind):
        return range(len(words))

    def encode_vocabulary(self, words):
        return SimpleNamespace(
            words=words,
            categories=self.embed(words.categories, "category"),
            attributes=self.embed(words.attributes, "attribute"),
        )

    def logits(self, regions, vocabulary):
        return self(regions, vocabulary.categories), self(regions, vocabulary.attributes)

    def forward(self, regions, words):
        return regions - torch.arange(len(words), dtype=torch.float32)


class FakeModel(RegionModel):
    """Finds the whole image (objectness 0.9, embedding 2) and its left half (objectness 0.1,
    embedding 0)."""

    def __init__(self):
        super().__init__(
            ColumnClassifier(),
            Vocabulary.of(categories=["mug", "car"], attributes=["red", "striped", "tiny"]),
        )
        self.eval()

    def forward(self, images, boxes=None, names=None, min_objectness=0.0) -> list[RegionEmbeddings]:
        return [
            self._one(image, None if boxes is None else boxes[index])
            for index, image in enumerate(images)
        ]

    def _one(self, image, boxes):
        height, width = image.shape[1:]
        if boxes is not None:
            return RegionEmbeddings(boxes, torch.ones(len(boxes)), torch.full((len(boxes), 1), 2.0))
        boxes = torch.tensor(
            [[0, 0, width, height], [0, 0, width / 2, height]], dtype=torch.float32
        )
        return RegionEmbeddings(boxes, torch.tensor([0.9, 0.1]), torch.tensor([[2.0], [0.0]]))


def fake_predictor() -> Predictor:
    return Predictor(FakeModel())


def picture(path: Path, width: int, height: int) -> Path:
    """A grey image file, for this model to look at."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((height, width, 3), 128, np.uint8)).save(path)
    return path
