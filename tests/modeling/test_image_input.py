"""Images of any kind, in batches."""

import numpy as np
import pytest
import torch
from PIL import Image

from ovarnet.errors import InputError
from ovarnet.modeling import image_input
from ovarnet.modeling.image_input import image_batches, is_many

PICTURE = np.zeros((60, 80, 3), dtype=np.uint8)
CPU = torch.device("cpu")


def read(images, boxes=None, **options):
    return list(image_batches(images, boxes, device=CPU, **options))


def sizes(images, **options):
    return [len(batch.images) for batch in read(images, **options)]


@pytest.fixture
def array():
    return np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)


def test_every_kind_of_the_same_image_gives_the_same_pixels(array, tmp_path):
    Image.fromarray(array).save(tmp_path / "a.png")
    expected = torch.from_numpy(array).permute(2, 0, 1) / 255
    kinds = {
        "array": array,
        "floats": array / 255,
        "tensor": torch.from_numpy(array).permute(2, 0, 1),
        "pil": Image.fromarray(array),
        "bytes": (tmp_path / "a.png").read_bytes(),
        "path": tmp_path / "a.png",
        "text": str(tmp_path / "a.png"),
        "opened": Image.open(tmp_path / "a.png"),
    }
    for kind, image in kinds.items():
        [batch] = read(image)
        assert torch.equal(batch.images[0], expected), kind
        named = kind in ("path", "text", "opened")
        assert batch.names == [str(tmp_path / "a.png") if named else None], kind
        assert batch.boxes is None


def test_bgr_is_turned_in_arrays_and_not_in_files(array, tmp_path):
    Image.fromarray(array).save(tmp_path / "a.png")
    [batch] = read(
        [np.ascontiguousarray(array[..., ::-1]), tmp_path / "a.png"], channel_order="BGR"
    )
    assert torch.equal(batch.images[0], batch.images[1])
    with pytest.raises(InputError, match="channel order 'BRG' is unknown"):
        read(array, channel_order="BRG")


def test_several_images(array):
    assert [is_many(images) for images in ([array], (array,), np.stack([array] * 2))] == [True] * 3
    assert is_many(torch.zeros(2, 3, 6, 9))
    assert not is_many(array)
    assert not is_many("photo.jpg")
    [batch] = read(np.stack([array, array]))
    assert torch.equal(batch.images[0], batch.images[1])
    assert read([]) == []


def test_without_a_batch_size_a_few_at_a_time_by_their_number_and_pixels(monkeypatch):
    assert sizes([PICTURE] * 19) == [8, 8, 3]
    monkeypatch.setattr(image_input, "BATCH_PIXELS", 2 * 60 * 80)
    assert sizes([PICTURE] * 5) == [2, 2, 1]


def test_a_batch_size_is_what_it_says(monkeypatch):
    monkeypatch.setattr(image_input, "BATCH_PIXELS", 2 * 60 * 80)
    assert sizes([PICTURE] * 19, batch_size=16) == [16, 3]
    assert sizes([PICTURE] * 3, batch_size=1) == [1, 1, 1]
    for wrong in (0, -1, 2.5):
        with pytest.raises(InputError, match=f"batch_size is {wrong}; it must be a whole number"):
            read(PICTURE, batch_size=wrong)


def test_boxes_go_with_their_image():
    boxes = [[[1, 2, 30, 40]], [], [[0, 0, 90, 9], [2, 2, 3, 3]]]
    first, second = read([PICTURE] * 3, boxes, batch_size=2)
    assert [rows.tolist() for rows in first.boxes] == [[[1, 2, 30, 40]], []]
    assert [rows.tolist() for rows in second.boxes] == [[[0, 0, 80, 9], [2, 2, 3, 3]]]
    [alone] = read(PICTURE, [[1, 2, 30, 40]])
    assert alone.boxes[0].tolist() == [[1, 2, 30, 40]]


def test_a_broken_image_in_a_list_is_named(array, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"broken\.jpg"):
        read([PICTURE, tmp_path / "broken.jpg"])
    Image.fromarray(array).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:150])
    with pytest.raises(InputError, match=r"^image 1 of the list: .*cut\.png: cannot be decoded"):
        read([PICTURE, Image.open(tmp_path / "cut.png")])
    with pytest.raises(InputError, match=r"^.*cut\.png: cannot be decoded"):
        read(Image.open(tmp_path / "cut.png"))
    with pytest.raises(InputError, match=r"image 1 of the list: .*\(5, 5, 2\)"):
        read([PICTURE, np.zeros((5, 5, 2))])
