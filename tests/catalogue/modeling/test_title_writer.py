"""The sequence mask: no token sees what comes after it; generation reads its own words."""

import torch

from ovarnet.catalogue.modeling.bert import Bert
from ovarnet.catalogue.modeling.matcher import MatcherNetwork
from ovarnet.catalogue.modeling.patches import PatchLayout
from ovarnet.catalogue.modeling.product_bert import ProductBert
from ovarnet.catalogue.modeling.title_writer import sequence_mask, title_states, write_titles
from ovarnet.catalogue.modeling.wordpiece import WordPiece

TITLES = ["red mug", "blue plate", "green belt"]


def network(vocabulary=30):
    torch.manual_seed(0)
    bert = Bert(vocabulary=vocabulary, hidden=8, layers=2, heads=2, feed_forward=16, positions=16)
    encoder = ProductBert(bert, PatchLayout((2,)), features=6, dropout=0.1)
    return MatcherNetwork(encoder, features=6, tasks=("words", "match")).eval()


def test_the_mask_by_hand():
    hidden = sequence_mask(3, 2).int().tolist()
    assert hidden == [
        [0, 1, 1, 0, 0],
        [0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0],
        [0, 1, 1, 0, 0],
        [0, 1, 1, 0, 0],
    ]


@torch.no_grad()
def test_a_later_token_changes_no_earlier_state():
    model = network()
    patches, places = torch.randn(1, 4, 6), torch.rand(1, 4, 5)
    ids = torch.tensor([[2, 7, 9, 11, 3]])
    padding = torch.zeros_like(ids).bool()
    before = title_states(model, ids, padding, patches, places)
    for changed in range(1, 5):
        other = ids.clone()
        other[0, changed] = 20
        after = title_states(model, other, padding, patches, places)
        assert torch.allclose(before[:, :changed], after[:, :changed], atol=1e-6)
        assert not torch.allclose(before[:, changed], after[:, changed], atol=1e-4)


@torch.no_grad()
def test_titles_end_at_the_separator_or_at_the_length():
    tokenizer = WordPiece.train(TITLES * 2)
    model = network(tokenizer.size)
    patches, places = torch.randn(3, 4, 6), torch.rand(3, 4, 5)
    red = tokenizer.tokenizer.token_to_id("red")
    model.heads["words"].bias.zero_()
    model.heads["words"].bias[red] = 1e4
    assert write_titles(model, tokenizer, patches, places, 5) == ["red red red red"] * 3
    model.heads["words"].bias[tokenizer.sep] = 2e4
    assert write_titles(model, tokenizer, patches, places, 5) == [""] * 3
    assert write_titles(model, tokenizer, patches[:0], places[:0], 5) == []
