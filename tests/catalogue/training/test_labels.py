"""The stage that learns label columns: what is read of a product, and a run of seconds."""

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from omegaconf import OmegaConf
from tiny_shop import matcher_settings, tiny_shop

from ovarnet.catalogue.data.prepared import open_catalogue
from ovarnet.catalogue.modeling.wordpiece import WordPiece
from ovarnet.catalogue.pretext.masking import NOT_PREDICTED
from ovarnet.catalogue.training.features import PatchFeatures
from ovarnet.catalogue.training.labels import BOTH, PHOTO, TITLE, LabelDataset, train_labels
from ovarnet.catalogue.training.matcher import train_matcher
from ovarnet.checkpoint import load_checkpoint
from ovarnet.config import resolve
from ovarnet.errors import InputError


def test_titles_and_photos_are_left_out_and_unknown_values_are_not_predicted(tmp_path):
    products = open_catalogue(tiny_shop(tmp_path / "shop", 4))[:]
    tokenizer = WordPiece.train([product.title for product in products])
    data = LabelDataset(
        products,
        PatchFeatures(np.ones((4, 74, 3), np.float16), np.ones((4, 55, 5), np.float32)),
        tokenizer,
        16,
        {"colour": ["black", "red"], "subcategory": ["mug"]},
        seed=0,
        patches=55,
    )
    batch = data.batch([0, 1, 3], [BOTH, PHOTO, TITLE])
    assert batch.targets.tolist() == [[1, 0], [NOT_PREDICTED, 0], [0, 0]]
    assert batch.text.ids[1].tolist()[:2] == [tokenizer.cls, tokenizer.sep]
    assert batch.text.padding[1].sum() == batch.text.ids.shape[1] - 2
    assert batch.patches.sum(dim=(1, 2)).tolist() == [165, 165, 0]
    reads = {
        (bool(b.patches[0].any()), bool(b.text.ids.shape[1] > 2))
        for b in (data.__getitems__([(step, 0)]) for step in range(40))
    }
    assert reads == {(True, True), (True, False), (False, True)}


@pytest.mark.slow
def test_a_run_from_a_matcher_and_its_refusal(tmp_path):
    shop = tiny_shop(tmp_path / "shop", 12)
    given = matcher_settings(shop, tmp_path, tasks=["match"])
    start = train_matcher(resolve(OmegaConf.create(given), "test"), Accelerator(cpu=True))

    def labels(**more):
        settings = {
            "stage": "catalogue_labels",
            "output": str(tmp_path / "labels"),
            "data": {"root": str(shop)},
            "init_from": str(start),
            "cache": str(tmp_path / "features"),
            "optimisation": {"iterations": 2, "batch_size": 4, "warmup": 1},
            **more,
        }
        return train_labels(resolve(OmegaConf.create(settings), "test"), Accelerator(cpu=True))

    checkpoint = load_checkpoint(labels())
    assert checkpoint.model == "labels"
    assert checkpoint.settings["labels"] == {
        "category": ["clothes", "kitchen"],
        "subcategory": ["belt", "mug", "plate"],
    }
    heads = checkpoint.part("heads")
    assert {name: len(value) for name, value in heads.items() if name.endswith("bias")} == {
        "heads.0.bias": 2,
        "heads.1.bias": 3,
    }
    assert all(torch.isfinite(value).all() for value in heads.values())
    with pytest.raises(InputError, match="no label column 'size'"):
        labels(columns=["size"])
