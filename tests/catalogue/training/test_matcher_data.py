"""Batches of titles and photos: which belong together, what is hidden, what the answers are."""

import torch
from catalogue_batches import KEYS, PRODUCTS, dataset

from ovarnet.catalogue.pretext.masking import NOT_PREDICTED
from ovarnet.catalogue.training.matcher_data import pad_texts


def test_every_other_photo_is_of_another_product_and_its_place_comes_with_it():
    data = dataset()
    for step in range(20):
        batch = data.__getitems__([(step, index) for _, index in KEYS])
        shown = (batch.patches[:, 6:14, 0] // 100).mode(dim=1).values.int().tolist()
        assert batch.matched.tolist() == [1, 0, 1, 0]
        assert [shown[0] == 0, shown[1] == 1, shown[2] == 2, shown[3] == 3] == [
            True,
            False,
            True,
            False,
        ]
        for row, product in enumerate(shown):
            assert torch.equal(batch.locations[row], data.features.location(product))


def test_targets_are_the_clean_colour_features_of_the_photo_shown():
    batch = dataset().__getitems__(KEYS)
    assert batch.restored.sum(dim=1).tolist() == [5, 5, 5, 5]
    shown = (batch.patches[:, 6:14, 0] // 100).mode(dim=1).values
    rows, patches = batch.restored.nonzero().unbind(1)
    assert torch.equal(batch.clean[:, 0], shown[rows] * 100 + patches)
    is_blank = patches >= 30
    corrupted = batch.patches[rows, patches, 0]
    assert corrupted[is_blank].eq(0).all()
    greyed = shown[rows] * 100 + 58 + patches - 14
    assert torch.equal(corrupted[~is_blank], greyed[~is_blank])


def test_the_camouflaged_slot_shows_another_product():
    batch = dataset().__getitems__(KEYS)
    kinds = batch.patches[:, 5:14, 0] // 100
    for row in range(4):
        odd = (kinds[row] != kinds[row].mode().values).nonzero().flatten().tolist()
        assert odd == [batch.camouflage[row].item()]


def test_masked_words_have_their_own_tokens_as_targets():
    data = dataset()
    batch = data.__getitems__(KEYS)
    for row, tokens in enumerate(data.tokens):
        predicted = batch.words[row] != NOT_PREDICTED
        assert predicted.any()
        ids = torch.tensor(tokens.ids)
        assert torch.equal(batch.words[row][predicted], ids[predicted[: len(ids)]])
        assert not predicted[len(ids) :].any()


def test_aligned_words_and_patches_are_never_both_hidden():
    pairs = [[(0, 5), (0, 14), (0, 30)] for _ in PRODUCTS]
    data = dataset(pairs=pairs)
    sides = set()
    for step in range(60):
        batch = data.__getitems__([(step, 0)])
        word = bool((batch.words[0, 1] != NOT_PREDICTED).item())
        patch = bool(batch.restored[0, 14]) or bool(batch.restored[0, 30])
        assert not (word and patch)
        sides.add((word, patch))
    assert {(True, False), (False, True)} <= sides


def test_the_draws_depend_on_seed_iteration_and_product_alone():
    first, again = dataset().__getitems__(KEYS), dataset().__getitems__(KEYS)
    assert torch.equal(first.patches, again.patches)
    assert torch.equal(first.words, again.words)
    assert not torch.equal(first.patches, dataset(seed=1).__getitems__(KEYS).patches)


def test_a_grid_and_tasks_that_are_left_out():
    batch = dataset(("words", "blank"), levels=(8,), rows=64).__getitems__(KEYS)
    assert batch.matched.tolist() == [1, 1, 1, 1]
    assert batch.restored.sum(dim=1).tolist() == [6, 6, 6, 6]
    batch = dataset(("match",)).__getitems__(KEYS)
    assert batch.restored.sum() == 0
    assert (batch.words == NOT_PREDICTED).all()


def test_texts_are_padded_to_the_longest():
    text = pad_texts([[2, 7, 3], [2, 3]], [[0, 0, 0], [0, 0]], 0)
    assert text.ids.tolist() == [[2, 7, 3], [2, 3, 0]]
    assert text.padding.tolist() == [[False] * 3, [False, False, True]]


def shown_products(batch):
    return (batch.patches[:, 6:14, 0] // 100).mode(dim=1).values.int().tolist()


def test_groups_of_candidates_share_a_title_or_a_photo():
    """Of four samples, one group of one title and then one of one photo."""
    data = dataset(("match", "blank"), candidates=2)
    assert data.__getitems__(KEYS).matched.tolist() == [1, 0, 1, 0]
    data = dataset(("match", "blank"), candidates=4)
    titles = [tokens.ids for tokens in data.tokens]
    for step in range(10):
        batch = data.__getitems__([(step, index) for _, index in KEYS + KEYS[::-1]])
        assert batch.matched.tolist() == [1, 0, 0, 0] * 2
        read = [
            titles.index(row[~hidden].tolist())
            for row, hidden in zip(batch.text.ids, batch.text.padding, strict=True)
        ]
        shown = shown_products(batch)
        assert read[:4] == [0] * 4
        assert shown[0] == 0
        assert 0 not in shown[1:4]
        assert shown[4:] == [3] * 4
        assert read[4] == 3
        assert 3 not in read[5:]
