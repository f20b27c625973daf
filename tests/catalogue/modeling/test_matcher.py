"""Which heads a matcher has, and that nothing else is built."""

import pytest
import torch

from ovarnet.catalogue.modeling.bert import Bert
from ovarnet.catalogue.modeling.matcher import MatcherNetwork
from ovarnet.catalogue.modeling.patches import KALEIDO_LEVELS, PatchLayout
from ovarnet.catalogue.modeling.product_bert import ProductBert
from ovarnet.catalogue.pretext.patch_tasks import GRID_TASKS, KALEIDO_TASKS


def network(levels, tasks):
    torch.manual_seed(0)
    bert = Bert(vocabulary=20, hidden=8, layers=1, heads=2, feed_forward=16)
    encoder = ProductBert(bert, PatchLayout(levels), features=6, dropout=0.1)
    return MatcherNetwork(encoder, features=6, tasks=tasks).eval()


@pytest.mark.parametrize(
    ("levels", "tasks", "heads"),
    [
        ((8,), GRID_TASKS, ["blank", "match", "words"]),
        (KALEIDO_LEVELS, ("match",), ["match"]),
        (
            KALEIDO_LEVELS,
            KALEIDO_TASKS,
            ["camouflage", "jigsaw", "match", "patches", "rotation", "words"],
        ),
    ],
)
def test_heads(levels, tasks, heads):
    found = sorted(network(levels, tasks).heads)
    assert found == sorted("patches" if head == "blank" else head for head in heads)


def test_the_score_is_the_softmax_of_the_match_head():
    model = network((2,), GRID_TASKS)
    ids = torch.tensor([[2, 7, 3]])
    inputs = (ids, ids * 0, ids == 0, torch.randn(1, 4, 6), torch.rand(1, 4, 5))
    with torch.no_grad():
        no, yes = model.heads["match"](model.encoder(*inputs).pooled)[0].exp()
    assert model.match(*inputs).tolist() == pytest.approx([(yes / (no + yes)).item()])
