"""Maps of a frozen trunk: the losses of the images themselves, views, and what is kept on disk."""

import cv2
import numpy as np
import pytest
import torch

from ovarnet.build import build_proposer
from ovarnet.config import ClipSettings
from ovarnet.errors import InputError
from ovarnet.io.images import read_image, to_pixels
from ovarnet.proposals.detector import photos_proposer
from ovarnet.structures import Annotations
from ovarnet.training.proposer import trunk_maps as module
from ovarnet.training.proposer.trunk_maps import MAPS, TrunkMapDataset


@pytest.fixture
def proposer(photo_clip):
    torch.manual_seed(0)
    return photos_proposer(photo_clip).train()


@pytest.fixture
def annotations(tmp_path):
    """Images of 448 x 336, which keep their size, and 224 x 168; with a difficult box."""
    images = []
    for name, (width, height) in {"a": (448, 336), "b": (224, 168)}.items():
        file = str(tmp_path / f"{name}.png")
        pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
        cv2.imwrite(file, pixels)
        boxes = [[20, 30, 120, 110], [0, 0, 50, 50]]
        labels = torch.zeros(2, 0)
        images.append(
            Annotations(
                file, file, height, width, boxes, [0, 0], labels, is_difficult=[False, True]
            )
        )
    return images


def test_losses_are_those_of_the_image(proposer, annotations, tmp_path):
    dataset = TrunkMapDataset(proposer, annotations[:1], tmp_path / "maps", views=1)
    batch = dataset.__getitems__([(0, MAPS, 0)])
    assert batch.sizes == [(336, 448)]
    assert [tuple(maps.shape[-2:]) for maps in batch.maps] == [(44, 56), (22, 28), (11, 14)]

    proposer.train()
    detector = proposer.detector
    detector.transform.train_short_sides = ()  # 336 as in the first view
    pixels, boxes = to_pixels(read_image(annotations[0].file)), batch.boxes
    image, _ = detector.transform([pixels])
    maps = [detector.backbone.trunk_maps(image.tensors)[name] for name in ("c3", "c4", "c5")]
    for kept, made in zip(batch.maps, maps, strict=True):
        torch.testing.assert_close(kept, made, rtol=2e-3, atol=1e-3)  # kept in half precision

    torch.manual_seed(1)
    expected = proposer([pixels], boxes)
    torch.manual_seed(1)
    losses = proposer.losses_on_maps(maps, boxes, batch.sizes)
    assert losses.keys() == expected.keys()
    for name, loss in losses.items():
        assert loss.item() == pytest.approx(expected[name].item(), abs=1e-5)


def test_views_after_the_first_have_sizes_of_training_and_every_other_is_mirrored(
    proposer, annotations, tmp_path
):
    dataset = TrunkMapDataset(proposer, annotations, tmp_path / "maps", views=5)
    assert len(dataset) == 10
    batch = dataset.__getitems__([(0, MAPS, view) for view in range(10)])
    shorts = [min(size) for size in batch.sizes]
    assert shorts[:2] == [336, 336]
    assert set(shorts) <= {256, 288, 320, 336}  # 352 and 384 end at the limit of the long side
    assert len(set(shorts)) > 2
    for view, ((height, width), boxes) in enumerate(zip(batch.sizes, batch.boxes, strict=True)):
        image = annotations[view % 2]
        left, top, right, bottom = 20, 30, 120, 110
        if view // 2 % 2:
            left, right = image.width - right, image.width - left
        scale_x, scale_y = width / image.width, height / image.height
        expected = [left * scale_x, top * scale_y, right * scale_x, bottom * scale_y]
        assert boxes.tolist() == [pytest.approx(expected, abs=1e-3)]


def test_mirrored_maps_are_those_of_the_mirrored_image(proposer, annotations, tmp_path):
    proposer.detector.transform.train_short_sides = (336,)
    dataset = TrunkMapDataset(proposer, annotations[:1], tmp_path / "maps", views=2)
    mirrored = annotations[0]
    cv2.imwrite(mirrored.file, cv2.imread(mirrored.file)[:, ::-1])
    again = TrunkMapDataset(proposer, [mirrored], tmp_path / "others", views=1)
    for kept, made in zip(
        dataset.__getitems__([(0, MAPS, 1)]).maps,
        again.__getitems__([(0, MAPS, 0)]).maps,
        strict=True,
    ):
        torch.testing.assert_close(kept, made)


def test_a_batch_of_several_sizes_is_padded_with_zeros(proposer, annotations, tmp_path):
    tall = str(tmp_path / "tall.png")
    cv2.imwrite(tall, np.full((448, 336, 3), 200, np.uint8))
    boxes, labels = [[0, 0, 40, 50]], torch.zeros(1, 0)
    tall = Annotations(tall, tall, 448, 336, boxes, [0], labels)
    dataset = TrunkMapDataset(proposer, [annotations[0], tall], tmp_path / "maps", views=1)
    batch = dataset.__getitems__([(0, MAPS, 0), (0, MAPS, 1)])
    assert [tuple(maps.shape[-2:]) for maps in batch.maps] == [(56, 56), (28, 28), (14, 14)]
    assert batch.maps[0][0, :, 44:].abs().sum() == 0
    assert batch.maps[0][1, :, :, 44:].abs().sum() == 0
    assert torch.equal(batch.maps[0][0, :, :44], dataset.rows[0]["c3"].float())


def test_the_views_of_a_batch_are_all_tall_or_all_wide(proposer, annotations, tmp_path):
    tall = str(tmp_path / "tall.png")
    cv2.imwrite(tall, np.full((448, 336, 3), 200, np.uint8))
    tall = Annotations(tall, tall, 448, 336, [[0, 0, 40, 50]], [0], torch.zeros(1, 0))
    dataset = TrunkMapDataset(proposer, [*annotations, tall], tmp_path / "maps", views=2)
    assert dataset.is_tall == [False, False, True, False, False, True]
    batches = list(dataset.sampler(2, 30, seed=3))
    seen = [{dataset.is_tall[index] for _, _, index in batch} for batch in batches]
    assert [len(kinds) for kinds in seen] == [1] * 30
    assert 0 < sum(True in kinds for kinds in seen) < 30
    assert list(dataset.sampler(2, 30, seed=3, start=12)) == batches[12:]


def test_maps_are_computed_once(proposer, annotations, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SHARD", 3)
    first = TrunkMapDataset(proposer, annotations, tmp_path / "maps", views=2)
    assert len(list((tmp_path / "maps").iterdir())) == 2
    monkeypatch.setattr(module, "read_image", None)
    again = TrunkMapDataset(proposer, annotations, tmp_path / "maps", views=2)
    keys = [(0, MAPS, 3), (0, MAPS, 0)]
    for one, other in zip(
        first.__getitems__(keys).maps, again.__getitems__(keys).maps, strict=True
    ):
        assert torch.equal(one, other)

    # other boxes, or another trunk, are other files
    with pytest.raises(TypeError):
        TrunkMapDataset(proposer, annotations[:1], tmp_path / "maps", views=2)
    next(proposer.detector.backbone.trunk.parameters()).data += 1
    with pytest.raises(TypeError):
        TrunkMapDataset(proposer, annotations, tmp_path / "maps", views=2)


def test_a_damaged_file_is_named(proposer, annotations, tmp_path):
    TrunkMapDataset(proposer, annotations[:1], tmp_path / "maps", views=1)
    (file,) = (tmp_path / "maps").iterdir()
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(InputError, match=r"maps-.*\.safetensors is damaged .*; delete it"):
        TrunkMapDataset(proposer, annotations[:1], tmp_path / "maps", views=1)


def test_a_trunk_that_is_trained_is_refused(annotations, tmp_path):
    scenes = build_proposer("scenes", ClipSettings("ovarnet-scenes"))
    with pytest.raises(InputError, match=r"views=2 keeps maps of a frozen trunk.*set kind=photos"):
        TrunkMapDataset(scenes, annotations, tmp_path / "maps", views=2)
