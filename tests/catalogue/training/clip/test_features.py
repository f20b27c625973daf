"""Features of a frozen trunk: those that inference computes, kept on disk."""

import pytest
import torch
from shop_files import product_photo

from ovarnet.catalogue.modeling.encoder import ProductEncoder
from ovarnet.catalogue.training.clip import features
from ovarnet.catalogue.training.clip.features import photo_features
from ovarnet.errors import InputError
from ovarnet.modeling.clip.concept_tower import CropFeatures

BOXES = torch.tensor([[10.0, 18, 45, 63], [0, 0, 64, 80]])


@pytest.fixture
def files(tmp_path):
    for n, colour in enumerate(["red", "blue"]):
        product_photo(colour, "plate").save(tmp_path / f"{n}.png")
    return [str(tmp_path / f"{n}.png") for n in range(2)]


def test_the_head_gives_what_inference_gives(photo_clip, files, tmp_path):
    found = photo_features(photo_clip, files, BOXES, tmp_path).float()
    tower = photo_clip.model.visual
    pooled, mid = found.split([tower.trunk.features, found.shape[1] - tower.trunk.features], dim=1)
    encoder = ProductEncoder(photo_clip, "small")
    with torch.no_grad():
        vectors = tower.embed(CropFeatures(pooled, mid))
    torch.testing.assert_close(
        vectors[0], encoder.photo(files[0], (10, 18, 45, 63)), atol=2e-3, rtol=0.05
    )


def test_they_are_computed_once(photo_clip, files, tmp_path, monkeypatch):
    first = photo_features(photo_clip, files, BOXES, tmp_path)
    monkeypatch.setattr(features, "_compute", None)
    torch.testing.assert_close(photo_features(photo_clip, files, BOXES, tmp_path), first)
    (file,) = tmp_path.glob("photos-*.safetensors")
    file.write_bytes(b"no tensors")
    with pytest.raises(InputError, match="is damaged"):
        photo_features(photo_clip, files, BOXES, tmp_path)
