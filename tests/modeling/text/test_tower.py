"""What all text towers share: batches of like length, learnable vectors, cutting to the context."""

import pytest
import torch

from ovarnet.modeling.clip.clip import load_clip
from ovarnet.modeling.text import tower as tower_module


@pytest.fixture(scope="module")
def scenes():
    torch.manual_seed(0)
    return load_clip("ovarnet-scenes", None, random_weights=True)


@torch.no_grad()
def test_sequences_keep_their_order_over_batches_of_like_length(scenes, monkeypatch):
    tower = scenes.text_tower
    sequences = [
        tower.whole(ids)
        for ids in tower.tokenize(["a long red cat", "x", "two words", "y", "three more words"])
    ]
    one_by_one = torch.cat([tower.encode_sequences([sequence]) for sequence in sequences])
    monkeypatch.setattr(tower_module, "BATCH", 2)
    torch.testing.assert_close(tower.encode_sequences(sequences), one_by_one, atol=1e-5, rtol=0)


@torch.no_grad()
def test_negative_ids_stand_for_vectors(scenes):
    tower, vectors = scenes.text_tower, torch.randn(2, 96)
    embeddings = scenes.token_embedding(torch.tensor([[*tower.start, 0, 320, 0, *tower.end]]))
    embeddings[0, 1], embeddings[0, 3] = vectors[1], vectors[0]
    expected = tower.encode(embeddings, torch.tensor([5]))
    torch.testing.assert_close(
        tower.encode_sequences([[*tower.start, ~1, 320, ~0, *tower.end]], vectors), expected
    )


def test_a_text_is_cut_to_the_room_between_the_special_tokens(scenes):
    tower = scenes.text_tower
    assert tower.room == 75
    assert tower.whole([5, 6]) == [49406, 5, 6, 49407]
    assert tower.whole(list(range(100))) == [49406, *range(75), 49407]


def test_nothing_in_nothing_out(scenes):
    assert scenes.text_tower.encode_sequences([]).shape == (0, 128)
