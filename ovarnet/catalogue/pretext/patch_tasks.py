"""The corruptions of patches and their labels (Kaleido-BERT's aligned patch modeling).

A photo is stored as R rows of D numbers: the P clean patches first; with Kaleido-BERT's levels the
product at 90, 180 and 270 degrees (3 rows) and the level of 4 x 4 in grey (16 rows) after them.
Locations always stay with the slots: where they moved with the content, the answer could be read.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import torch
from torch import Tensor

from ovarnet.catalogue.modeling.patches import KALEIDO_LEVELS, PatchLayout

WORDS, MATCH, BLANK = "words", "match", "blank"
ROTATION, JIGSAW, CAMOUFLAGE, GREY = "rotation", "jigsaw", "camouflage", "grey"
GRID_TASKS = (WORDS, MATCH, BLANK)
KALEIDO_TASKS = (WORDS, MATCH, ROTATION, JIGSAW, CAMOUFLAGE, GREY, BLANK)

ORDERS = tuple(permutations(range(4)))
"""Jigsaw's classes: slot s shows the patch of slot `order[s]`."""
TURNS = 4
KALEIDO_PATCHES = PatchLayout(KALEIDO_LEVELS).count
K1, K2, K3, K4, K5 = PatchLayout(KALEIDO_LEVELS).slices
TURNED = slice(KALEIDO_PATCHES, KALEIDO_PATCHES + TURNS - 1)
GREYED = slice(TURNED.stop, TURNED.stop + 16)
KALEIDO_ROWS = GREYED.stop
"""R, 74."""
KALEIDO_BUDGETS = {2: (CAMOUFLAGE, 1), 3: (GREY, 2), 4: (BLANK, 3)}
"""Level -> the task that corrupts its patches, and how many of them."""
GRID_SHARE = 0.1
"""Of the patches of a grid that are set to zero."""


def patch_budgets(layout: PatchLayout, tasks: Sequence[str]) -> dict[int, int]:
    """Level -> number of its patches that masking may take, of the tasks that are trained."""
    if layout.levels != KALEIDO_LEVELS:
        return {0: round(GRID_SHARE * layout.count)} if BLANK in tasks else {}
    return {level: count for level, (task, count) in KALEIDO_BUDGETS.items() if task in tasks}


@dataclass
class CorruptedPatches:
    """The patches of one product as the model reads them, and what it has to tell.

    Attributes:
        patches: (P, D).
        restored: (P,) bool: patches whose clean feature is predicted, in grey or blank.
        rotation: 0 to 3 quarter turns of the whole product.
        jigsaw: Index of the order in `ORDERS`.
        camouflage: Slot of the patch of another product, 0 to 8.
    """

    patches: Tensor
    restored: Tensor
    rotation: int = 0
    jigsaw: int = 0
    camouflage: int = 0


def corrupt_grid(rows: Tensor, masked: Sequence[int]) -> CorruptedPatches:
    """Set patches of a grid to zero.

    Args:
        rows: (P, D).
        masked: Patches.
    """
    patches = rows.clone()
    patches[list(masked)] = 0
    return CorruptedPatches(patches, _flags(len(rows), masked))


def corrupt_kaleido(
    rows: Tensor,
    donor: Tensor,
    masked: Sequence[int],
    tasks: Sequence[str],
    rng: random.Random,
) -> CorruptedPatches:
    """Corrupt the five levels, each by its own task.

    Args:
        rows: (R, D) of the product.
        donor: (R, D) of a product of another group.
        masked: Patches that masking took: at most one of 3 x 3, two of 4 x 4, three of 5 x 5.
        tasks: Which tasks are trained; levels of other tasks stay clean.
        rng: Draws rotation and jigsaw.
    """
    patches = rows[:KALEIDO_PATCHES].clone()
    turns = rng.randrange(TURNS) if ROTATION in tasks else 0
    if turns:
        patches[K1] = rows[TURNED.start + turns - 1]
    order = rng.randrange(len(ORDERS)) if JIGSAW in tasks else 0
    patches[K2] = rows[K2][list(ORDERS[order])]

    camouflaged, greyed, blank = (
        [patch for patch in masked if level.start <= patch < level.stop] for level in (K3, K4, K5)
    )
    for patch in camouflaged:
        patches[patch] = donor[patch]
    for patch in greyed:
        patches[patch] = rows[GREYED.start + patch - K4.start]
    patches[blank] = 0
    return CorruptedPatches(
        patches,
        _flags(KALEIDO_PATCHES, greyed + blank),
        turns,
        order,
        camouflaged[0] - K3.start if camouflaged else 0,
    )


def _flags(count: int, chosen: Sequence[int]) -> Tensor:
    flags = torch.zeros(count, dtype=torch.bool)
    flags[list(chosen)] = True
    return flags
