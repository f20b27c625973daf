"""What a graph is traced with."""

from types import SimpleNamespace

from ovarnet.onnx.region_inputs import region_inputs

MODEL = SimpleNamespace(clip=SimpleNamespace(embed_dim=4))


def test_images_of_any_size_in_multiples_of_32():
    inputs, shapes = region_inputs(MODEL)
    assert {name: tuple(value.shape) for name, value in inputs.items()} == {
        "images": (2, 3, 192, 128),
        "sizes": (2, 2),
        "given_boxes": (2, 3, 4),
        "category_words": (2, 4),
        "attribute_words": (3, 4),
    }
    # two cells or more on the map of stride 64: an axis of one cell is taken for a constant
    assert min(inputs["images"].shape[2:]) >= 2 * 64
    assert set(shapes) == set(inputs)
    assert set(shapes["images"]) == {0, 2, 3}
    assert inputs["category_words"].norm(dim=1).tolist() == [1, 1]


def test_images_of_one_size():
    inputs, shapes = region_inputs(MODEL, (64, 128))
    assert inputs["images"].shape == (2, 3, 64, 128)
    assert inputs["sizes"].tolist() == [[64, 128]] * 2
    assert set(shapes["images"]) == {0}
