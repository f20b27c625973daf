"""Which samples make up iteration t, as a function of (seed, t) alone, so that a resumed run sees
exactly what an unbroken one would.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from torch.utils.data import Sampler

ORIENTATION = 7
"""Keeps the draws of orientations apart from those of samples, which the same seed makes."""


class IterationSampler(Sampler):
    """Batch sampler: for each iteration from `start`, this process's share of `batch_size` keys
    (iteration, index) of `length` samples.

    Samples are drawn epoch by epoch without replacement, in an order shuffled anew per epoch. The
    iteration in the key lets a dataset seed its random augmentation from (seed, iteration, index).
    """

    def __init__(
        self,
        length: int,
        batch_size: int,
        iterations: int,
        *,
        seed: int,
        start: int = 0,
        rank: int = 0,
        world: int = 1,
    ):
        self.length, self.batch_size, self.iterations, self.seed, self.start = (
            length,
            batch_size,
            iterations,
            seed,
            start,
        )
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
    """Batch sampler over several sources, each with its own share of every batch: keys (iteration,
    source, index), source by source.

    sources: name -> (length, samples per batch); each is drawn as by an `IterationSampler` of its
    own, so a source's samples do not depend on the others. A source of 0 samples per batch yields
    none.
    """

    def __init__(
        self,
        sources: Mapping[str, tuple[int, int]],
        iterations: int,
        *,
        seed: int,
        start: int = 0,
        rank: int = 0,
        world: int = 1,
    ):
        self.samplers = {
            name: IterationSampler(
                length,
                count,
                iterations,
                seed=seed * 101 + place,
                start=start,
                rank=rank,
                world=world,
            )
            for place, (name, (length, count)) in enumerate(sources.items())
            if count
        }
        self.length = iterations - start

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[list[tuple[int, str, int]]]:
        for batches in zip(*self.samplers.values(), strict=True):
            yield [
                (iteration, name, index)
                for name, batch in zip(self.samplers, batches, strict=True)
                for iteration, index in batch
            ]


class OrientedSampler(Sampler):
    """As `MixedSampler`, but the images of a batch are all tall or all wide (aspect-ratio
    grouping), so that little of it is padding.

    is_tall: source -> a bool for each of its images. Whether iteration t is tall is drawn from
    (seed, t) alone, as often as an image is tall; a source without an image of that orientation
    gives what it has.
    """

    def __init__(
        self,
        sources: Mapping[str, tuple[int, int]],
        is_tall: Mapping[str, Sequence[bool]],
        iterations: int,
        *,
        seed: int,
        start: int = 0,
        rank: int = 0,
        world: int = 1,
    ):
        used = {
            name: (np.asarray(is_tall[name], dtype=bool), count)
            for name, (_, count) in sources.items()
            if count
        }
        share = np.average(
            [flags.mean() for flags, _ in used.values()],
            weights=[count for _, count in used.values()],
        )
        self.start, self.turns = (
            start,
            np.random.default_rng([seed, ORIENTATION]).random(iterations) < share,
        )
        self.images, self.samplers = [], []
        for tall in (False, True):
            images = {
                name: np.flatnonzero(flags == tall)
                if (flags == tall).any()
                else np.arange(len(flags))
                for name, (flags, _) in used.items()
            }
            turns = self.turns == tall
            self.images.append(images)
            self.samplers.append(
                MixedSampler(
                    {name: (len(images[name]), count) for name, (_, count) in used.items()},
                    int(turns.sum()),
                    seed=2 * seed + tall,
                    start=int(turns[:start].sum()),
                    rank=rank,
                    world=world,
                )
            )

    def __len__(self) -> int:
        return len(self.turns) - self.start

    def __iter__(self) -> Iterator[list[tuple[int, str, int]]]:
        batches = [iter(sampler) for sampler in self.samplers]
        for iteration in range(self.start, len(self.turns)):
            tall = int(self.turns[iteration])
            yield [
                (iteration, name, int(self.images[tall][name][index]))
                for _, name, index in next(batches[tall])
            ]
