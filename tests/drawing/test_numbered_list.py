"""Numbers on the boxes and a list beside the image."""

import numpy as np
import pytest
from drawn_detections import detections

from ovarnet.drawing.detections import draw
from ovarnet.drawing.image_file import write_image


@pytest.mark.slow
def test_what_is_beyond_the_best_100_boxes_is_only_counted(tmp_path):
    image = np.zeros((640, 640, 3), np.uint8)
    generator = np.random.default_rng(0)
    corners = generator.uniform(0, 560, (1600, 2))
    found = detections(np.concatenate([corners, corners + 60], axis=1).tolist())
    best, all_of_them = draw(image, found[:100]), draw(image, found)
    assert (all_of_them[:, :640] == best[:, :640]).all()
    assert best[:, :640].any()
    assert best.shape[1] <= all_of_them.shape[1] < 2200  # as many plates, and one line more
    last = (
        (all_of_them[:, 640:] == 0).all(axis=2).any(axis=0)
    )  # the only black text is that of "and 1,500 more"
    assert last.any()
    assert not (best[:, 640:] == 0).all(axis=2).any()
    write_image(tmp_path / "x.jpg", all_of_them)


@pytest.mark.slow
def test_the_list_beside_a_low_image_does_not_become_a_ribbon():
    attributes = [f"made of {name} and some more words" for name in ("steel", "wood", "glass")]
    found = detections(
        [[0, 0, 9, 9]] * 100, categories=["a phrase of several words"] * 2, attributes=attributes
    )
    height, width = draw(np.zeros((100, 1000, 3), np.uint8), found).shape[:2]
    assert height > 640
    assert 1000 < width - 4096 < 3 * height


@pytest.mark.parametrize(
    ("shape", "canvas"), [((5000, 20), (4096, 160)), ((20, 5000), (160, 4096))]
)
def test_a_very_narrow_image_gets_room_for_its_numbers(shape, canvas):
    boxes = [
        [0, 0, shape[1] // 2, shape[0] // 2],
        [shape[1] // 2, shape[0] // 2, shape[1], shape[0]],
    ]
    picture = draw(np.zeros((*shape, 3), np.uint8), detections(boxes))
    beyond = picture[: canvas[0], : canvas[1]] if shape[0] < shape[1] else picture[:, : canvas[1]]
    strip = beyond[16:] if shape[0] < shape[1] else beyond[:, 16:]
    assert (
        0 < (strip != 255).any(axis=2).sum() < 2 * 30 * 30
    )  # two tags, or what of them does not stand on the image
