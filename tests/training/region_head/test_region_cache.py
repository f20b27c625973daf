"""Regions of images are computed once; which proposals are among them."""

from dataclasses import replace

import pytest
import torch
from torchvision.ops import box_iou

from ovarnet.config import OvarnetDesign
from ovarnet.errors import InputError
from ovarnet.io.images import read_image, to_pixels
from ovarnet.modeling.crops import crop_boxes
from ovarnet.training.region_head import region_cache
from ovarnet.training.region_head.images import merge_images
from ovarnet.training.region_head.region_cache import cache_regions, choose_proposals

DESIGN = OvarnetDesign(long_side=448)


def test_chosen_proposals_overlap_nothing():
    annotated = torch.tensor([[0.0, 0, 10, 10]])
    proposals = torch.tensor(
        [
            [0.0, 0, 10, 9],  # on the annotated box
            [50, 50, 60, 60],
            [50, 50, 60, 61],  # on the one before
            [80, 80, 90, 90],
        ]
    )
    for seed in range(4):
        generator = torch.Generator().manual_seed(seed)
        chosen = choose_proposals(proposals, annotated, 5, generator)
        assert len(chosen) == 2
        assert not (box_iou(chosen, torch.cat([annotated])) > 0.5).any()
        assert [80, 80, 90, 90] in chosen.tolist()
    assert choose_proposals(proposals, annotated, 0, generator).shape == (0, 4)
    assert choose_proposals(proposals[:0], annotated, 3, generator).shape == (0, 4)


def test_the_best_ten_come_first():
    grid = torch.arange(30.0)[:, None] * 100
    proposals = torch.cat([grid, grid * 0, grid + 10, grid * 0 + 10], dim=1)
    chosen = choose_proposals(proposals, torch.zeros(0, 4), 12, torch.Generator().manual_seed(0))
    places = [int(box[0]) // 100 for box in chosen]
    assert sorted(places[:10]) == list(range(10))
    assert places[:10] != list(range(10))
    assert all(place >= 10 for place in places[10:])


@pytest.fixture
def parts(region_parts):
    """Student, teacher and images of a run."""
    student, clip, data = region_parts
    return student, clip, merge_images(data.sources["detection"])


def test_regions_are_computed_once_and_equal_what_the_models_give(parts, tmp_path, monkeypatch):
    student, teacher, images = parts
    monkeypatch.setattr(region_cache, "SHARD", 1)
    regions = cache_regions(*parts, 2, tmp_path, DESIGN)
    assert len(list(tmp_path.glob("regions-*.safetensors"))) == len(images) == 2
    assert regions.counts == [len(image.boxes) + 2 for image in images]

    # the first image's boxes, through the student's own steps and the teacher's own crops
    image, count = images[0], regions.counts[0]
    boxes = regions.boxes[:count]
    assert torch.equal(boxes[:2], image.boxes)
    pixels = to_pixels(read_image(image.file))
    (given,) = student([pixels], [boxes])
    with torch.no_grad():
        embeddings, _ = student.head.cells(regions.cells[:count].float())
        crops = crop_boxes(pixels, boxes, teacher.image_size, teacher.mean, teacher.std)
        features = teacher.model.visual.crop_features(crops)
    torch.testing.assert_close(embeddings, given.embeddings, atol=5e-3, rtol=0)
    torch.testing.assert_close(regions.pooled[:count].float(), features.pooled, atol=5e-3, rtol=0)
    torch.testing.assert_close(regions.mid[:count].float(), features.mid, atol=5e-3, rtol=5e-3)

    def fail(*_):
        raise AssertionError("computed again")

    monkeypatch.setattr(region_cache, "region_features", fail)
    assert torch.equal(cache_regions(*parts, 2, tmp_path, DESIGN).cells, regions.cells)
    # another number of proposals, or a size that is in no weight
    with pytest.raises(AssertionError, match="computed again"):
        cache_regions(*parts, 1, tmp_path, DESIGN)
    with pytest.raises(AssertionError, match="computed again"):
        cache_regions(*parts, 2, tmp_path, replace(DESIGN, long_side=512))


def test_a_damaged_file_is_named(parts, tmp_path):
    cache_regions(*parts, 1, tmp_path, DESIGN)
    (file,) = tmp_path.glob("regions-*.safetensors")
    file.write_bytes(b"short")
    with pytest.raises(InputError, match=f"{file.name} is damaged .*; delete it"):
        cache_regions(*parts, 1, tmp_path, DESIGN)
