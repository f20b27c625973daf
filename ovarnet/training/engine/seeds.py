"""Random numbers that depend on the run's seed and on what they are drawn for, not on their order.

A resumed run, another number of workers or another process then draws the same.
"""

from __future__ import annotations

import numpy as np
import torch


def seeded(*numbers: int) -> torch.Generator:
    """Make a CPU generator.

    Args:
        *numbers: What the draws depend on, such as seed, iteration and index; 0 or more each.
    """
    return torch.Generator().manual_seed(derive_seed(*numbers))


def derive_seed(*numbers: int) -> int:
    """A seed in [0, 2^63) that depends on all of `numbers`, except for zeros at their end."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)
