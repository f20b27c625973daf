"""Batches of crops of four sources, by features that name their crop."""

import pytest
import torch

from ovarnet.modeling.clip.concept_tower import CropFeatures
from ovarnet.training.concept_clip.data import SHARES, ConceptDataset
from ovarnet.training.engine.sampling import MixedSampler

FIRST = {"detection": 100, "attributes": 200, "background": 300, "captions": 400}
SIZES = {"detection": 6, "attributes": 5, "background": 4, "captions": 3}
CAPTIONS = [range(2), range(2, 3), range(3, 7)]


class Numbers:
    """A table of two views; the pooled feature is the number of the crop, the other its view."""

    views = 2

    def __init__(self, source, rows):
        self.first, self.count = FIRST[source], rows

    def __len__(self):
        return self.count

    def rows(self, indices, views):
        return CropFeatures((self.first + indices)[:, None].float(), views[:, None].float())


def dataset(seed=0, **sizes):
    sizes = {**SIZES, **sizes}
    return ConceptDataset(
        {source: Numbers(source, rows) for source, rows in sizes.items()},
        torch.arange(10, 10 + sizes["detection"]),
        torch.arange(sizes["attributes"], dtype=torch.int8)[:, None].repeat(1, 2),
        CAPTIONS,
        seed=seed,
    )


def test_labels_belong_to_the_crops_source_by_source():
    keys = [(7, "detection", 4), (7, "detection", 1), (7, "attributes", 3)]
    keys += [(7, "background", 2), (7, "background", 0), (7, "captions", 2), (7, "captions", 1)]
    batch = dataset().__getitems__(keys)
    assert batch.pooled.flatten().tolist() == [104, 101, 203, 302, 300, 402, 401]
    assert batch.features.pooled is batch.pooled
    assert batch.features.mid is batch.mid
    assert batch.categories.tolist() == [14, 11]
    assert batch.attributes.tolist() == [[3, 3]]
    assert batch.background == 2
    assert len(batch.captions) == 2
    assert batch.captions[0] in CAPTIONS[2]
    assert batch.captions[1] == 2, "the only caption of its photo"


def test_views_and_captions_are_drawn_by_seed_and_iteration():
    def drawn(seed, iteration):
        keys = [(iteration, source, 0) for source in SHARES for _ in range(8)]
        batch = dataset(seed).__getitems__(keys)
        return batch.mid.flatten().tolist() + batch.captions.tolist()

    assert drawn(0, 1) == drawn(0, 1)
    assert drawn(0, 1) != drawn(0, 2)
    assert drawn(0, 1) != drawn(1, 1)
    views, captions = drawn(0, 1)[:32], drawn(0, 1)[32:]
    assert set(views) == {0, 1}
    assert set(captions) == {0, 1}


def test_shares_of_a_batch():
    assert dataset().shares(512) == {
        "detection": (6, 192),
        "attributes": (5, 128),
        "background": (4, 64),
        "captions": (3, 128),
    }
    assert dataset(background=0).shares(512)["background"] == (0, 0)
    assert len(dataset()) == 18


@pytest.mark.parametrize("empty", SHARES)
def test_a_source_may_be_empty(empty):
    made = dataset(**{empty: 0})
    (keys,) = MixedSampler(made.shares(16), 1, seed=0)
    batch = made.__getitems__(keys)
    counts = [len(batch.categories), len(batch.attributes), batch.background, len(batch.captions)]
    expected = {"detection": 6, "attributes": 4, "background": 2, "captions": 4, empty: 0}
    assert counts == list(expected.values())
    assert len(batch.pooled) == len(batch.mid) == sum(counts)
    assert batch.captions.dtype == torch.int64
