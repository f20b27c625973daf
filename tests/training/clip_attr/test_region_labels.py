"""Which proposals get which words."""

import torch

from ovarnet.config import PseudoLabelSelection
from ovarnet.training.clip_attr.pseudo_labels import (
    ScoredProposals,
)
from ovarnet.training.clip_attr.region_labels import MentionedWords, label_regions, largest_region
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


def label(scored, categories=(0, 0, 0), attributes=(0, 0, 0), attributes_of=None, **selection):
    """categories, attributes: mentioned ones; without attributes_of, the attributes of all."""
    attributes = torch.tensor(attributes).bool()
    mentioned = MentionedWords(
        torch.tensor(categories).bool(),
        attributes,
        attributes.expand(3, 3) if attributes_of is None else attributes_of,
    )
    return label_regions(
        scored,
        mentioned,
        WORDS,
        PseudoLabelSelection(**selection),
        torch.Generator().manual_seed(0),
    )


def test_an_attribute_counts_for_proposals_of_its_noun():
    scored = ScoredProposals(
        torch.tensor([BIG, BIG]),
        torch.tensor([0.9, 0.9]),
        logits([[0.8, 0.1, 0.1], [0.05, 0.9, 0.05]]),
        odds([[0.1, 0.9, 0.1], [0.1, 0.9, 0.1]]),
    )
    gray_keys = torch.zeros(3, 3, dtype=torch.bool)
    gray_keys[1, 1] = True
    found = label(scored, (0, 1, 0), (0, 1, 0), gray_keys)
    assert found.attributes[:, 1].tolist() == (found.category_logits.argmax(dim=1) == 1).tolist()


def test_the_largest_likely_proposal_stands_for_the_image():
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 20, 20], [0, 0, 90, 90]])
    scored = ScoredProposals(
        boxes, torch.tensor([0.9, 0.6, 0.05]), torch.zeros(3, 3), torch.zeros(3, 3)
    )
    assert largest_region(scored).tolist() == [[0, 0, 20, 20]]
    scored.objectness = torch.full((3,), 0.01)
    assert largest_region(scored).tolist() == [[0, 0, 90, 90]]


def test_base_words_need_a_confident_model_and_novel_ones_the_caption_too():
    scored = ScoredProposals(
        torch.tensor([BIG, BIG]),
        torch.tensor([0.9, 0.9]),
        logits([[0.8, 0.1, 0.1], [0.05, 0.9, 0.05]]),
        odds([[0.8, 0.9, 0.6], [0.6, 0.6, 0.4]]),
    )
    alone = label(scored)
    order = [0, 1] if alone.category_logits[0].argmax() == 0 else [1, 0]
    assert alone.categories[order].tolist() == [[True, False, False], [False] * 3]
    assert alone.attributes[order].tolist() == [[True, False, False], [False] * 3]
    mentioned = label(scored, (0, 1, 0), (1, 1, 1))
    assert mentioned.categories.tolist() == [[False, True, False], [True, False, False]], (
        "the region that the caption names comes first"
    )
    assert mentioned.attributes.tolist() == [[True, True, False], [True, True, True]]
    assert mentioned.is_named.tolist() == [True, False]


def test_a_mentioned_category_counts_from_the_lower_threshold():
    scored = ScoredProposals(
        torch.tensor([BIG]), torch.tensor([0.9]), logits([[0.6, 0.3, 0.1]]), odds([[0.1, 0.1, 0.1]])
    )
    assert len(label(scored, (1, 0, 0)).boxes) == 0, "no category is above 0.7"
    assert label(scored, (1, 0, 0), category_probability=0.59).categories.tolist() == [
        [True, False, False]
    ]


def test_small_doubtful_and_surplus_proposals_are_not_used():
    boxes = torch.tensor([BIG, [0, 0, 4, 4], BIG, BIG, BIG])
    confident, doubtful = [0.9, 0.05, 0.05], [0.5, 0.25, 0.25]
    scored = ScoredProposals(
        boxes,
        torch.tensor([0.9, 0.9, 0.1, 0.9, 0.9]),
        logits([confident, confident, confident, doubtful, confident]),
        torch.zeros(5, 3),
    )
    assert len(label(scored).boxes) == 2
    assert len(label(scored, max_proposals=1).boxes) == 1


def test_a_novel_word_is_never_positive_without_being_mentioned():
    """Whatever the model says: key, gray and striped are novel."""
    scored = ScoredProposals(
        torch.tensor([BIG] * 3),
        torch.tensor([0.9] * 3),
        logits([[0.999, 0.0005, 0.0005], [0.0005, 0.999, 0.0005], [0.0005, 0.0005, 0.999]]),
        odds([[0.999, 0.999, 0.999]] * 3),
    )
    found = label(scored, category_probability=0.0, attribute_probability=0.0)
    assert len(found.boxes) == 3
    assert not found.categories[:, 1].any()
    assert not found.attributes[:, 1:].any()
    assert found.categories[:, [0, 2]].any()
    assert found.attributes[:, 0].all()
