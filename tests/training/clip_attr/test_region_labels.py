"""Which proposals get which words."""

import torch

from ovarnet.config import PseudoLabelSelection
from ovarnet.training.clip_attr.pseudo_labels import (
    ScoredProposals,
)
from ovarnet.training.clip_attr.region_labels import label_regions, largest_region
from ovarnet.vocabulary import Vocabulary, Word

WORDS = Vocabulary(
    (Word("mug", seen=True), Word("key"), Word("car", seen=True)),
    (Word("red", seen=True), Word("gray"), Word("striped")),
)

BIG = [0.0, 0, 40, 40]


def logits(probabilities):
    return torch.tensor(probabilities).log()


def odds(probabilities):
    return torch.logit(torch.tensor(probabilities))


def label(taught, told_categories=(0, 0, 0), mentioned_attributes=(0, 0, 0), **rules):
    told_of = (
        torch.tensor(mentioned_attributes).bool().expand(3, 3)
        if not isinstance(mentioned_attributes, torch.Tensor)
        else mentioned_attributes
    )
    return label_regions(
        taught,
        torch.tensor(told_categories).bool(),
        told_of,
        WORDS.category_seen,
        WORDS.attribute_seen,
        PseudoLabelSelection(**rules),
        torch.Generator().manual_seed(0),
    )


def test_an_attribute_counts_for_proposals_of_its_noun():
    taught = ScoredProposals(
        torch.tensor([BIG, BIG]),
        torch.tensor([0.9, 0.9]),
        logits([[0.8, 0.1, 0.1], [0.05, 0.9, 0.05]]),
        odds([[0.1, 0.9, 0.1], [0.1, 0.9, 0.1]]),
    )
    gray_keys = torch.zeros(3, 3, dtype=torch.bool)
    gray_keys[1, 1] = True
    found = label(taught, (0, 1, 0), gray_keys)
    assert found.attributes[:, 1].tolist() == (found.category_logits.argmax(dim=1) == 1).tolist()


def test_the_largest_likely_proposal_stands_for_the_image():
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 20, 20], [0, 0, 90, 90]])
    taught = ScoredProposals(
        boxes, torch.tensor([0.9, 0.6, 0.05]), torch.zeros(3, 3), torch.zeros(3, 3)
    )
    assert largest_region(taught, PseudoLabelSelection()).tolist() == [[0, 0, 20, 20]]
    taught.objectness = torch.full((3,), 0.01)
    assert largest_region(taught, PseudoLabelSelection()).tolist() == [[0, 0, 90, 90]]


def test_base_words_need_a_sure_teacher_and_novel_ones_the_caption_too():
    taught = ScoredProposals(
        torch.tensor([BIG, BIG]),
        torch.tensor([0.9, 0.9]),
        logits([[0.8, 0.1, 0.1], [0.05, 0.9, 0.05]]),
        odds([[0.8, 0.9, 0.6], [0.6, 0.6, 0.4]]),
    )
    alone = label(taught)
    order = [0, 1] if alone.category_logits[0].argmax() == 0 else [1, 0]
    assert alone.categories[order].tolist() == [[True, False, False], [False] * 3]
    assert alone.attributes[order].tolist() == [[True, False, False], [False] * 3]
    told = label(taught, (0, 1, 0), (1, 1, 1))
    assert told.categories.tolist() == [[False, True, False], [True, False, False]], (
        "the region that the caption names comes first"
    )
    assert told.attributes.tolist() == [[True, True, False], [True, True, True]]
    assert told.is_named.tolist() == [True, False]


def test_a_told_category_counts_from_the_lower_threshold():
    taught = ScoredProposals(
        torch.tensor([BIG]), torch.tensor([0.9]), logits([[0.6, 0.3, 0.1]]), odds([[0.1, 0.1, 0.1]])
    )
    assert len(label(taught, (1, 0, 0)).boxes) == 0, "no category is above 0.7"
    assert label(taught, (1, 0, 0), category_probability=0.59).categories.tolist() == [
        [True, False, False]
    ]


def test_small_doubtful_and_surplus_proposals_are_not_used():
    boxes = torch.tensor([BIG, [0, 0, 4, 4], BIG, BIG, BIG])
    sure, unsure = [0.9, 0.05, 0.05], [0.5, 0.25, 0.25]
    taught = ScoredProposals(
        boxes,
        torch.tensor([0.9, 0.9, 0.1, 0.9, 0.9]),
        logits([sure, sure, sure, unsure, sure]),
        torch.zeros(5, 3),
    )
    assert len(label(taught).boxes) == 2
    assert len(label(taught, max_proposals=1).boxes) == 1
