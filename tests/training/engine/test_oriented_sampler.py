"""Batches of one orientation: mixed as stated, every image as often as any other, the same after a
break."""

from collections import Counter

from ovarnet.training.engine.sampling import OrientedSampler

SOURCES = {"boxes": (10, 4), "labels": (6, 2), "wide": (3, 1), "none": (0, 0)}
IS_TALL = {
    "boxes": [True, False, False, True, False] * 2,
    "labels": [False, True] * 3,
    "wide": [False] * 3,
    "none": [],
}


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
