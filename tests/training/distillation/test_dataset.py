"""Batches: images mirrored with their boxes, and what the teacher gets."""

import numpy as np
import pytest
import torch

from ovarnet.structures import NO_CATEGORY, UNKNOWN, Proposals
from ovarnet.training.data.base_boxes import DETECTION
from ovarnet.training.data.crops import hflip_boxes
from ovarnet.training.data.image_cache import ImageCache
from ovarnet.training.distillation.data import (
    DistillationData,
    TrainingImage,
)
from ovarnet.training.distillation.dataset import (
    CropTransform,
    DistillationDataset,
    supervises_boxes,
)
from ovarnet.vocabulary import Vocabulary, Word

BOXES, PROPOSALS = (
    [[2, 3, 10, 9], [20, 12, 33, 28]],
    [[12, 1, 18, 8], [36, 2, 40, 20], [0, 15, 15, 30]],
)

VISITS = range(12)

CROP = CropTransform(8, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def dataset(pixels, *, crop=None, cache=None):
    """One image with two boxes and three proposals, of which two are drawn at every visit."""
    memory, boxes = ImageCache(1), torch.tensor(BOXES, dtype=torch.float32)
    memory.keep("picture", pixels)
    image = TrainingImage(
        "picture",
        boxes,
        torch.tensor([0, NO_CATEGORY]),
        torch.full((2, 1), UNKNOWN, dtype=torch.int8),
        torch.tensor([False, False]),
        rpn_supervised=True,
        all_annotated=True,
        labelled=torch.tensor([True]),
        is_tall=False,
    )
    words = Vocabulary((Word("mug", seen=True),), (Word("red", seen=True),))
    proposals = {
        "picture": Proposals(
            torch.tensor(PROPOSALS, dtype=torch.float32), torch.tensor([0.9, 0.8, 0.7])
        )
    }
    return DistillationDataset(
        DistillationData(words, words, {DETECTION: [image]}),
        memory,
        seed=0,
        proposals=proposals,
        proposals_per_image=2,
        crop=crop,
        cache=cache,
    )


def painted():
    """An image, 40 wide and 30 high, in which box and proposal number k, counted from 1, have the
    brightness 40 k."""
    pixels = np.zeros((30, 40, 3), dtype=np.uint8)
    for number, (x1, y1, x2, y2) in enumerate(BOXES + PROPOSALS, start=1):
        pixels[y1:y2, x1:x2] = 40 * number
    return pixels


def visit(data, iteration):
    batch = data.__getitems__([(iteration, DETECTION, 0)])
    return batch.images[0], batch.targets[0]


def paints(pixels, boxes):
    """Numbers of the paint under each box; a box over more than one paint fails."""
    patches = [
        (255 * pixels[:, y1:y2, x1:x2]).round().unique() for x1, y1, x2, y2 in boxes.int().tolist()
    ]
    return [int(paint.item()) // 40 for paint in patches]


def test_pixels_are_mirrored_with_the_boxes_and_the_proposals():
    seen = set()
    for iteration in VISITS:
        pixels, target = visit(dataset(painted()), iteration)
        drawn = paints(pixels, target.proposals)
        assert paints(pixels, target.boxes) == [1, 2]
        assert len(set(drawn)) == 2
        assert set(drawn) <= {3, 4, 5}
        seen.add((target.boxes.tolist() == BOXES, tuple(drawn)))
    assert {plain for plain, _ in seen} == {True, False}, "half of the visits are mirrored"
    assert len(seen) > 4, "draws differ"


def test_cached_embeddings_are_those_of_the_boxes_and_of_the_proposals_that_were_drawn():
    """Row k - 1 of the cache says k, the number of the paint."""
    data = dataset(painted(), cache={(DETECTION, 0): torch.arange(1.0, 6)[:, None]})
    for iteration in VISITS:
        pixels, target = visit(data, iteration)
        assert target.teacher_crops is None
        assert target.teacher_embeddings.flatten().tolist() == [
            1,
            2,
            *paints(pixels, target.proposals),
        ]


def test_the_teachers_crops_are_boxes_and_then_proposals_as_they_are_in_the_file():
    noise = np.random.default_rng(0).integers(0, 255, (30, 40, 3), dtype=np.uint8)
    data, mirrored = dataset(noise, crop=CROP), 0
    straight = ImageCache.read(data.images, "picture")
    for iteration in VISITS:
        pixels, target = visit(data, iteration)
        flipped = not torch.equal(pixels, straight)
        mirrored += flipped
        there = hflip_boxes(target.proposals, 40) if flipped else target.proposals
        expected = CROP(straight, torch.cat([torch.tensor(BOXES, dtype=torch.float32), there]))
        assert target.teacher_embeddings is None
        assert target.teacher_crops.shape == (4, 3, 8, 8)
        assert torch.equal(target.teacher_crops, expected)
    assert 0 < mirrored < len(VISITS)


@pytest.mark.parametrize(
    ("has_categories", "expected"),
    [(True, [True, False, False, False, False]), (False, [True, True, False, False, False])],
)
def test_boxes_supervise_by_a_base_category_or_without_categories_a_base_attribute(
    has_categories, expected
):
    boxes = torch.tensor(
        [[0.0, 0, 9, 9], [0, 0, 9, 9], [0, 0, 9, 9], [0, 0, 30, 20], [0, 0, 9, 9]]
    )  # the fourth is the whole image
    attributes = torch.tensor([[1], [1], [UNKNOWN], [1], [1]], dtype=torch.int8)
    categories = torch.tensor([0, NO_CATEGORY, NO_CATEGORY, NO_CATEGORY, 0])
    image = TrainingImage(
        "",
        boxes,
        categories,
        attributes,
        torch.tensor([False, False, False, False, True]),
        rpn_supervised=True,
        all_annotated=True,
        labelled=torch.tensor([True]),
        is_tall=False,
    )
    assert supervises_boxes(image, (3, 20, 30), has_categories).tolist() == expected


def test_without_a_teacher_there_is_nothing_for_it():
    _, target = visit(dataset(painted()), 0)
    assert target.teacher_crops is None
    assert target.teacher_embeddings is None
    assert target.teacher_count == 4
