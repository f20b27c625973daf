"""Concepts of titles and labels; queues that keep the last features."""

import torch

from ovarnet.catalogue.modeling.concepts import (
    KEPT,
    PrototypeQueues,
    TextBank,
    concept_vocabulary,
    mentions,
    phrases,
)
from ovarnet.catalogue.product import Product


def test_phrases_hold_no_stop_words_and_digits():
    assert phrases("New Red Mug 7, by Arvo") == {"red", "mug", "red mug", "arvo"}
    assert "running shoes men" in phrases("Nike running shoes men")


def products():
    rare = [("blue cup", "blue")] * 4
    items = [("red mug", "red")] * 6 + rare + [(f"thing{n} plain", "gray") for n in range(30)]
    return [
        Product(str(n), (f"{n}.jpg",), title, labels={"color": colour})
        for n, (title, colour) in enumerate(items)
    ]


def test_concepts_are_neither_rare_nor_everywhere():
    """red, mug and "red mug" are in 6 of 40; blue is in 4, plain and gray in 30."""
    concepts = concept_vocabulary(products())
    assert concepts == ["mug", "red", "red mug"]
    found = mentions(products(), concepts)
    assert found.sum(dim=0).tolist() == [6, 6, 6]
    assert found[:6].all()


def test_a_queue_keeps_the_last_features_of_each_concept():
    queues = PrototypeQueues(2, 1)
    for number in range(KEPT + 3):
        queues.enqueue(torch.tensor([[float(number)]]), torch.tensor([[True, number == 0]]))
    assert sorted(queues.features[0, :, 0].tolist()) == [float(n) for n in range(3, KEPT + 3)]
    assert queues.counts.tolist() == [KEPT + 3, 1]
    assert queues.usable.tolist() == [True, False]


def test_a_batch_is_the_same_as_its_rows_one_by_one():
    generator = torch.Generator().manual_seed(0)
    vectors = torch.randn(50, 3, generator=generator)
    mentioned = torch.rand(50, 4, generator=generator) < 0.6
    at_once, one_by_one = PrototypeQueues(4, 3), PrototypeQueues(4, 3)
    for start in (0, 20):
        stop = 20 if start == 0 else 50
        at_once.enqueue(vectors[start:stop], mentioned[start:stop])
    for row in range(50):
        one_by_one.enqueue(vectors[row : row + 1], mentioned[row : row + 1])
    torch.testing.assert_close(at_once.features, one_by_one.features)
    assert at_once.counts.tolist() == one_by_one.counts.tolist()


def test_prototypes_are_unit_means():
    queues = PrototypeQueues(1, 2)
    queues.enqueue(torch.eye(2), torch.ones(2, 1, dtype=torch.bool))
    torch.testing.assert_close(queues.prototypes(), torch.tensor([[0.5, 0.5]]).sqrt())


def test_the_bank_is_first_in_first_out_and_not_used_until_full():
    bank = TextBank(3, 2)
    rows = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    bank.enqueue(rows[:2])
    assert not bank.is_full
    bank.enqueue(rows[2:])
    assert bank.is_full
    torch.testing.assert_close(bank.features, rows[[3, 1, 2]])
    torch.testing.assert_close(bank.nearest(torch.tensor([[0.9, -0.5]])), rows[[3]])
    bank.enqueue(torch.cat([rows, rows]))
    assert bank.count == 12
    assert set(map(tuple, bank.features.tolist())) == {(0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)}
