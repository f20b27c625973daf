"""Heads by hand: which states they read, and in which order."""

import torch

from ovarnet.catalogue.modeling.heads import LabelHeads, PatchHead, SlotHead, WordHead
from ovarnet.catalogue.modeling.patches import KALEIDO_LEVELS, PatchLayout


@torch.no_grad()
def test_words_are_read_from_the_table_of_embeddings():
    head, table = WordHead(4, 7), torch.randn(7, 4)
    head.bias.copy_(torch.arange(7.0))
    states = torch.randn(3, 4)
    hidden = head.norm(torch.nn.functional.gelu(head.dense(states)))
    assert torch.allclose(head(states, table), hidden @ table.T + torch.arange(7.0), atol=1e-6)


@torch.no_grad()
def test_a_masked_patch_is_predicted_by_the_matrix_of_its_level():
    head = PatchHead(PatchLayout(KALEIDO_LEVELS), 4, 6)
    states, masked = torch.randn(2, 55, 4), torch.zeros(2, 55, dtype=torch.bool)
    masked[0, 20] = masked[1, 2] = masked[1, 54] = True
    expected = [
        head.levels[3](states[0, 20]),
        head.levels[1](states[1, 2]),
        head.levels[4](states[1, 54]),
    ]
    assert torch.allclose(head(states, masked), torch.stack(expected))
    assert head(states, torch.zeros_like(masked)).shape == (0, 6)


@torch.no_grad()
def test_slots_are_read_in_order():
    head = SlotHead(4, 3, 24)
    states = torch.randn(2, 4, 3)
    assert head(states).shape == (2, 24)
    assert torch.allclose(head(states)[1], head.classify(states[1].reshape(12)), atol=1e-6)
    assert not torch.allclose(head(states), head(states.flip(1)))


def test_columns_with_odd_names_have_their_own_classifier():
    heads = LabelHeads(4, {"base.colour": 3, "sub category": 2}).eval()
    found = heads(torch.randn(5, 4))
    assert {name: tuple(logits.shape) for name, logits in found.items()} == {
        "base.colour": (5, 3),
        "sub category": (5, 2),
    }
