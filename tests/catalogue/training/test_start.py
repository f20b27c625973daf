"""What fine-tuning begins with: the matcher as it was saved, and the patches that it reads."""

import torch
from accelerate import Accelerator
from omegaconf import OmegaConf
from tiny_shop import matcher_settings, tiny_shop

from ovarnet.catalogue.data.prepared import open_catalogue
from ovarnet.catalogue.training.matcher import train_matcher
from ovarnet.catalogue.training.start import open_start
from ovarnet.config import resolve


def test_network_tokenizer_and_patches(tmp_path):
    shop = tiny_shop(tmp_path / "shop", 8)
    given = matcher_settings(shop, tmp_path, patches="grid", grid=2, tasks=["words", "match"])
    folder = train_matcher(resolve(OmegaConf.create(given), "test"), Accelerator(cpu=True))
    settings = {
        "stage": "catalogue_captions",
        "output": str(tmp_path / "captions"),
        "data": {"root": str(shop)},
        "init_from": str(folder),
        "cache": str(tmp_path / "features"),
        "limit": 3,
    }
    start = open_start(resolve(OmegaConf.create(settings), "test"), Accelerator(cpu=True))
    assert start.products == open_catalogue(shop).split("train")[:3]
    assert (start.patches, start.design.tasks) == (4, ["words", "match"])
    assert start.features.rows.shape == (3, 4, start.design.features)
    assert start.tokenizer.size == start.design.vocabulary
    assert not any(weight.requires_grad for weight in start.network.parameters())
    assert torch.isfinite(start.features.row(0)).all()
