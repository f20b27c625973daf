"""Vectors of photos and texts by a CLIP, and which models can be opened."""

import pytest
import torch
from PIL import Image
from shop_files import product_photo

from ovarnet.catalogue.modeling.encoder import load_encoder, open_clip
from ovarnet.catalogue.product import Product
from ovarnet.errors import InputError


@pytest.fixture(scope="module")
def encoder():
    return load_encoder("scenes-clip-attr", device="cpu")


@pytest.fixture(scope="module")
def items(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    made = []
    for n, colour in enumerate(["red", "blue", "green"] * 6):
        file = folder / f"{n}.png"
        product_photo(colour, "plate", n).save(file)
        made.append(Product(str(n), (str(file),), f"{colour} plate", boxes=((10, 18, 45, 63),)))
    return made


def test_photos_in_batches_equal_single_ones(encoder, items):
    vectors = encoder.photos(items)
    assert vectors.shape == (18, encoder.clip.embed_dim)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(18))
    single = encoder.photo(items[17].image, items[17].boxes[0])
    torch.testing.assert_close(vectors[17], single, atol=1e-5, rtol=1e-4)


def test_without_boxes_the_foreground_is_looked_for(encoder, items):
    found = encoder.photo(items[0].image)
    torch.testing.assert_close(found, encoder.photo(items[0].image, (10, 18, 45, 63)))
    whole = load_encoder("scenes-clip-attr", device="cpu", foreground=False)
    assert not torch.allclose(found, whole.photo(items[0].image), atol=1e-3)


def test_texts_are_unit_vectors_and_too_long_ones_are_refused(encoder):
    vectors = encoder.texts(["red plate", "blue plate"])
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(2))
    with pytest.raises(InputError, match="shorten it"):
        encoder.texts(["plate " * 200], truncate=False)
    assert encoder.texts(["plate " * 200]).shape == (1, encoder.clip.embed_dim)


def test_a_photo_that_cannot_be_read_is_named(encoder, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"bad\.jpg: not an image"):
        encoder.photo(tmp_path / "bad.jpg")
    Image.new("L", (1, 1)).save(tmp_path / "one.png")
    assert encoder.photo(tmp_path / "one.png").shape == (encoder.clip.embed_dim,)


def test_models_without_an_image_tower_for_photos_are_refused():
    with pytest.raises(InputError, match="scenes is of kind 'ovarnet' and encodes no whole photos"):
        open_clip("scenes")
    with pytest.raises(InputError, match="names no weights"):
        open_clip("clip-attr:ViT-B-16")
