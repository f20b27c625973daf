from ovarnet.training.engine.sampling import IterationSampler, MixedSampler

SOURCES = {"boxes": (10, 4), "labels": (3, 2), "none": (0, 0)}


def test_every_batch_has_the_stated_shares():
    batches = list(MixedSampler(SOURCES, 5, seed=1))
    assert len(batches) == 5
    for iteration, batch in enumerate(batches):
        assert [source for _, source, _ in batch] == ["boxes"] * 4 + ["labels"] * 2
        assert {key[0] for key in batch} == {iteration}
    drawn = [index for batch in batches[:3] for _, source, index in batch if source == "labels"]
    assert sorted(drawn) == [0, 0, 1, 1, 2, 2], "epoch by epoch without replacement"


def test_a_source_does_not_depend_on_the_others_and_a_start_skips_nothing_else():
    whole = list(MixedSampler(SOURCES, 5, seed=1))
    alone = list(MixedSampler({"boxes": (10, 4)}, 5, seed=1))
    assert [[key for key in batch if key[1] == "boxes"] for batch in whole] == alone
    later = MixedSampler(SOURCES, 5, seed=1, start=3)
    assert len(later) == 2
    assert list(later) == whole[3:]


def test_ranks_split_each_source():
    parts = [list(MixedSampler(SOURCES, 2, seed=1, rank=rank, world=2)) for rank in (0, 1)]
    assert all(len(batch) == 3 for part in parts for batch in part)
    joined = sorted(key for part in parts for batch in part for key in batch)
    assert joined == sorted(key for batch in MixedSampler(SOURCES, 2, seed=1) for key in batch)
    assert [index for batch in MixedSampler({"a": (7, 3)}, 2, seed=4) for *_, index in batch] == [
        index for batch in IterationSampler(7, 3, 2, seed=4 * 101) for _, index in batch
    ]
