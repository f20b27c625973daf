"""Which samples make up iteration t, as a function of (seed, t) alone.

A resumed run therefore sees exactly the batches of an unbroken one. Every sampler yields the share
of one process: `rank` of `world`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from torch.utils.data import Sampler

from ovarnet.errors import InputError

ORIENTATION = 7
"""Keeps the draws of orientations apart from those of samples, which have the same seed."""


def check_batch_size(batch_size: int, world: int) -> None:
    """Check that all processes get equally many samples.

    Gradients are averaged over processes and contrastive losses gather embeddings of all of them;
    both assume equal shares.

    Args:
        batch_size: Samples of an iteration, over all processes.
        world: Number of processes.

    Raises:
        InputError: The batch cannot be divided.
    """
    if batch_size % world:
        raise InputError(
            f"optimisation.batch_size is {batch_size} and there are {world} processes; give a "
            f"multiple of {world}"
        )


class IterationSampler(Sampler):
    """Batches of one dataset, drawn epoch by epoch without replacement.

    Yields lists of keys (iteration, index). The iteration in the key lets a dataset seed its random
    augmentation from (seed, iteration, index).

    Args:
        length: Number of samples.
        batch_size: Samples of an iteration, over all processes.
        iterations: Of the whole run.
        seed: Draws the order of every epoch.
        start: Iterations that are done.
        rank: This process.
        world: Number of processes.
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
        self.length, self.batch_size = length, batch_size
        self.iterations, self.start = iterations, start
        self.seed, self.rank, self.world = seed, rank, world

    def __len__(self) -> int:
        return self.iterations - self.start

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        order, epoch = np.empty(0, dtype=np.int64), -1
        for iteration in range(self.start, self.iterations):
            batch = []
            for position in range(iteration * self.batch_size, (iteration + 1) * self.batch_size):
                if position // self.length != epoch:
                    epoch = position // self.length
                    order = np.random.default_rng([self.seed, epoch]).permutation(self.length)
                batch.append((iteration, int(order[position % self.length])))
            yield batch[self.rank :: self.world]


class MixedSampler(Sampler):
    """Batches of several sources, each with its own share of every batch.

    Yields lists of keys (iteration, source, index), source by source. Each source is drawn as by an
    `IterationSampler` of its own, so that its samples do not depend on the other sources.

    Args:
        sources: Name -> (number of samples, samples of an iteration); a source of which none are
            drawn may be empty.
        iterations: As in `IterationSampler`, and so are the others.
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
            name: IterationSampler(length, count, iterations, seed=seed * 101 + place, start=start)
            for place, (name, (length, count)) in enumerate(sources.items())
            if count
        }
        self.length, self.rank, self.world = iterations - start, rank, world

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[list[tuple[int, str, int]]]:
        for batches in zip(*self.samplers.values(), strict=True):
            batch = [
                (iteration, name, index)
                for name, keys in zip(self.samplers, batches, strict=True)
                for iteration, index in keys
            ]
            # of the whole batch: shares of a source that cannot be divided leave it even
            yield batch[self.rank :: self.world]


class OrientedSampler(Sampler):
    """As `MixedSampler`, but the images of a batch are all tall or all wide.

    Such aspect-ratio grouping keeps the padding of a batch small. Whether iteration t is tall is
    drawn from (seed, t), as often as an image is tall. A source without an image of that
    orientation gives what it has.

    Args:
        sources: As in `MixedSampler`, and so are the others.
        is_tall: Source -> a bool for each of its images.
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
        tall_share = np.average(
            [flags.mean() for flags, _ in used.values()],
            weights=[count for _, count in used.values()],
        )
        draws = np.random.default_rng([seed, ORIENTATION]).random(iterations)
        self.start, self.is_tall_turn = start, draws < tall_share

        # one sampler per orientation, over the images that have it
        self.images: list[dict[str, np.ndarray]] = []
        self.samplers: list[MixedSampler] = []
        for tall in (False, True):
            images = {
                name: np.flatnonzero(flags == tall)
                if (flags == tall).any()
                else np.arange(len(flags))
                for name, (flags, _) in used.items()
            }
            turns = self.is_tall_turn == tall
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
        return len(self.is_tall_turn) - self.start

    def __iter__(self) -> Iterator[list[tuple[int, str, int]]]:
        batches = [iter(sampler) for sampler in self.samplers]
        for iteration in range(self.start, len(self.is_tall_turn)):
            tall = int(self.is_tall_turn[iteration])
            yield [
                (iteration, name, int(self.images[tall][name][index]))
                for _, name, index in next(batches[tall])
            ]
