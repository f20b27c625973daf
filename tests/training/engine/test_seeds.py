"""Seeds that depend on what they are for."""

import torch

from ovarnet.training.engine.seeds import derive_seed, seeded


def test_a_seed_depends_on_every_number_and_on_their_order():
    seeds = [
        derive_seed(*numbers) for numbers in ((1, 2, 3), (0, 2, 3), (1, 0, 3), (1, 2, 0), (3, 2, 1))
    ]
    assert len(set(seeds)) == 5
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derive_seed(1, 2, 3) == seeds[0]


def test_a_generator_draws_what_its_numbers_say():
    first, again, other = (
        torch.rand(3, generator=seeded(*numbers)) for numbers in ((1, 2), (1, 2), (2, 1))
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
