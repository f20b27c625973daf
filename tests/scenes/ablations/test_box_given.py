"""Box-given percentages of four boxes whose labels and scores are written by hand."""

import numpy as np
import pytest

from ovarnet.scenes.ablations.box_given import BoxGivenTest, groups
from ovarnet.structures import NEGATIVE, POSITIVE, UNKNOWN, first_boxes
from ovarnet.vocabulary import Vocabulary, Word


def test_groups_are_base_novel_and_parent_types():
    words = Vocabulary(
        attributes=(
            Word("red", "color", seen=True),
            Word("gray", "color"),
            Word("small", "size", seen=True),
        )
    )
    assert groups(words) == {"base": [0, 2], "novel": [1], "color": [0, 1], "size": [2]}


def test_first_boxes():
    lists = [[0] * n for n in (2, 3, 4)]
    assert first_boxes(lists, 5) == lists[:2]
    assert first_boxes(lists, 6) == lists
    assert first_boxes(lists, 99) == lists


class HandMadeTest(BoxGivenTest):
    """Four boxes: two mugs, a key, a car. Key and gray are novel."""

    def __init__(self):
        self.vocabulary = Vocabulary(
            (Word("mug", seen=True), Word("key"), Word("car", seen=True)),
            (
                Word("red", "color", seen=True),
                Word("gray", "color"),
                Word("small", "size", seen=True),
            ),
        )
        self.categories = np.array([0, 0, 1, 2])
        self.attributes = np.array(
            [
                [POSITIVE, NEGATIVE, POSITIVE],
                [NEGATIVE, POSITIVE, UNKNOWN],
                [NEGATIVE, NEGATIVE, UNKNOWN],
                [NEGATIVE, POSITIVE, POSITIVE],
            ]
        )


def test_box_given_scores_are_percentages_of_base_and_of_novel_words():
    categories = np.array(
        [[0.9, 0.1, 0.0], [0.8, 0.1, 0.3], [0.1, 0.2, 0.3], [0.2, 0.1, 0.9]]
    )  # all right but the key
    attributes = np.array([[0.9, 0.4, 0.5], [0.3, 0.5, 0.5], [0.2, 0.9, 0.5], [0.1, 0.3, 0.5]])
    red, gray, small = 100, 100 * (1 / 2 + 2 / 4) / 2, 100
    assert HandMadeTest().measure(categories, attributes) == pytest.approx(
        {
            "categories/base": 100,
            "categories/novel": 0,
            "categories/all": 75,
            "attributes/base": (red + small) / 2,
            "attributes/novel": gray,
            "attributes/color": (red + gray) / 2,
            "attributes/size": small,
            "attributes/all": (red + gray + small) / 3,
        }
    )


def test_chance_is_a_percentage_too():
    red, gray, small = 25, 50, 100  # shares of the positives among the known labels
    assert HandMadeTest().chance() == pytest.approx(
        {
            **dict.fromkeys(["categories/base", "categories/novel", "categories/all"], 100 / 3),
            "attributes/base": (red + small) / 2,
            "attributes/novel": gray,
            "attributes/color": (red + gray) / 2,
            "attributes/size": small,
            "attributes/all": (red + gray + small) / 3,
        }
    )
