"""Exact geometry of the crop rule (method section 2.2), on images small enough to work out by
hand."""

import pytest
import torch

from ovarnet.modeling.crops import crop_boxes, enlarge_boxes, random_crop_boxes, whole_pixels

MEAN, STD = (0.5, 0.25, 0.0), (0.5, 0.5, 2.0)
PLAIN = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


def position_image(height, width):
    """Red holds the column, green the row, both over 100; blue is 1 everywhere, so that padding
    shows as 0."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([columns / 100, rows / 100, torch.ones(height, width)]).float()


def test_enlarges_about_the_centre_by_five_percent():
    grown = enlarge_boxes(torch.tensor([[10.0, 20.0, 30.0, 120.0]]), 0.05)
    assert torch.allclose(grown, torch.tensor([[9.5, 17.5, 30.5, 122.5]], dtype=torch.float64))


def test_whole_pixels_clip_to_a_non_square_image():
    boxes = torch.tensor([[-5.0, -5.0, 200.0, 200.0], [1.4, 2.6, 7.6, 5.4]], dtype=torch.float64)
    assert whole_pixels(boxes, height=30, width=50).tolist() == [[0, 0, 50, 30], [1, 3, 8, 5]]


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ([10.1, 10.1, 10.2, 10.2], [10, 10, 11, 11]),  # thinner than a pixel
        ([49.8, 29.8, 50.0, 30.0], [49, 29, 50, 30]),  # in the last corner
        ([0.0, 0.0, 0.1, 0.1], [0, 0, 1, 1]),
    ],
)
def test_at_least_one_pixel(box, expected):
    assert whole_pixels(torch.tensor([box], dtype=torch.float64), height=30, width=50).tolist() == [
        expected
    ]


def test_wide_box_fills_the_width_and_is_centred_between_zeros():
    image = position_image(30, 50)
    crop = crop_boxes(image, torch.tensor([[8.0, 6.0, 16.0, 10.0]]), 8, *PLAIN, enlarge=0.0)
    assert crop.shape == (1, 3, 8, 8)
    assert crop[0, 2].tolist() == [[0.0] * 8] * 2 + [[1.0] * 8] * 4 + [[0.0] * 8] * 2
    assert torch.allclose(crop[0, 0, 2:6], image[0, 6:10, 8:16])
    assert torch.allclose(crop[0, 1, 2:6], image[1, 6:10, 8:16])


def test_tall_box_keeps_its_aspect_when_scaled():
    crop = crop_boxes(
        position_image(40, 20), torch.tensor([[4.0, 8.0, 8.0, 24.0]]), 8, *PLAIN, enlarge=0.0
    )
    assert crop[0, 2].tolist() == [[0.0] * 3 + [1.0] * 2 + [0.0] * 3] * 8
    # halving averages pairs of columns around 5 and 7 with the antialias filter, symmetric about
    # the middle 5.5
    assert torch.allclose(crop[0, 0, 4, 3:5].sum(), torch.tensor(0.11), atol=1e-6)
    assert torch.allclose(
        crop[0, 1].flip(0)[:, 3] + crop[0, 1][:, 3], torch.full((8,), 0.31), atol=1e-6
    )


def test_pad_comes_after_normalisation():
    crop = crop_boxes(
        torch.ones(3, 30, 50), torch.tensor([[8.0, 6.0, 16.0, 10.0]]), 8, MEAN, STD, enlarge=0.0
    )[0]
    assert crop[:, 3, 4].tolist() == [1.0, 1.5, 0.5]
    assert crop[:, 0, 4].tolist() == [0.0, 0.0, 0.0]


def test_box_at_the_border_is_enlarged_only_inwards():
    image = position_image(40, 60)
    crop = crop_boxes(image, torch.tensor([[40.0, 20.0, 60.0, 40.0]]), 22, *PLAIN, enlarge=0.2)[0]
    # grown to 38..62 x 18..42, clipped to 38..60 x 18..40: 22 x 22 pixels, so no resampling and no
    # padding
    assert torch.equal(crop, image[:, 18:40, 38:60])


def test_one_pixel_box_becomes_one_flat_square():
    image = position_image(30, 50)
    crop = crop_boxes(image, torch.tensor([[12.0, 7.0, 13.0, 8.0]]), 6, *PLAIN)[0]
    assert torch.allclose(crop, image[:, 7, 12, None, None].expand(3, 6, 6))


def test_needle_keeps_one_pixel_of_height():
    crop = crop_boxes(
        torch.ones(3, 4, 400), torch.tensor([[0.0, 1.0, 400.0, 2.0]]), 8, *PLAIN, enlarge=0.0
    )[0]
    assert crop[2].sum(dim=1).tolist() == pytest.approx([0, 0, 0, 8, 0, 0, 0, 0])


def test_no_boxes():
    assert crop_boxes(torch.rand(3, 5, 9), torch.zeros(0, 4), 16, *PLAIN).shape == (0, 3, 16, 16)
    assert random_crop_boxes(
        torch.rand(3, 5, 9), torch.zeros(0, 4), 16, *PLAIN, torch.Generator()
    ).shape == (0, 3, 16, 16)


def test_one_box_of_many_equals_that_box_alone():
    image, boxes = (
        torch.rand(3, 90, 130),
        torch.tensor([[3.0, 4.0, 60.0, 33.0], [50.0, 10.0, 71.0, 88.0], [0.0, 0.0, 130.0, 90.0]]),
    )
    together = crop_boxes(image, boxes, 32, MEAN, STD)
    for i in range(3):
        assert torch.equal(together[i : i + 1], crop_boxes(image, boxes[i : i + 1], 32, MEAN, STD))


def test_random_crops_follow_their_generator():
    image, boxes = torch.rand(3, 90, 130), torch.tensor([[30.0, 4.0, 90.0, 63.0]]).repeat(4, 1)
    first, again, other = (
        random_crop_boxes(image, boxes, 32, MEAN, STD, torch.Generator().manual_seed(seed))
        for seed in (3, 3, 4)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first[0], first[1])


def test_random_crops_without_randomness_are_the_deterministic_ones_or_their_mirror_images():
    image, boxes = (
        torch.rand(3, 90, 130),
        torch.tensor([[30.0, 4.0, 90.0, 63.0], [0.0, 80.0, 22.0, 90.0]]).repeat(20, 1),
    )
    calm = random_crop_boxes(
        image,
        boxes,
        32,
        MEAN,
        STD,
        torch.Generator().manual_seed(0),
        enlarge=(0.05, 0.05),
        keep=1.0,
    )
    expected = crop_boxes(image, boxes, 32, MEAN, STD)
    straight, mirrored = (
        (calm == crops).flatten(1).all(dim=1) for crops in (expected, expected.flip(-1))
    )
    assert (straight ^ mirrored).all()
    assert 10 < straight.sum() < 30


def test_random_crops_show_between_nine_tenths_and_twelve_tenths_of_a_box():
    image, box = position_image(100, 100), torch.tensor([[20.0, 20.0, 70.0, 60.0]])
    crops = random_crop_boxes(
        image, box.repeat(200, 1), 64, *PLAIN, torch.Generator().manual_seed(0)
    )
    shown = (
        100
        * (crops[:, 0].amax((1, 2)) - crops[:, 0].where(crops[:, 2] > 0.5, torch.inf).amin((1, 2)))
        + 1
    )
    assert 44 <= shown.min() < 47
    assert 57 < shown.max() <= 61
