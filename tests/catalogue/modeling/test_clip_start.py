"""Embeddings of words and patches that begin in the space of a CLIP."""

import pytest
import torch
import torch.nn.functional as F

from ovarnet.catalogue.modeling.bert import Bert
from ovarnet.catalogue.modeling.clip_start import (
    PLACE_STD,
    TOKEN_STD,
    clip_of_patches,
    start_from_clip,
)
from ovarnet.catalogue.modeling.encoder import open_clip
from ovarnet.catalogue.modeling.patches import KALEIDO_LEVELS, PatchLayout
from ovarnet.catalogue.modeling.product_bert import ProductBert
from ovarnet.catalogue.modeling.wordpiece import WordPiece
from ovarnet.errors import InputError

TITLES = ["red mug", "blue plate"]


@pytest.fixture(scope="module")
def clip():
    return open_clip("scenes-clip-attr").eval()


def started(clip, levels, hidden, patches):
    torch.manual_seed(0)
    tokenizer = WordPiece.train(TITLES)
    bert = Bert(vocabulary=tokenizer.size, hidden=hidden, layers=1, heads=2, feed_forward=16)
    encoder = ProductBert(bert, PatchLayout(levels), features=128, dropout=0.0).eval()
    start_from_clip(encoder, tokenizer, clip, patches)
    return encoder, tokenizer


@torch.no_grad()
@pytest.mark.parametrize("hidden", [128, 160])
def test_a_word_is_as_near_a_patch_as_in_the_clip(clip, hidden):
    """An orthogonal matrix of enough columns keeps every cosine, of words and patches less their
    means.
    """
    texts = F.normalize(clip.encode_text(["red", "mug", "blue", "plate"]), dim=1)
    patches = (texts * 3 + 1)[:, None].expand(4, 4, 128)
    encoder, tokenizer = started(clip, (2,), hidden, patches)
    words = encoder.bert.tokens.weight
    assert words.std().item() == pytest.approx(TOKEN_STD, rel=1e-4)
    assert words.mean(dim=0).abs().max() < 1e-5
    assert encoder.bert.positions.weight.std().item() == pytest.approx(PLACE_STD, rel=0.1)

    embedding = encoder.patches
    projected = embedding.project(patches)[:, 0] + embedding.slots.weight[0]
    every = [tokenizer.tokenizer.id_to_token(i).removeprefix("##") for i in range(tokenizer.size)]
    vectors = F.normalize(clip.encode_text(every), dim=1)
    centred = vectors - vectors.mean(dim=0)
    expected = F.cosine_similarity(centred[:, None], texts - texts.mean(dim=0), dim=-1)
    found = F.cosine_similarity(words[:, None], projected, dim=-1)
    assert torch.allclose(found, expected, atol=1e-4)


@torch.no_grad()
def test_every_level_begins_centred(clip):
    torch.manual_seed(1)
    patches = torch.randn(6, 55, 128) * 0.3 + torch.arange(55)[:, None] * 0.1
    encoder, _ = started(clip, KALEIDO_LEVELS, 32, patches)
    embedding = encoder.patches
    for level, (rows, project) in enumerate(zip(embedding.slices, embedding.project, strict=True)):
        found = project(patches[:, rows]) + embedding.levels.weight[level]
        assert found.mean(dim=(0, 1)).abs().max() < 1e-3
        assert found.std().item() == pytest.approx(1, rel=0.05)


def test_patches_of_another_width_are_refused(clip):
    assert clip_of_patches("scenes-clip-attr", 128).name == clip.name
    with pytest.raises(InputError, match="wide; these are"):
        clip_of_patches("scenes-clip-attr", 64)
