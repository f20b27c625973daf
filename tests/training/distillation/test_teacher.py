"""The teacher: embeddings and logits row by row; too many to cache are refused before any is
computed."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from ovarnet.errors import InputError
from ovarnet.structures import Proposals
from ovarnet.training.data.base_boxes import DETECTION
from ovarnet.training.data.image_cache import ImageCache
from ovarnet.training.distillation.teacher import Teacher, cache_embeddings
from ovarnet.vocabulary import Vocabulary


class FakeClipAttr(nn.Module):
    """Embeds a crop as its mean and a one; the logit of a word is the mean times the length of the
    word, negative for attributes."""

    crop_batch = 2

    def __init__(self):
        super().__init__()
        self.batches = []
        self.clip = SimpleNamespace(embed_dim=2, encode_image=self.encode)
        self.classifier = FakeClassifier()

    def encode(self, crops):
        self.batches.append(len(crops))
        means = crops.mean(dim=(1, 2, 3))
        return torch.stack([means, torch.ones_like(means)], dim=1)


class FakeClassifier:
    def encode_vocabulary(self, words):
        return (
            torch.tensor([float(len(word.name)) for word in words.categories]),
            torch.tensor([-float(len(word.name)) for word in words.attributes]),
        )

    def logits(self, embeddings, vocabulary):
        return tuple(embeddings[:, :1] * words for words in vocabulary)


def test_logits_are_of_all_categories_and_then_of_all_attributes():
    teacher = Teacher(FakeClipAttr(), Vocabulary.of(["mug", "chair"], ["red", "wooden", "shiny"]))
    categories, attributes = teacher.logits(torch.tensor([[1.0, 1], [2, 1]]))
    assert categories.tolist() == [[3, 5], [6, 10]]
    assert attributes.tolist() == [
        [-3, -6, -5],
        [-6, -12, -10],
    ]


def test_crops_are_embedded_in_their_order_a_few_at_a_time():
    teacher = Teacher(FakeClipAttr(), Vocabulary())
    crops = torch.arange(5.0)[:, None, None, None].expand(5, 3, 4, 4)
    assert teacher.embed(crops).tolist() == [
        [0, 1],
        [1, 1],
        [2, 1],
        [3, 1],
        [4, 1],
    ]
    assert teacher.model.batches == [2, 2, 1]
    assert teacher.embed(crops[:0]).shape == (0, 2)


def test_more_embeddings_than_there_is_room_for_are_refused_before_the_first_one(tmp_path):
    """192 boxes and 320 proposals of one image, 1,024 numbers of 4 bytes each: 2 MB."""
    teacher = SimpleNamespace(embed_dim=1024)
    members = {(DETECTION, 0): SimpleNamespace(file="never read", boxes=torch.zeros(192, 4))}
    proposals = {"never read": Proposals(torch.zeros(320, 4), torch.zeros(320))}
    with pytest.raises(InputError, match="the teacher's embeddings need 2 MB, more than 1; set"):
        cache_embeddings(teacher, members, proposals, ImageCache(1), tmp_path, megabytes=1)
    assert not list(tmp_path.iterdir())
