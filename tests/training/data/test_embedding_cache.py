"""Embeddings of boxes, kept: refused before anything is computed where they would be too many."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from ovarnet.errors import InputError
from ovarnet.training.data.base_boxes import TrainingBoxes
from ovarnet.training.data.embedding_cache import EmbeddingCache

CLIP = SimpleNamespace(name="tower", embed_dim=1024, model=SimpleNamespace(visual=nn.Linear(2, 2)))


def boxes(count):
    return TrainingBoxes(["never read"] * count, torch.zeros(count, 4), torch.zeros(count))


@pytest.mark.parametrize(
    ("detection", "attributes", "what"),
    [(2048, 0, "2,048 detection"), (0, 2048, "2,048 attributes")],
)
def test_more_views_than_there_is_room_for_are_refused_before_the_first_one(
    tmp_path, detection, attributes, what
):
    """2,048 boxes in 3 views, 1,024 numbers of 2 bytes each: 12 MB."""
    data = SimpleNamespace(detection=boxes(detection), attributes=boxes(attributes))
    with pytest.raises(
        InputError,
        match=f"3 cached views of {what} boxes need 12 MB, more than 11; lower cached_views, or "
        "set it to 0",
    ):
        EmbeddingCache(CLIP, data, None, tmp_path, views=3, seed=0, megabytes=11)


def test_a_source_is_judged_by_itself_and_may_fill_the_room(tmp_path, monkeypatch):
    """Each of two sources of 12 MB fits into 12; what is drawn is a row of the right box."""
    monkeypatch.setattr(
        "ovarnet.training.data.embedding_cache.embed_views",
        lambda clip, regions, crops, views: torch.arange(len(regions), dtype=torch.float16)[
            None, :, None
        ].repeat(views, 1, clip.embed_dim),
    )
    data = SimpleNamespace(detection=boxes(2048), attributes=boxes(2047))
    cache = EmbeddingCache(CLIP, data, None, tmp_path, views=3, seed=0, megabytes=12)
    rows = cache([(0, "detection", 7), (0, "attributes", 3)])
    assert rows.shape == (2, 1024)
    assert rows[:, 0].tolist() == [7, 3]
