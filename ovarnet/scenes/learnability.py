"""Is every word of the world learnable? A small supervised CNN on labelled crops of new scenes.

Base and novel words are trained alike. This is a diagnosis of the drawings, not a model: nothing it
learns is kept or used elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ovarnet.errors import InputError
from ovarnet.evaluation.average_precision import average_precision
from ovarnet.scenes.world.render import Scene, render_scene
from ovarnet.scenes.world.words import (
    ATTRIBUTE_NAMES,
    ATTRIBUTES,
    CATEGORIES,
    EXCLUSIVE_TYPES,
    NOVEL_ATTRIBUTES,
    PARENT_OF,
    applies,
)
from ovarnet.structures import NEGATIVE, POSITIVE, UNKNOWN

Progress = Callable[[int, int, float], object]

CROP = 64
"""Side of the crops in pixels."""

LEAST_MARGIN = 0.10
"""A word whose average precision is not this much above chance counts as not learnable."""

_CONTEXT = 1.1
_BATCH = 64
_LEARNING_RATE = 1e-3
_EXCLUSIVE = (*EXCLUSIVE_TYPES, "pose")
_COLUMNS = {
    parent: [ATTRIBUTE_NAMES.index(word) for word in words] for parent, words in ATTRIBUTES.items()
}


@dataclass(frozen=True)
class Crops:
    """Labelled crops of N objects.

    Attributes:
        pixels: (N, 3, CROP, CROP) uint8.
        categories: (N,) int64.
        labels: (N, A) int8 of POSITIVE / NEGATIVE / UNKNOWN.
    """

    pixels: Tensor
    categories: Tensor
    labels: Tensor


@dataclass(frozen=True)
class WordResult:
    """How well one word was learned.

    Attributes:
        kind: "category" or "attribute".
        parent: Its parent type.
        word: The word.
        novel: Whether it is a novel word of the world.
        average_precision: In [0, 1]; nan without a positive crop.
        chance: Share of positives among the labelled crops.
        count: Number of labelled crops.
    """

    kind: str
    parent: str
    word: str
    novel: bool
    average_precision: float
    chance: float
    count: int

    @property
    def margin(self) -> float:
        """Average precision above chance."""
        return self.average_precision - self.chance


def _crop(image: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """(CROP, CROP, 3) uint8: the box with a little context, its aspect kept, centred on grey."""
    x1, y1, x2, y2 = box
    scale = CROP / (_CONTEXT * max(x2 - x1, y2 - y1))
    matrix = np.array(
        [[scale, 0, CROP / 2 - scale * (x1 + x2) / 2], [0, scale, CROP / 2 - scale * (y1 + y2) / 2]]
    )
    return cv2.warpAffine(
        image, matrix, (CROP, CROP), flags=cv2.INTER_LINEAR, borderValue=(127, 127, 127)
    )


def _labels(scene: Scene) -> list[list[int]]:
    return [
        [
            (POSITIVE if word in item.thing.attributes else NEGATIVE)
            if applies(word, item.thing.category)
            else UNKNOWN
            for word in ATTRIBUTE_NAMES
        ]
        for item in scene.objects
    ]


def render_crops(seed: int, split: str, scenes: int) -> Crops:
    """All objects of the first `scenes` scenes of a split, with all their labels."""
    crops, categories, labels = [], [], []
    for index in range(scenes):
        scene = render_scene(seed, split, index)
        crops += [_crop(scene.image, item.box) for item in scene.objects]
        categories += [CATEGORIES.index(item.thing.category) for item in scene.objects]
        labels += _labels(scene)
    pixels = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)
    return Crops(pixels, torch.tensor(categories), torch.tensor(labels, dtype=torch.int8))


def _block(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class _Net(nn.Module):
    """Two small trunks: one for the surface, at full size, one for category and pose, at half size.

    In one trunk the categories, with their large and noisy gradients, keep the textures from being
    learned for thousands of steps.
    """

    def __init__(self):
        super().__init__()
        self.surface = nn.Sequential(
            _block(3, 16, 2),
            _block(16, 20, 1),
            _block(20, 40, 2),
            _block(40, 40, 1),
            _block(40, 80, 2),
            _block(80, 80, 1),
        )
        self.words = nn.Linear(2 * 80, len(ATTRIBUTE_NAMES))
        self.shape = nn.Sequential(
            _block(3, 16, 1),
            _block(16, 32, 2),
            _block(32, 32, 1),
            _block(32, 64, 2),
            _block(64, 64, 1),
            _block(64, 96, 2),
            nn.Flatten(),
        )
        self.category = nn.Sequential(
            nn.Linear(16 * 96, 192),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Linear(192, len(CATEGORIES) + len(ATTRIBUTES["pose"])),
        )

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Pixels (N, 3, CROP, CROP) uint8 -> category logits (N, C) and attribute logits (N, A)."""
        pixels = (pixels.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
        maps = self.surface(pixels)
        attributes = self.words(torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], dim=1))
        categories, pose = self.category(self.shape(F.avg_pool2d(pixels, 2))).split(
            [len(CATEGORIES), len(ATTRIBUTES["pose"])], dim=1
        )
        return categories, attributes.index_copy(1, torch.tensor(_COLUMNS["pose"]), pose)


def _loss(categories: Tensor, attributes: Tensor, batch: Crops) -> Tensor:
    """Cross entropy over categories and each exclusive type, binary cross entropy elsewhere."""
    total = F.cross_entropy(categories, batch.categories)
    for parent, columns in _COLUMNS.items():
        logits, labels = attributes[:, columns], batch.labels[:, columns]
        if parent in _EXCLUSIVE:
            known = labels[:, 0] != UNKNOWN
            total = total + F.cross_entropy(
                logits[known], (labels[known] == POSITIVE).int().argmax(dim=1)
            )
        else:
            total = total + len(columns) * F.binary_cross_entropy_with_logits(
                logits, (labels == POSITIVE).float()
            )
    return total


def _train(crops: Crops, epochs: int, seed: int, progress: Progress) -> _Net:
    if len(crops.categories) < _BATCH:
        raise InputError(
            f"the scenes hold {len(crops.categories)} objects, fewer than a batch of {_BATCH}; "
            "take more scenes"
        )
    torch.manual_seed(seed)
    net = _Net().to(memory_format=torch.channels_last)
    steps = epochs * (len(crops.categories) // _BATCH)
    optimizer = torch.optim.AdamW(net.parameters(), lr=_LEARNING_RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, _LEARNING_RATE * 2, total_steps=steps, pct_start=0.2
    )
    for step in range(steps):
        if step % (steps // epochs) == 0:
            order = torch.randperm(len(crops.categories))
        chosen = order[(step % (steps // epochs)) * _BATCH :][:_BATCH]
        pixels = crops.pixels[chosen]
        pixels = pixels.flip(-1) if step % 2 else pixels  # no word changes its meaning in a mirror
        categories, attributes = net(pixels)
        batch = Crops(pixels, crops.categories[chosen], crops.labels[chosen])
        loss = _loss(categories, attributes, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        progress(step + 1, steps, loss.item())
    return net.eval()


@torch.no_grad()
def _scores(net: _Net, crops: Crops) -> tuple[np.ndarray, np.ndarray]:
    """Category (N, C) and attribute (N, A) scores; softmax in exclusive types, else sigmoid."""
    outputs = [net(part) for part in crops.pixels.split(256)]
    categories, attributes = (torch.cat(parts) for parts in zip(*outputs, strict=True))
    scores = attributes.sigmoid()
    for parent in _EXCLUSIVE:
        scores[:, _COLUMNS[parent]] = attributes[:, _COLUMNS[parent]].softmax(dim=1)
    return categories.softmax(dim=1).numpy(), scores.numpy()


def _word_result(
    kind: str, parent: str, word: str, novel: bool, labels: np.ndarray, scores: np.ndarray
) -> WordResult:
    known = labels != UNKNOWN
    positive = labels[known] == POSITIVE
    precision = float(average_precision(scores[:, None], np.where(known, labels, -1)[:, None])[0])
    return WordResult(
        kind, parent, word, novel, precision, float(positive.mean()), int(known.sum())
    )


def measure_learnability(
    seed: int, scenes: int, epochs: int, progress: Progress = lambda _step, _steps, _loss: None
) -> list[WordResult]:
    """Train on scenes and score every word on others.

    Args:
        seed: Of the scenes and of the training.
        scenes: How many to train on; a quarter as many are scored.
        epochs: Passes over the crops.
        progress: Called after each step with its number, the number of steps and the loss.

    Returns:
        One result per category, then one per attribute, in the order of the world's words.
    """
    fresh = render_crops(seed, "test", max(20, scenes // 4))
    net = _train(render_crops(seed, "val", scenes), epochs, seed, progress)
    category_scores, attribute_scores = _scores(net, fresh)
    categories, labels = fresh.categories.numpy(), fresh.labels.numpy()
    results = [
        _word_result(
            "category",
            c.parent,
            c.name,
            not c.seen,
            (categories == i).astype(np.int8),
            category_scores[:, i],
        )
        for i, c in enumerate(CATEGORIES)
    ]
    return results + [
        _word_result(
            "attribute",
            PARENT_OF[word],
            word,
            word in NOVEL_ATTRIBUTES,
            labels[:, i],
            attribute_scores[:, i],
        )
        for i, word in enumerate(ATTRIBUTE_NAMES)
    ]
