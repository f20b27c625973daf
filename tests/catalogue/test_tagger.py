"""Tags of photos from a model that was trained for two iterations."""

import pytest
from accelerate import Accelerator
from omegaconf import OmegaConf
from tiny_shop import matcher_settings, tiny_shop

from ovarnet.catalogue.data.prepared import open_catalogue
from ovarnet.catalogue.tagger import load_tagger
from ovarnet.catalogue.training.labels import train_labels
from ovarnet.catalogue.training.matcher import train_matcher
from ovarnet.config import resolve
from ovarnet.errors import InputError


@pytest.mark.slow
def test_every_column_has_a_value_and_the_title_is_read_where_given(tmp_path):
    shop = tiny_shop(tmp_path / "shop", 12)
    start = train_matcher(
        resolve(OmegaConf.create(matcher_settings(shop, tmp_path)), "test"), Accelerator(cpu=True)
    )
    settings = {
        "stage": "catalogue_labels",
        "output": str(tmp_path / "labels"),
        "data": {"root": str(shop)},
        "init_from": str(start),
        "cache": str(tmp_path / "features"),
        "columns": ["colour", "subcategory"],
        "optimisation": {"iterations": 2, "batch_size": 4, "warmup": 1},
    }
    folder = train_labels(resolve(OmegaConf.create(settings), "test"), Accelerator(cpu=True))
    tagger = load_tagger(folder, device="cpu")
    products = open_catalogue(shop)[:3]
    photos = [product.image for product in products]
    tags = tagger.tag(photos)
    assert [set(found) for found in tags] == [{"colour", "subcategory"}] * 3
    for found in tags:
        assert found["colour"][0] in ("black", "blue", "green", "red")
        assert 0 < found["subcategory"][1] <= 1
    titled = tagger.tag(photos, [product.title for product in products])
    assert titled[0]["colour"][1] != tags[0]["colour"][1]
    assert tagger.tag([]) == []
    with pytest.raises(InputError, match="1 titles and 3 images"):
        tagger.tag(photos, ["a"])
    with pytest.raises(InputError, match="kind 'matcher'"):
        load_tagger(start)
