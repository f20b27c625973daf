"""Which regions carry which labels."""

import torch
from image_targets import targets

from ovarnet.structures import NO_CATEGORY, UNKNOWN
from ovarnet.training.distillation.region_sampling import sample_regions


def test_what_regions_carry():
    """One exact region per box, one far from all, and a proposal of the teacher."""
    target = targets(
        [[0, 0, 10, 10], [20, 20, 40, 40]],
        [1, NO_CATEGORY],
        attributes=[[UNKNOWN, UNKNOWN], [1, 0]],
        supervised=[True, False],
        proposals=[[50, 50, 60, 60]],
    )
    regions = sample_regions(torch.tensor([[80.0, 80, 90, 90]]), target, 8)
    rows = {tuple(box): row for row, box in enumerate(regions.boxes.int().tolist())}
    mug, thing, nothing, proposal = (
        rows[key] for key in ((0, 0, 10, 10), (20, 20, 40, 40), (80, 80, 90, 90), (50, 50, 60, 60))
    )
    assert regions.categories[[mug, thing, nothing, proposal]].tolist() == [
        1,
        NO_CATEGORY,
        NO_CATEGORY,
        NO_CATEGORY,
    ]
    assert regions.attributes[thing].tolist() == [1, 0]
    assert (regions.attributes[[mug, nothing, proposal]] == UNKNOWN).all()
    assert regions.is_background[[mug, thing, nothing, proposal]].tolist() == [
        False,
        False,
        True,
        False,
    ]
    assert regions.is_box_supervised[[mug, thing, nothing, proposal]].tolist() == [
        True,
        False,
        False,
        False,
    ]
    assert regions.gt_boxes[mug].tolist() == [0, 0, 10, 10]
    assert regions.teacher_rows[[mug, thing, nothing, proposal]].tolist() == [0, 1, -1, 2]


def test_regions_from_an_overlap_of_60_percent_are_positive_and_below_50_background():
    heights = [6.5, 5.5, 4.5, 2.0]  # of 10, so the overlap is a tenth of it
    found = torch.tensor([[0.0, 0, 10, height] for height in heights])
    regions = sample_regions(found, targets([[0, 0, 10, 10]], [0]), 16)
    picked = {
        round(box[3], 1): bool(row)
        for box, row in zip(regions.boxes.tolist(), regions.is_background, strict=True)
    }
    assert picked == {10.0: False, 6.5: False, 4.5: True, 2.0: True}


def test_images_not_wholly_annotated_have_no_background_and_crowds_are_ignored():
    found = torch.tensor([[80.0, 80, 90, 90]])
    assert len(sample_regions(found, targets([], [], annotated=False), 8).boxes) == 0
    found = torch.cat(
        [found, torch.tensor([[10.0, 10, 20, 20]])]
    )  # in the crowd, with an IoU of .11
    crowd = sample_regions(
        found, targets([[0, 0, 30, 30]], [0], supervised=[False], ignored=[True]), 8
    )
    assert crowd.boxes.tolist() == [[80, 80, 90, 90]]
    assert crowd.is_background.tolist() == [True]
