"""Titles of photos from a model that was trained for two iterations."""

import pytest
from accelerate import Accelerator
from omegaconf import OmegaConf
from tiny_shop import matcher_settings, tiny_shop

from ovarnet.catalogue.data.prepared import open_catalogue
from ovarnet.catalogue.title_writer import load_title_writer
from ovarnet.catalogue.training.captions import train_captions
from ovarnet.catalogue.training.matcher import train_matcher
from ovarnet.config import resolve
from ovarnet.errors import InputError


@pytest.mark.slow
def test_a_title_for_every_photo(tmp_path):
    shop = tiny_shop(tmp_path / "shop", 12)
    start = train_matcher(
        resolve(OmegaConf.create(matcher_settings(shop, tmp_path)), "test"), Accelerator(cpu=True)
    )
    settings = {
        "stage": "catalogue_captions",
        "output": str(tmp_path / "captions"),
        "data": {"root": str(shop)},
        "init_from": str(start),
        "cache": str(tmp_path / "features"),
        "optimisation": {"iterations": 2, "batch_size": 4, "warmup": 1},
    }
    folder = train_captions(resolve(OmegaConf.create(settings), "test"), Accelerator(cpu=True))
    writer = load_title_writer(folder, device="cpu")
    photos = [product.image for product in open_catalogue(shop)[:3]]
    titles = writer.describe(photos)
    assert len(titles) == 3
    assert all(isinstance(title, str) for title in titles)
    assert writer.describe(photos[:1]) == titles[:1]
    with pytest.raises(InputError, match="kind 'matcher'"):
        load_title_writer(start)
