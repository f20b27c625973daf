"""Images with base boxes: what is left out, and flips that agree."""

import cv2
import numpy as np
import torch

from ovarnet.structures import Annotations
from ovarnet.training.proposer.data import BoxedImageDataset, with_base_boxes
from ovarnet.vocabulary import Vocabulary, Word

WORDS = Vocabulary((Word("mug", seen=True), Word("key"), Word("car", seen=True)), ())


def annotation(file, categories, boxes, crowd=None):
    return Annotations(
        str(file), str(file), 6, 10, boxes, categories, torch.zeros(len(boxes), 0), crowd
    )


def test_novel_and_unlabelled_boxes_and_images_without_a_base_box_are_left_out():
    mixed = annotation("a", [1, 2, -1, 0], [[0, 0, 1, 1], [0, 0, 2, 2], [0, 0, 3, 3], [0, 0, 4, 4]])
    novel = annotation("b", [1], [[0, 0, 1, 1]])
    (kept,) = with_base_boxes([mixed, novel], WORDS)
    assert kept.file == "a"
    assert kept.boxes[:, 2].tolist() == [2.0, 4.0]


def test_flipped_images_and_boxes_agree_and_crowd_boxes_are_left_out(tmp_path):
    picture = np.zeros((6, 10, 3), np.uint8)
    picture[1:4, 2:5] = 255
    cv2.imwrite(str(tmp_path / "x.png"), picture)
    images = BoxedImageDataset(
        [annotation(tmp_path / "x.png", [0, 0], [[2, 1, 5, 4], [0, 0, 9, 5]], [False, True])],
        seed=0,
    )
    batch = images.__getitems__([(3, 0)] * 40)
    seen = {tuple(box[0].tolist()) for box in batch.boxes}
    assert seen == {(2.0, 1.0, 5.0, 4.0), (5.0, 1.0, 8.0, 4.0)}
    for image, box in zip(batch.images, batch.boxes, strict=True):
        x1, y1, x2, y2 = box[0].long().tolist()
        assert len(box) == 1
        assert image.shape == (3, 6, 10)
        assert image[:, y1:y2, x1:x2].min() == 1
        assert image.sum() == 27


def test_the_same_iteration_gives_the_same_batch(tmp_path):
    cv2.imwrite(
        str(tmp_path / "x.png"),
        np.random.default_rng(0).integers(0, 255, (6, 10, 3), dtype=np.uint8),
    )
    images = BoxedImageDataset([annotation(tmp_path / "x.png", [0], [[2, 1, 5, 4]])], seed=5)
    first, again = (images.__getitems__([(7, 0)] * 8).images for _ in range(2))
    assert torch.equal(torch.stack(first), torch.stack(again))
