from ovarnet.training.engine.sampling import IterationSampler


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
