"""The captioner as a stage, its vocabulary, and the pairs that it gives."""

from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from omegaconf import OmegaConf
from tiny_shop import matcher_settings, tiny_shop

from ovarnet.catalogue.data.prepared import open_catalogue
from ovarnet.catalogue.modeling.show_attend_tell import END, PAD, START, UNKNOWN
from ovarnet.catalogue.training.aligner import (
    CaptionerDataset,
    align_products,
    learned_words,
    train_aligner,
    words_of,
)
from ovarnet.catalogue.training.matcher import train_matcher
from ovarnet.config import load_config, resolve
from ovarnet.errors import InputError
from ovarnet.shipped import SHIPPED


def settings(shop, folder):
    return {
        "stage": "catalogue_alignment",
        "output": str(folder / "aligner"),
        "data": {"root": str(shop)},
        "crops": {"cache": str(folder / "features")},
        "optimisation": {"iterations": 3, "batch_size": 4, "lr": 1e-2, "warmup": 1},
    }


@pytest.fixture(scope="module")
def aligner(tmp_path_factory):
    folder = tmp_path_factory.mktemp("aligner")
    shop = tiny_shop(folder / "shop", 24)
    config = resolve(OmegaConf.create(settings(shop, folder)), "test")
    return folder, shop, train_aligner(config, Accelerator(cpu=True))


def test_words():
    assert words_of("Men's T-shirt, RED") == ["men", "'", "s", "t", "-", "shirt", ",", "red"]
    assert learned_words(["red mug mug", "Red plate", "blue plate"]) == ["plate", "red"] or (
        learned_words(["red mug mug", "Red plate", "blue plate"]) == ["red", "plate"]
    )


def test_titles_as_ids():
    data = CaptionerDataset(torch.zeros(2, 4, 3).numpy(), ["red mug", "hat"], ["red", "mug"], 20)
    batch = data.__getitems__([(0, 0), (0, 1)])
    assert batch.words.tolist() == [[START, 4, 5, END], [START, UNKNOWN, END, PAD]]
    assert batch.cells.shape == (2, 4, 3)


@pytest.mark.slow
def test_alignment_by_teacher_forcing_pairs_words_of_the_title_with_patches(aligner):
    folder, shop, checkpoint = aligner
    products = open_catalogue(shop).split("test")[:]
    titles = [words_of(product.title) for product in products]
    pairs = align_products(checkpoint, products, titles, folder / "features", teacher_forcing=True)
    assert len(pairs) == len(products)
    for title, found in zip(titles, pairs, strict=True):
        assert all(word < len(title) and title[word].isalpha() for word, _ in found)
        assert all(5 <= patch < 55 for _, patch in found)
    written = align_products(
        checkpoint, products, titles, folder / "features", teacher_forcing=False
    )
    assert len(written) == len(products)


@pytest.mark.slow
def test_a_matcher_trains_with_it(aligner, tmp_path, monkeypatch):
    folder, shop, checkpoint = aligner
    given = matcher_settings(shop, tmp_path, alignment=str(checkpoint), teacher_forcing=True)
    given["crops"]["cache"] = str(folder / "features")
    config = resolve(OmegaConf.create(given), "test")
    # three iterations may leave every map even
    monkeypatch.setattr("ovarnet.catalogue.pretext.alignment.LEAST_SHARE", 1.0)
    assert train_matcher(config, Accelerator(cpu=True)).is_dir()
    monkeypatch.setattr("ovarnet.catalogue.pretext.alignment.LEAST_SHARE", 64.0)
    with pytest.raises(InputError, match="aligns no word of the 12 titles"):
        train_matcher(config, Accelerator(cpu=True))


@pytest.mark.slow
def test_refusals(aligner, tmp_path):
    folder, shop, _ = aligner
    given = settings(shop, tmp_path) | {"limit": 1}
    with pytest.raises(InputError, match="no word stands in 2"):
        train_aligner(resolve(OmegaConf.create(given), "test"), Accelerator(cpu=True))
    products = open_catalogue(shop)[:]
    with pytest.raises(InputError, match="kind 'clip-attr'"):
        align_products(SHIPPED / "scenes-clip-attr", products, [], folder, teacher_forcing=False)


def test_the_recipe_at_full_size_makes_what_kaleido_bert_reads():
    folder = Path(__file__).parents[3] / "configs" / "catalogue"
    aligner, kaleido = (load_config(folder / f"{n}_full.yaml") for n in ("alignment", "kaleido"))
    assert kaleido.alignment == f"{aligner.output}/checkpoint"
    assert (kaleido.crops, kaleido.data.root) == (aligner.crops, aligner.data.root)
