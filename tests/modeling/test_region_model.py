"""What all region models share."""

import pytest
import torch
from torch import nn

from ovarnet.modeling.region_model import RegionEmbeddings, RegionModel
from ovarnet.vocabulary import Vocabulary

WORDS = Vocabulary.of(["mug"], ["red"])


def test_the_classifier_is_a_part_and_the_words_are_a_value():
    model = RegionModel(nn.Linear(2, 3), WORDS)
    assert model.vocabulary is WORDS
    assert set(model.state_dict()) == {"classifier.weight", "classifier.bias"}
    assert model.device == torch.device("cpu")


def test_forward_is_for_the_models():
    with pytest.raises(NotImplementedError):
        RegionModel(nn.Linear(2, 3), WORDS)([torch.zeros(3, 4, 4)])


def test_regions_are_a_tree_of_tensors():
    """So that hooks, torch.export and torch.compile see through them."""
    regions = RegionEmbeddings(torch.zeros(2, 4), torch.ones(2), torch.zeros(2, 8))
    leaves, _ = torch.utils._pytree.tree_flatten([regions])
    assert [tuple(leaf.shape) for leaf in leaves] == [(2, 4), (2,), (2, 8)]
