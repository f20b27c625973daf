"""A trained matcher opened from its folder: scores, order, and what it refuses."""

import pytest
import torch
from accelerate import Accelerator
from omegaconf import OmegaConf
from tiny_shop import matcher_settings, tiny_shop

from ovarnet.catalogue.data.prepared import open_catalogue
from ovarnet.catalogue.matcher import load_matcher
from ovarnet.catalogue.training.matcher import train_matcher
from ovarnet.config import resolve
from ovarnet.errors import InputError
from ovarnet.shipped import SHIPPED


def trained(folder, **more):
    shop = tiny_shop(folder / "shop", 12)
    config = resolve(OmegaConf.create(matcher_settings(shop, folder, **more)), "test")
    return shop, train_matcher(config, Accelerator(cpu=True))


@pytest.fixture(scope="module")
def matcher(tmp_path_factory):
    shop, folder = trained(tmp_path_factory.mktemp("matcher"))
    return open_catalogue(shop), load_matcher(folder, device="cpu"), folder


@pytest.mark.slow
def test_scores_do_not_depend_on_the_batch(matcher):
    products, model, _ = matcher
    titles = [product.title for product in products][:4]
    photos = [product.image for product in products][:4]
    together = model.score(titles, photos)
    alone = torch.cat([model.score([t], [p]) for t, p in zip(titles, photos, strict=True)])
    assert together.shape == (4,)
    assert together.min() >= 0
    assert together.max() <= 1
    assert torch.allclose(together, alone, atol=1e-5)
    with_query = model.score(titles, photos, ["red mug"] * 4)
    assert not torch.allclose(with_query, together)
    assert model.score([], []).shape == (0,)


@pytest.mark.slow
def test_refusals(matcher, tmp_path):
    _, model, folder = matcher
    with pytest.raises(InputError, match="2 titles and 1 images"):
        model.score(["a", "b"], ["x.png"])
    with pytest.raises(InputError, match="1 titles and 1 images and 0 queries"):
        model.score(["a"], ["x.png"], [])
    with pytest.raises(InputError, match="kind 'clip-attr'"):
        load_matcher(SHIPPED / "scenes-clip-attr")
    config = folder / "config.yaml"
    whole = config.read_text()
    design = load_matcher(folder).design
    config.write_text(whole.replace(design.digest, "a" * 16))
    with pytest.raises(InputError, match="with other weights than it has now"):
        load_matcher(folder)
    config.write_text(whole)
    _, untrained = trained(tmp_path, tasks=["words"])
    with pytest.raises(InputError, match="without the task match"):
        load_matcher(untrained)
