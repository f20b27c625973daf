"""Images that several sources have are merged."""

import torch

from ovarnet.structures import NEGATIVE, NO_CATEGORY, POSITIVE, UNKNOWN
from ovarnet.training.distillation.data import TrainingImage
from ovarnet.training.region_head.images import merge_images


def image(file, boxes, categories, attributes, *, ignored=None, exhaustive=False):
    return TrainingImage(
        file=str(file),
        boxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        categories=torch.tensor(categories, dtype=torch.int64),
        attributes=torch.tensor(attributes, dtype=torch.int8).reshape(-1, 2),
        is_ignored=torch.tensor(ignored or [False] * len(boxes), dtype=torch.bool),
        rpn_supervised=exhaustive,
        all_annotated=exhaustive,
        labelled=torch.tensor([exhaustive, False]),
        is_tall=False,
    )


def test_boxes_of_one_file_are_joined_through_links(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "a.jpg")
    first = image(
        tmp_path / "a.jpg",
        [[0, 0, 9, 9], [1, 1, 5, 5]],
        [3, 4],
        [[UNKNOWN, UNKNOWN], [POSITIVE, UNKNOWN]],
        exhaustive=True,
    )
    second = image(
        tmp_path / "link.jpg",
        [[1, 1, 5, 5], [2, 2, 8, 8]],
        [NO_CATEGORY, NO_CATEGORY],
        [[NEGATIVE, NEGATIVE], [POSITIVE, POSITIVE]],
        ignored=[True, False],
    )
    other = image(tmp_path / "b.jpg", [], [], [])
    merged, last = merge_images([first, second, other])
    assert merged.file == first.file
    assert merged.boxes.tolist() == [[0, 0, 9, 9], [1, 1, 5, 5], [2, 2, 8, 8]]
    assert merged.categories.tolist() == [3, 4, NO_CATEGORY]
    # a label that is known stays, the other source fills in what is not
    assert merged.attributes.tolist() == [
        [UNKNOWN, UNKNOWN],
        [POSITIVE, NEGATIVE],
        [POSITIVE, POSITIVE],
    ]
    assert merged.is_ignored.tolist() == [False, True, False]
    assert merged.all_annotated
    assert merged.labelled.tolist() == [True, False]
    assert merged.rpn_supervised
    assert last is other
    # the sources are as they were
    assert first.attributes.tolist()[1] == [POSITIVE, UNKNOWN]
    assert first.is_ignored.tolist() == [False, False]


def test_a_category_of_the_second_source_fills_in():
    first = image("x.jpg", [[0, 0, 9, 9]], [NO_CATEGORY], [[UNKNOWN, UNKNOWN]])
    second = image("x.jpg", [[0, 0, 9, 9]], [2], [[UNKNOWN, POSITIVE]])
    (merged,) = merge_images([first, second])
    assert merged.categories.tolist() == [2]
    assert merged.attributes.tolist() == [[UNKNOWN, POSITIVE]]
    assert not merged.all_annotated
