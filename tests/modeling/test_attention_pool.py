import pytest
import torch
from torch import nn

from ovarnet.modeling.attention_pool import AttentionPool, PatchMerging, first_tokens


def test_patch_merging_joins_two_by_two_blocks_row_by_row():
    merge = PatchMerging(1, 4)
    merge.norm, merge.project = nn.Identity(), nn.Identity()
    cells = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert merge(cells)[0].tolist() == [
        [0, 1, 4, 5],
        [2, 3, 6, 7],
        [8, 9, 12, 13],
        [10, 11, 14, 15],
    ]


def test_fourteen_cells_make_forty_nine_tokens():
    assert PatchMerging(3, 8)(torch.rand(2, 3, 14, 14)).shape == (2, 49, 8)


def test_shapes_small_deltas_and_no_regions():
    torch.manual_seed(0)
    for layers in (0, 2):
        pool = AttentionPool(3, 7, size=4, width=16, layers=layers, heads=2, hidden=16).eval()
        embeddings, deltas = pool(torch.rand(5, 3, 4, 4))
        assert embeddings.shape == (5, 7)
        assert deltas.shape == (5, 4)
        assert deltas.abs().max() < 0.05  # boxes begin as they were proposed
        assert [part.shape for part in pool(torch.zeros(0, 3, 4, 4))] == [(0, 7), (0, 4)]


def test_a_region_does_not_depend_on_its_neighbours_and_place_matters():
    torch.manual_seed(0)
    pool, cells = (
        AttentionPool(3, 7, size=4, width=16, layers=2, heads=2, hidden=16).eval(),
        torch.rand(3, 3, 4, 4),
    )
    with torch.no_grad():
        together = pool(cells)[0]
        assert torch.allclose(together[1:2], pool(cells[1:2])[0], atol=1e-5)
        assert not torch.allclose(pool(cells.flip(-1))[0], together, atol=1e-3)


@pytest.mark.parametrize("training", [False, True])
def test_the_last_layer_is_computed_for_the_tokens_that_are_read(training):
    layer = nn.TransformerEncoderLayer(16, 2, 32, 0.0, "gelu", batch_first=True).train(training)
    tokens = torch.rand(3, 6, 16)
    assert torch.allclose(first_tokens(layer, tokens, 2), layer(tokens)[:, :2], atol=1e-6)
