"""Labels of regions, and batches of them."""

from dataclasses import replace

import torch

from ovarnet.structures import NO_CATEGORY, POSITIVE, UNKNOWN
from ovarnet.training.distillation.data import TrainingImage
from ovarnet.training.region_head.data import RegionDataset, label_regions
from ovarnet.training.region_head.region_cache import CachedRegions


def image(boxes, *, exhaustive):
    boxes = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    return TrainingImage(
        file="x.jpg",
        boxes=boxes,
        categories=torch.arange(len(boxes)),
        attributes=torch.full((len(boxes), 1), POSITIVE, dtype=torch.int8),
        is_ignored=torch.arange(len(boxes)) == 1,
        rpn_supervised=True,
        all_annotated=exhaustive,
        labelled=torch.tensor([exhaustive]),
        is_tall=False,
    )


def cached(boxes, counts):
    regions = len(boxes)
    return CachedRegions(
        counts,
        torch.tensor(boxes, dtype=torch.float32),
        torch.arange(regions * 4.0).reshape(regions, 1, 2, 2).half(),
        torch.arange(regions * 3.0).reshape(regions, 3).half(),
        torch.arange(regions * 2.0).reshape(regions, 2).half(),
    )


ANNOTATED = [[0, 0, 10, 10], [20, 0, 30, 10]]
NEAR, HALF, FAR = [0, 0, 10, 6], [0, 0, 10, 5], [50, 50, 60, 60]
"""IoU with the first box: 0.6, 0.5, 0."""


def test_labels_of_boxes_and_background():
    images = [image(ANNOTATED, exhaustive=True), image([], exhaustive=False)]
    regions = cached([*ANNOTATED, NEAR, HALF, FAR, FAR], [5, 1])
    labels = label_regions(images, regions)
    # the second box is ignored: it has no label and is no background
    assert labels.categories.tolist() == [0, *[NO_CATEGORY] * 5]
    assert labels.attributes.flatten().tolist() == [POSITIVE, *[UNKNOWN] * 5]
    # in the second image objects may be without a box
    assert labels.is_background.flatten().tolist() == [False, False, False, False, True, False]


def test_what_lies_on_an_ignored_box_is_no_background():
    labels = label_regions(
        [image(ANNOTATED, exhaustive=True)], cached([*ANNOTATED, [20, 0, 30, 6]], [3])
    )
    assert not labels.is_background.any()


def test_a_proposal_is_background_to_the_categories_that_its_image_labels_completely():
    partly = replace(image([], exhaustive=True), labelled=torch.tensor([True, False]))
    labels = label_regions([partly], cached([FAR], [1]))
    assert labels.is_background.tolist() == [[True, False]]


def test_batches_mirror_cells_and_depend_on_the_iteration_alone():
    regions = cached([FAR] * 8, [8])
    labels = label_regions([image([], exhaustive=True)], regions)
    dataset = RegionDataset(regions, labels, seed=0)
    keys = [(3, index) for index in (6, 1, 4, 0, 7)]
    batch = dataset.__getitems__(keys)
    mirrored = 0
    for row, (_, index) in enumerate(keys):
        own = regions.cells[index].float()
        assert torch.equal(batch.cells[row], own) or torch.equal(batch.cells[row], own.flip(2))
        mirrored += not torch.equal(batch.cells[row], own)
    assert 0 < mirrored < 5
    assert torch.equal(batch.pooled, regions.pooled[[6, 1, 4, 0, 7]].float())
    assert torch.equal(batch.mid, regions.mid[[6, 1, 4, 0, 7]].float())
    assert batch.labels.is_background.all()
    assert torch.equal(dataset.__getitems__(keys).cells, batch.cells)
    assert len(dataset) == 8
