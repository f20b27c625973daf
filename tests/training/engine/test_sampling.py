"""Which samples make up a batch: shares, epochs, orientations, processes, resumption."""

from collections import Counter

import pytest

from ovarnet.errors import InputError
from ovarnet.training.engine.sampling import (
    IterationSampler,
    MixedSampler,
    OrientedSampler,
    check_batch_size,
)

SOURCES = {"boxes": (10, 4), "labels": (6, 2), "wide": (3, 1), "none": (0, 0)}
IS_TALL = {
    "boxes": [True, False, False, True, False] * 2,
    "labels": [False, True] * 3,
    "wide": [False] * 3,
    "none": [],
}
MIXED = {"boxes": (10, 4), "labels": (3, 2), "none": (0, 0)}


def test_every_sample_once_per_epoch_across_batch_borders():
    batches = list(IterationSampler(5, 3, 5, seed=0))
    indices = [index for batch in batches for _, index in batch]
    assert [len(batch) for batch in batches] == [3] * 5
    assert sorted(indices[:5]) == sorted(indices[5:10]) == sorted(indices[10:]) == [0, 1, 2, 3, 4]
    assert [{iteration for iteration, _ in batch} for batch in batches] == [{0}, {1}, {2}, {3}, {4}]


def test_a_resumed_run_sees_what_an_unbroken_one_would():
    whole = list(IterationSampler(7, 4, 10, seed=3))
    resumed = IterationSampler(7, 4, 10, seed=3, start=6)
    assert list(resumed) == whole[6:]
    assert len(resumed) == 4


def test_seeds_differ_and_processes_share_a_batch():
    assert list(IterationSampler(50, 4, 2, seed=0)) != list(IterationSampler(50, 4, 2, seed=1))
    whole = next(iter(IterationSampler(50, 4, 1, seed=0)))
    parts = [next(iter(IterationSampler(50, 4, 1, seed=0, rank=rank, world=2))) for rank in (0, 1)]
    assert sorted(parts[0] + parts[1]) == sorted(whole)
    assert len(parts[0]) == 2


def test_every_batch_has_the_stated_shares():
    batches = list(MixedSampler(MIXED, 5, seed=1))
    assert len(batches) == 5
    for iteration, batch in enumerate(batches):
        assert [source for _, source, _ in batch] == ["boxes"] * 4 + ["labels"] * 2
        assert {key[0] for key in batch} == {iteration}
    drawn = [index for batch in batches[:3] for _, source, index in batch if source == "labels"]
    assert sorted(drawn) == [0, 0, 1, 1, 2, 2], "epoch by epoch without replacement"


def test_a_source_does_not_depend_on_the_others_and_a_start_skips_nothing_else():
    whole = list(MixedSampler(MIXED, 5, seed=1))
    alone = list(MixedSampler({"boxes": (10, 4)}, 5, seed=1))
    assert [[key for key in batch if key[1] == "boxes"] for batch in whole] == alone
    later = MixedSampler(MIXED, 5, seed=1, start=3)
    assert len(later) == 2
    assert list(later) == whole[3:]


def test_ranks_split_each_source():
    parts = [list(MixedSampler(MIXED, 2, seed=1, rank=rank, world=2)) for rank in (0, 1)]
    assert all(len(batch) == 3 for part in parts for batch in part)
    joined = sorted(key for part in parts for batch in part for key in batch)
    assert joined == sorted(key for batch in MixedSampler(MIXED, 2, seed=1) for key in batch)
    assert [index for batch in MixedSampler({"a": (7, 3)}, 2, seed=4) for *_, index in batch] == [
        index for batch in IterationSampler(7, 3, 2, seed=4 * 101) for _, index in batch
    ]


def test_the_images_of_a_batch_share_an_orientation_and_a_source_that_lacks_it_gives_what_it_has():
    batches = list(OrientedSampler(SOURCES, IS_TALL, 40, seed=1))
    assert [[key[0] for key in batch] for batch in batches] == [
        [iteration] * 7 for iteration in range(40)
    ]
    assert all(
        [source for _, source, _ in batch] == ["boxes"] * 4 + ["labels"] * 2 + ["wide"]
        for batch in batches
    )
    seen = [
        {IS_TALL[source][index] for _, source, index in batch if source != "wide"}
        for batch in batches
    ]
    assert all(len(orientations) == 1 for orientations in seen)
    assert {True} in seen
    assert {False} in seen


def test_over_time_every_image_is_drawn_equally_often():
    drawn = Counter(
        index
        for batch in OrientedSampler({"boxes": (10, 4)}, IS_TALL, 2000, seed=0)
        for *_, index in batch
    )
    assert len(drawn) == 10
    assert all(abs(count - 800) < 60 for count in drawn.values())


def test_a_start_changes_nothing_of_what_follows_and_more_iterations_nothing_of_what_came_before():
    whole = list(OrientedSampler(SOURCES, IS_TALL, 12, seed=3))
    later = OrientedSampler(SOURCES, IS_TALL, 12, seed=3, start=5)
    assert len(later) == 7
    assert list(later) == whole[5:]
    assert list(OrientedSampler(SOURCES, IS_TALL, 20, seed=3))[:12] == whole


def test_ranks_split_the_batch_and_agree_on_its_orientation():
    whole = list(OrientedSampler(SOURCES, IS_TALL, 6, seed=2))
    parts = [
        list(OrientedSampler(SOURCES, IS_TALL, 6, seed=2, rank=rank, world=2)) for rank in (0, 1)
    ]
    for batch, first, second in zip(whole, *parts, strict=True):
        assert sorted(batch) == sorted(first + second)


def test_a_batch_is_divided_among_the_processes_or_refused():
    check_batch_size(6, 3)
    check_batch_size(1, 1)
    with pytest.raises(
        InputError, match="batch_size is 5 and there are 2 processes; give a multiple of 2"
    ):
        check_batch_size(5, 2)
    with pytest.raises(InputError, match="batch_size is 1 and there are 2 processes"):
        check_batch_size(1, 2)


@pytest.mark.parametrize(
    "sources", [{"boxes": (10, 3), "labels": (6, 1)}, {"boxes": (10, 1), "labels": (6, 3)}]
)
def test_sources_that_cannot_be_divided_leave_the_processes_equally_many(sources):
    whole = list(MixedSampler(sources, 6, seed=2))
    parts = [list(MixedSampler(sources, 6, seed=2, rank=rank, world=2)) for rank in (0, 1)]
    assert [[len(batch) for batch in part] for part in parts] == [[2] * 6] * 2
    assert [sorted(a + b) for a, b in zip(*parts, strict=True)] == [
        sorted(batch) for batch in whole
    ]
