"""Sizes, boxes and batches of resized images."""

import pytest
import torch

from ovarnet.modeling.resize import DetectorResize


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((160, 200), (160, 200)),  # short side within 112..208: as it is
        ((56, 100), (112, 200)),  # enlarged to the lower end
        ((480, 640), (208, 277)),  # shrunk to the upper end
        ((200, 400), (160, 320)),  # the long side wins
        ((20, 20000), (1, 320)),  # 0.32 pixels become one
        ((1, 1), (112, 112)),
    ],
)
def test_resize_rule(size, expected):
    assert DetectorResize((112, 208), 320, (0.5,) * 3, (0.5,) * 3).eval().resized(*size) == expected


def test_resize_in_training_draws_the_short_side():
    resize = DetectorResize((800, 800), 1333, (0.5,) * 3, (0.5,) * 3, train_short_sides=(640, 672))
    torch.manual_seed(0)
    assert {resize.train().resized(100, 150) for _ in range(30)} == {(640, 960), (672, 1008)}
    assert resize.eval().resized(100, 150) == (800, 1200)


def test_resize_moves_boxes_with_the_pixels_of_a_non_square_image():
    resize = DetectorResize((112, 208), 320, (0.5,) * 3, (0.5,) * 3)
    image, target = resize.resize(
        torch.rand(3, 56, 100), {"boxes": torch.tensor([[10.0, 20.0, 50.0, 56.0]])}
    )
    assert image.shape == (3, 112, 200)
    assert target["boxes"].tolist() == [[20.0, 40.0, 100.0, 112.0]]


def test_padded_size_is_that_of_an_image_alone():
    assert DetectorResize((112, 208), 320, (0.5,) * 3, (0.5,) * 3).eval().padded(160, 193) == (
        160,
        224,
    )


def test_images_of_one_padded_size_share_a_batch():
    resize = DetectorResize((32, 64), 128, (0.5,) * 3, (0.5,) * 3).eval()
    sizes = [(40, 60), (64, 64), (33, 64), (64, 40)]
    images = [torch.zeros(3, *size) for size in sizes]
    assert [resize.padded(*size) for size in sizes] == [(64, 64), (64, 64), (64, 64), (64, 64)]
    assert resize.same_size(images) == [[0, 1, 2, 3]]
    images[1] = torch.zeros(3, 40, 100)  # padded to 64 x 128
    assert resize.same_size(images) == [[0, 2, 3], [1]]
    assert resize.same_size([]) == []
