"""Results of a network that knows the answers, and of guesses."""

import pytest
import torch
from catalogue_batches import KEYS, dataset

from ovarnet.catalogue.evaluation.pretexts import evaluate_pretexts
from ovarnet.catalogue.modeling.bert import Bert
from ovarnet.catalogue.modeling.matcher import MatcherNetwork
from ovarnet.catalogue.modeling.product_bert import ProductBert
from ovarnet.catalogue.pretext.patch_tasks import KALEIDO_TASKS


def test_chances_and_a_guess(monkeypatch):
    data = dataset()
    torch.manual_seed(0)
    bert = Bert(vocabulary=data.tokenizer.size, hidden=8, layers=1, heads=2, feed_forward=16)
    encoder = ProductBert(bert, data.layout, features=1, dropout=0.1)
    network = MatcherNetwork(encoder, features=1, tasks=KALEIDO_TASKS).eval()
    for name in ("match", "rotation"):  # always the first class
        head = network.heads[name]
        head = getattr(head, "classify", head)
        torch.nn.init.zeros_(head.weight)
        with torch.no_grad():
            head.bias.copy_(torch.tensor([1.0, *[0.0] * (len(head.bias) - 1)]))
    found = evaluate_pretexts(network, data, visits=40)
    assert set(found) == set(KALEIDO_TASKS)
    assert found["match"].value == found["match"].chance == 0.5
    assert found["rotation"].value == pytest.approx(0.25, abs=0.12)
    assert (found["rotation"].chance, found["camouflage"].chance) == (0.25, 1 / 9)
    assert found["jigsaw"].chance == pytest.approx(1 / 24)
    assert 0 < found["words"].chance < 0.5
    # features of one number are the same distribution whatever the number
    assert found["grey"].value == found["blank"].chance == pytest.approx(0)
    assert len(data.__getitems__(KEYS).matched) == 4
