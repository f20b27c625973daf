"""The five corruptions, on rows whose numbers say what they are."""

import random
from collections import Counter

import torch

from ovarnet.catalogue.modeling.patches import KALEIDO_LEVELS, PatchLayout
from ovarnet.catalogue.pretext.patch_tasks import (
    KALEIDO_ROWS,
    KALEIDO_TASKS,
    ORDERS,
    corrupt_grid,
    corrupt_kaleido,
    patch_budgets,
)

ROWS = torch.arange(KALEIDO_ROWS, dtype=torch.float32)[:, None]
DONOR = ROWS + 1000
MASKED = [7, 14, 29, 30, 42, 54]  # one of 3 x 3, two of 4 x 4, three of 5 x 5


def test_the_jigsaw_table_is_a_bijection():
    assert len(ORDERS) == len(set(ORDERS)) == 24
    assert all(sorted(order) == [0, 1, 2, 3] for order in ORDERS)


def test_every_level_shows_what_its_label_says():
    rng, turns, orders = random.Random(0), Counter(), Counter()
    for _ in range(2000):
        found = corrupt_kaleido(ROWS, DONOR, MASKED, KALEIDO_TASKS, rng)
        patches = found.patches[:, 0].int().tolist()
        assert patches[0] == [0, 55, 56, 57][found.rotation]
        assert patches[1:5] == [1 + slot for slot in ORDERS[found.jigsaw]]
        turns[found.rotation] += 1
        orders[found.jigsaw] += 1
    assert min(turns.values()) > 400
    assert len(orders) == 24
    assert found.camouflage == 2
    assert patches[7] == 1007
    assert [patches[14], patches[29]] == [58, 73]
    assert [patches[30], patches[42], patches[54]] == [0, 0, 0]
    clean = [i for i in range(5, 55) if i not in MASKED]
    assert [patches[i] for i in clean] == clean
    assert found.restored.nonzero().flatten().tolist() == [14, 29, 30, 42, 54]


def test_levels_of_tasks_that_are_not_trained_stay_clean():
    found = corrupt_kaleido(ROWS, DONOR, [30, 42, 54], ("words", "match", "blank"), random.Random())
    assert found.patches[:30, 0].tolist() == list(range(30))
    assert (found.rotation, found.jigsaw) == (0, 0)


def test_a_grid_is_blanked():
    rows = torch.ones(64, 2)
    found = corrupt_grid(rows, [3, 60])
    assert found.patches[[3, 60]].eq(0).all()
    assert found.patches.sum() == 124
    assert found.restored.sum() == 2
    assert rows.eq(1).all()


def test_budgets():
    kaleido, grid = PatchLayout(KALEIDO_LEVELS), PatchLayout((8,))
    assert patch_budgets(kaleido, KALEIDO_TASKS) == {2: 1, 3: 2, 4: 3}
    assert patch_budgets(kaleido, ("words", "match", "blank")) == {4: 3}
    assert patch_budgets(grid, ("words", "match", "blank")) == {0: 6}
    assert patch_budgets(grid, ("words", "match")) == {}
