"""Referring phrases of the generated world: words that fit exactly one object of a scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ovarnet.scenes.world.captions import noun_phrase, spoken
from ovarnet.scenes.world.words import CATEGORIES, category_strings
from ovarnet.structures import NEGATIVE, POSITIVE, Annotations
from ovarnet.vocabulary import Vocabulary

SAME_CATEGORY, SAME_ATTRIBUTES, BOTH = "same category", "same attributes", "both"
KINDS = (SAME_CATEGORY, SAME_ATTRIBUTES, BOTH)

_WORD_COUNTS = (1, 1, 2, 2, 3)
_TRIES = 12
_DETERMINERS = ("the", "the", "a", "")


@dataclass(frozen=True)
class Reference:
    """A phrase that fits one object.

    Attributes:
        text: "the car that is white".
        target: Row of the object.
        category: Name of the category in the phrase.
        attributes: Names of the attributes in the phrase.
        kind: What makes it hard. "same category": another object of the category lacks one of the
            attributes; "same attributes": one of another category has all of them; "both": one of
            each.
    """

    text: str
    target: int
    category: str
    attributes: tuple[str, ...]
    kind: str

    def is_base(self, vocabulary: Vocabulary) -> bool:
        """Whether every word of the phrase is a base word."""
        return vocabulary.categories[vocabulary.category_index[self.category]].seen and all(
            vocabulary.attributes[vocabulary.attribute_index[name]].seen for name in self.attributes
        )


def references(scene: Annotations, vocabulary: Vocabulary, seed: int = 0) -> list[Reference]:
    """At most one phrase for each object of a scene; the same scene and seed give the same phrases.

    An object has none where one to three of its words do not tell it apart, or where nothing else
    shares its category or those words.
    """
    rng = np.random.default_rng([seed, int(scene.image_id)])
    found = [_reference(scene, row, vocabulary, rng) for row in range(len(scene))]
    return [reference for reference in found if reference is not None]


def _reference(
    scene: Annotations, target: int, vocabulary: Vocabulary, rng: np.random.Generator
) -> Reference | None:
    true = (scene.attributes[target] == POSITIVE).nonzero().flatten().tolist()
    category = CATEGORIES[
        [item.name for item in CATEGORIES].index(
            vocabulary.category_names[scene.categories[target]]
        )
    ]
    for _ in range(_TRIES):
        count = min(_WORD_COUNTS[int(rng.random() * len(_WORD_COUNTS))], len(true))
        columns = [true[i] for i in rng.permutation(len(true))[:count]]
        kind = kind_of_reference(scene, target, columns)
        if kind is not None:
            words = [vocabulary.attribute_names[column] for column in columns]
            determiner = _DETERMINERS[int(rng.random() * len(_DETERMINERS))]
            noun = spoken(category.name, category_strings(category), rng)
            text = noun_phrase(noun, words, rng, determiner=determiner).strip()
            return Reference(text, target, category.name, tuple(words), kind)
    return None


def kind_of_reference(scene: Annotations, target: int, columns: Sequence[int]) -> str | None:
    """What makes "the category of `target` with the attributes `columns`" hard.

    An attribute that is undefined for an object (the pose of a star) neither holds of it nor tells
    it apart.

    Returns:
        The kind; None where the phrase fits another object too, or no other object is similar.
    """
    labels = scene.attributes[:, list(columns)]
    same = scene.categories == scene.categories[target]
    same[target] = False
    if not (labels[same] == NEGATIVE).any(dim=1).all():
        return None
    others = ~same
    others[target] = False
    alike = bool((labels[others] == POSITIVE).all(dim=1).any())
    return {(True, True): BOTH, (True, False): SAME_CATEGORY, (False, True): SAME_ATTRIBUTES}.get(
        (bool(same.any()), alike)
    )
