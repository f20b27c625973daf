"""Features of random crops, computed once and found again."""

import copy

import cv2
import numpy as np
import pytest
import torch

from ovarnet.errors import InputError
from ovarnet.training.concept_clip.crop_features import CACHE_SEED, FeatureTable
from ovarnet.training.data.crops import BoxCropper
from ovarnet.training.data.image_cache import ImageCache
from ovarnet.training.engine.seeds import seeded

BOXES = torch.tensor([[2.0, 2, 40, 30], [10, 5, 60, 45], [0, 0, 70, 60]])


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A photo with two of the boxes, and one with the third."""
    folder, pictures = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    for name in ("a.png", "b.png"):
        picture = pictures.integers(0, 255, (60, 70, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / name), picture)
    return [str(folder / name) for name in ("a.png", "a.png", "b.png")]


def table(clip, files, folder, *, boxes=BOXES, crops="cut", views=2):
    crops = BoxCropper(clip, ImageCache(1)) if crops == "cut" else crops
    return FeatureTable(clip, files, boxes, crops, folder, views=views, name="test")


@torch.no_grad()
def test_a_row_holds_the_features_of_that_crop_of_that_box(photo_clip, files, tmp_path):
    made = table(photo_clip, files, tmp_path)
    assert len(made) == 3
    assert {part: tuple(rows.shape) for part, rows in made.parts.items()} == {
        "pooled": (2, 3, 1280),
        "mid": (2, 3, 3 * 176),
    }
    rows = made.rows(torch.tensor([2, 0]), torch.tensor([1, 0]))
    assert rows.pooled.dtype == rows.mid.dtype == torch.float32
    crops = BoxCropper(photo_clip, ImageCache(1))
    for place, (index, view) in enumerate([(2, 1), (0, 0)]):
        generator = seeded(CACHE_SEED, view, index)
        crop = crops.random(files[index], BOXES[index : index + 1], generator)
        expected = photo_clip.model.visual.crop_features(crop)
        # stored in float16
        torch.testing.assert_close(rows.pooled[place], expected.pooled[0], atol=1e-3, rtol=2e-3)
        torch.testing.assert_close(rows.mid[place], expected.mid[0], atol=1e-3, rtol=2e-3)


def test_what_is_stored_is_read_whatever_the_head(photo_clip, files, tmp_path):
    first = table(photo_clip, files, tmp_path)
    other_head = copy.deepcopy(photo_clip)
    torch.nn.init.constant_(other_head.model.visual.head.balance, 2.0)
    again = table(other_head, files, tmp_path, crops=None)
    assert all(torch.equal(again.parts[part], rows) for part, rows in first.parts.items())
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.slow
@torch.no_grad()
def test_other_views_boxes_or_trunks_are_other_files(photo_clip, files, tmp_path):
    table(photo_clip, files, tmp_path)
    table(photo_clip, files, tmp_path, views=1)
    table(photo_clip, files, tmp_path, boxes=BOXES + 1)
    other_trunk = copy.deepcopy(photo_clip)
    other_trunk.model.visual.trunk.net.conv_stem.weight[0, 0, 0, 0] += 1
    table(other_trunk, files, tmp_path)
    assert len(list(tmp_path.iterdir())) == 4


def test_a_damaged_file_is_one_line(photo_clip, files, tmp_path):
    table(photo_clip, files, tmp_path, views=1)
    (stored,) = tmp_path.iterdir()
    stored.write_bytes(stored.read_bytes()[:100])
    with pytest.raises(InputError, match=r"crops-.* is damaged .*; delete it, it is computed"):
        table(photo_clip, files, tmp_path, views=1)


def test_there_may_be_no_boxes(photo_clip, tmp_path):
    for crops in ("cut", None):  # computed, then read
        made = table(photo_clip, [], tmp_path, boxes=BOXES[:0], crops=crops)
        assert len(made) == 0
        none = torch.zeros(0, dtype=torch.int64)
        assert made.rows(none, none).pooled.shape == (0, 1280)
        assert made.rows(none, none).mid.shape == (0, 3 * 176)
