"""The losses of a step: their shares, the old queues before the new, and the temperature."""

import pytest
import torch
from torch import nn

from ovarnet.catalogue.training.clip.data import ProductBatch
from ovarnet.catalogue.training.clip.model import CatalogueClipModel


class Given(nn.Module):
    """Encoders whose features are given: photos are vectors, texts rows of a table."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(0.0))
        self.table = nn.Parameter(torch.eye(4))

    def images(self, photos):
        return photos

    def texts(self, rows):
        return self.table[rows]


def make(**shares):
    settings = {"prototypes": 0.2, "neighbours": 0.2, **shares}
    return CatalogueClipModel(Given(), concepts=2, width=4, queue=4, **settings)


def batch():
    mentions = torch.tensor([[True, False], [False, True], [True, False], [False, True]])
    rows = torch.arange(4)
    return ProductBatch(torch.eye(4), rows, rows, mentions)


def test_shares_add_up_to_one_loss():
    alone = make(prototypes=0.0, neighbours=0.0)(batch())
    assert set(alone) == {"contrastive"}
    losses = make()(batch())
    assert losses["contrastive"].item() == pytest.approx(0.6 * alone["contrastive"].item())


def test_queues_are_used_from_the_second_step_on():
    model = make()
    first = model(batch())
    assert first["prototypes"].item() == 0
    assert first["neighbours"].item() == 0
    second = model(batch())
    assert second["prototypes"].item() > 0
    # every text is its own nearest neighbour
    same = second["contrastive"].item() / 0.6
    assert second["neighbours"].item() == pytest.approx(0.2 * same)
    assert model.image_queues.counts.tolist() == [4, 4]


def test_equal_texts_are_no_negatives():
    whole = make(prototypes=0.0, neighbours=0.0)
    equal = batch()
    equal.texts = torch.zeros(4, dtype=torch.int64)
    assert whole(equal)["contrastive"].item() == 0


def test_the_temperature_is_bounded():
    model = make()
    model.encoders.scale.data.fill_(9.0)
    model.bound_scale()
    assert model.encoders.scale.item() == pytest.approx(4.6)


def test_queues_are_saved_with_the_model():
    model, other = make(), make()
    model(batch())
    other.load_state_dict(model.state_dict())
    torch.testing.assert_close(other.bank.features, model.bank.features)
    assert other.bank.is_full
