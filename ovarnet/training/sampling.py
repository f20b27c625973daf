"""Which samples make up iteration t, as a function of (seed, t) alone, so that a resumed run sees exactly what an unbroken one would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from torch.utils.data import Sampler


class IterationSampler(Sampler):
    """Batch sampler: for each iteration from `start`, this process's share of `batch_size` keys (iteration, index) of `length` samples.

    Samples are drawn epoch by epoch without replacement, in an order shuffled anew per epoch. The iteration in the key lets a dataset
    seed its random augmentation from (seed, iteration, index).
    """

    def __init__(self, length: int, batch_size: int, iterations: int, *, seed: int, start: int = 0, rank: int = 0, world: int = 1):
        self.length, self.batch_size, self.iterations, self.seed, self.start = length, batch_size, iterations, seed, start
        self.rank, self.world = rank, world

    def __len__(self) -> int:
        return self.iterations - self.start

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        order, epoch = None, -1
        for iteration in range(self.start, self.iterations):
            batch = []
            for position in range(iteration * self.batch_size, (iteration + 1) * self.batch_size):
                if position // self.length != epoch:
                    epoch = position // self.length
                    order = np.random.default_rng([self.seed, epoch]).permutation(self.length)
                batch.append((iteration, int(order[position % self.length])))
            yield batch[self.rank :: self.world]


class MixedSampler(Sampler):
    """Batch sampler over several sources, each with its own share of every batch: keys (iteration, source, index), source by source.

    sources: name -> (length, samples per batch); each is drawn as by an `IterationSampler` of its own, so a source's samples do not depend
    on the others. A source of 0 samples per batch yields none.
    """

    def __init__(self, sources: Mapping[str, tuple[int, int]], iterations: int, *, seed: int, start: int = 0, rank: int = 0,
                 world: int = 1):
        self.samplers = {name: IterationSampler(length, count, iterations, seed=seed * 101 + place, start=start, rank=rank, world=world)
                         for place, (name, (length, count)) in enumerate(sources.items()) if count}
        self.length = iterations - start

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[list[tuple[int, str, int]]]:
        for batches in zip(*self.samplers.values(), strict=True):
            yield [(iteration, name, index) for name, batch in zip(self.samplers, batches, strict=True) for iteration, index in batch]
