"""The stage that learns to write titles: what is hidden, and a run of seconds."""

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from omegaconf import OmegaConf
from tiny_shop import matcher_settings, tiny_shop

from ovarnet.catalogue.modeling.wordpiece import WordPiece
from ovarnet.catalogue.pretext.masking import NOT_PREDICTED
from ovarnet.catalogue.training.captions import TitleDataset, train_captions
from ovarnet.catalogue.training.features import PatchFeatures
from ovarnet.catalogue.training.matcher import train_matcher
from ovarnet.checkpoint import load_checkpoint
from ovarnet.config import resolve
from ovarnet.errors import InputError

TITLES = ["red mug with dots", "blue plate"]


def test_half_of_the_tokens_are_hidden_and_never_the_first():
    tokenizer = WordPiece.train(TITLES * 2)
    tokens = [tokenizer.encode(title, None, 16) for title in TITLES]
    features = PatchFeatures(np.ones((2, 74, 3), np.float16), np.ones((2, 55, 5), np.float32))
    data = TitleDataset(tokens, features, tokenizer, patches=55, seed=0)
    hidden, seen = 0, 0
    for step in range(300):
        batch = data.__getitems__([(step, 0), (step, 1)])
        assert batch.patches.shape == (2, 55, 3)
        for row, found in enumerate(tokens):
            ids = torch.tensor(found.ids)
            targets = batch.words[row, : len(ids)]
            is_hidden = targets != NOT_PREDICTED
            assert not is_hidden[0]
            assert torch.equal(targets[is_hidden], ids[is_hidden])
            assert batch.text.ids[row, : len(ids)][is_hidden].eq(tokenizer.mask).all()
            assert torch.equal(batch.text.ids[row, : len(ids)][~is_hidden], ids[~is_hidden])
            hidden += int(is_hidden.sum())
            seen += len(ids) - 1
    assert hidden / seen == pytest.approx(0.5, abs=0.05)


@pytest.mark.slow
def test_a_run_from_a_matcher_and_its_refusal(tmp_path):
    shop = tiny_shop(tmp_path / "shop", 12)

    def matcher(name, **more):
        given = matcher_settings(shop, tmp_path, output=str(tmp_path / name), **more)
        return train_matcher(resolve(OmegaConf.create(given), "test"), Accelerator(cpu=True))

    def captions(start):
        given = {
            "stage": "catalogue_captions",
            "output": str(tmp_path / "captions"),
            "data": {"root": str(shop)},
            "init_from": str(start),
            "cache": str(tmp_path / "features"),
            "optimisation": {"iterations": 2, "batch_size": 4, "warmup": 1},
        }
        return train_captions(resolve(OmegaConf.create(given), "test"), Accelerator(cpu=True))

    checkpoint = load_checkpoint(captions(matcher("words", tasks=["words", "match"])))
    assert checkpoint.model == "captions"
    assert "heads.words.bias" in checkpoint.part("network")
    with pytest.raises(InputError, match="cannot write titles"):
        captions(matcher("match", tasks=["match"]))
