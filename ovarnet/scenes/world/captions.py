"""Natural captions of photos and scenes, which mention only words that are true.

The mention rates decide what is learned from them. Photos, from which the CLIP is trained, have the
captions of the web: they name the thing and seldom describe it, so that the CLIP knows categories
better than attributes, while every attribute word still occurs often enough to be learned. Scenes,
from which step II learns, have the captions of a describer, as COCO's have, or as CC3M's do once
only those with a word of the vocabulary are kept (method section 4.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ovarnet.scenes.world.render import SceneObject, random_stream
from ovarnet.scenes.world.things import Thing
from ovarnet.scenes.world.words import PARENT_OF, attribute_strings, category_strings

PHOTO_MENTION_RATES: Mapping[str, float] = {
    "category": 0.95,
    "color": 0.15,
    "pattern": 0.4,
    "finish": 0.35,
    "size": 0.35,
    "pose": 0.4,
    "border": 0.35,
    "condition": 0.35,
}
SCENE_MENTION_RATES: Mapping[str, float] = {
    "category": 0.95,
    "color": 0.5,
    "pattern": 0.6,
    "finish": 0.6,
    "size": 0.6,
    "pose": 0.6,
    "border": 0.6,
    "condition": 0.6,
}
"""How often a true word of each kind is mentioned; an object whose category is not mentioned is
called "object" or "thing"."""

CAPTIONS_PER_IMAGE = 5

_SYNONYM_RATE = 0.2
# the usual order of English adjectives, more or less
_ORDER = ("size", "condition", "finish", "color", "pattern", "border", "pose")
_OPENERS = (
    "",
    "",
    "",
    "a photo of ",
    "a picture of ",
    "an image of ",
    "a close-up of ",
    "there is ",
    "this is ",
    "here is ",
    "this picture shows ",
    "one can see ",
    "i took a photo of ",
)
_SCENE_OPENERS = (
    "",
    "",
    "",
    "a photo of ",
    "a picture of ",
    "a scene with ",
    "this picture shows ",
    "one can see ",
    "we see ",
    "the image shows ",
)
_NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
_NOUN_FORMS = {
    "pattern": ("pattern", "print"),
    "finish": ("finish", "surface"),
    "color": ("color", "tone"),
}


def _pick(rng: np.random.Generator, options: Sequence):
    return options[int(rng.random() * len(options))]


def spoken(word: str, strings: tuple[str, ...], rng: np.random.Generator) -> str:
    """The word, or now and then one of its synonyms."""
    return _pick(rng, strings[1:]) if len(strings) > 1 and rng.random() < _SYNONYM_RATE else word


def _mentioned(
    words: Mapping[str, Sequence[str]], rates: Mapping[str, float], rng: np.random.Generator
) -> list[str]:
    """The attribute words of this caption, in the usual order or, half of the time, in any."""
    chosen = [word for parent in _ORDER for word in words[parent] if rng.random() < rates[parent]]
    if rng.random() < 0.5:
        chosen = [chosen[i] for i in rng.permutation(len(chosen))]
    return chosen


def _article(phrase: str) -> str:
    return ("an " if phrase[0] in "aeiou" else "a ") + phrase


def _joined(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def _after_noun(words: list[str], verb: str, rng: np.random.Generator) -> str:
    """What follows the noun: ' that is red and shiny', ' with a striped pattern'."""
    if not words:
        return ""
    parent = PARENT_OF[words[0]]
    if len(words) == 1 and parent in _NOUN_FORMS and rng.random() < 0.5:
        return f" with {_article(_said([words[0]], rng)[0])} {_pick(rng, _NOUN_FORMS[parent])}"
    spoken = _joined(_said(words, rng))
    return _pick(rng, (f" that {verb} {spoken}", f" which {verb} {spoken}", f", {spoken}"))


def _said(words: Sequence[str], rng: np.random.Generator) -> list[str]:
    return [spoken(word, attribute_strings(word), rng) for word in words]


def noun_phrase(
    noun: str,
    words: list[str],
    rng: np.random.Generator,
    *,
    determiner: str = "a",
    verb: str = "is",
) -> str:
    """A noun phrase: 'a small striped mug that is red'.

    Args:
        noun: Of the phrase.
        words: Attribute words; some go before the noun, the others after it.
        rng: Random numbers.
        determiner: 'a', 'the' or a number word.
        verb: Of a relative clause.
    """
    before = len(words) if rng.random() < 0.55 else int(rng.random() * (len(words) + 1))
    front = " ".join([*_said(words[:before], rng), noun])
    phrase = _article(front) if determiner == "a" else f"{determiner} {front}"
    return phrase + _after_noun(words[before:], verb, rng)


def _statement(noun: str, words: list[str], rng: np.random.Generator) -> str:
    """'the striped mug is red and shiny'. words: at least one."""
    before = int(rng.random() * len(words))
    front = " ".join([*_said(words[:before], rng), noun])
    return f"{_pick(rng, ('the', 'this'))} {front} is {_joined(_said(words[before:], rng))}"


def _noun(thing: Thing, rates: Mapping[str, float], rng: np.random.Generator) -> str:
    if rng.random() >= rates["category"]:
        return _pick(rng, ("object", "thing"))
    return spoken(thing.category.name, category_strings(thing.category), rng)


def _finished(caption: str, rng: np.random.Generator) -> str:
    """Optionally as a sentence: a capital letter and a full stop."""
    return caption[0].upper() + caption[1:] + "." if rng.random() < 0.3 else caption


def _photo_caption(thing: Thing, rates: Mapping[str, float], rng: np.random.Generator) -> str:
    words, noun = _mentioned(thing.words, rates, rng), _noun(thing, rates, rng)
    style = rng.random()
    if words and style < 0.25:
        return _statement(noun, words, rng)
    if words and style < 0.35:  # as in a product title
        return (
            f"{noun}, {', '.join(_said(words, rng))}"
            if rng.random() < 0.5
            else " ".join([*_said(words, rng), noun])
        )
    opener = _pick(rng, _OPENERS)
    determiner = "the" if opener.endswith("of ") and rng.random() < 0.2 else "a"
    return opener + noun_phrase(noun, words, rng, determiner=determiner)


def photo_captions(
    seed: int,
    index: int,
    thing: Thing,
    count: int = CAPTIONS_PER_IMAGE,
    rates: Mapping[str, float] = PHOTO_MENTION_RATES,
) -> list[str]:
    """Captions of a photo, drawn independently.

    Args:
        seed: Of the world.
        index: Of the photo.
        thing: What it shows.
        count: How many.
        rates: How often a true word of each kind is mentioned.
    """
    rng = random_stream(seed, "photos", index, purpose=1)
    return [_finished(_photo_caption(thing, rates, rng), rng) for _ in range(count)]


def _relations(a: SceneObject, b: SceneObject, a_is_later: bool) -> list[str]:
    """What is true of where `a` is, seen from `b`."""
    ax, ay, bx, by = ((o.box[i] + o.box[i + 2]) / 2 for o in (a, b) for i in (0, 1))
    gap_x = max(a.box[0], b.box[0]) - min(a.box[2], b.box[2])
    gap_y = max(a.box[1], b.box[1]) - min(a.box[3], b.box[3])
    found = []
    if gap_x < 0 and gap_y < 0:
        found.append("in front of" if a_is_later else "behind")
    if gap_x > 0 and abs(ax - bx) > abs(ay - by):
        found.append("to the left of" if ax < bx else "to the right of")
    if gap_y > 0 and abs(ay - by) > abs(ax - bx):
        found.append("above" if ay < by else "below")
    if max(gap_x, gap_y) < 20:
        found += ["next to", "near"]
    return found


def _group_phrase(
    group: list[SceneObject], rates: Mapping[str, float], rng: np.random.Generator
) -> str:
    """'two red apples': the words that all objects of the group share."""
    shared = {
        parent: [w for w in words if all(w in o.thing.attributes for o in group)]
        for parent, words in group[0].thing.words.items()
    }
    return noun_phrase(
        group[0].thing.category.plural,
        _mentioned(shared, rates, rng),
        rng,
        determiner=_NUMBERS[len(group)],
        verb="are",
    )


def _single_phrase(
    item: SceneObject, rates: Mapping[str, float], rng: np.random.Generator, determiner: str = "a"
) -> str:
    return noun_phrase(
        _noun(item.thing, rates, rng),
        _mentioned(item.thing.words, rates, rng),
        rng,
        determiner=determiner,
    )


def _groups(objects: Sequence[SceneObject]) -> list[list[SceneObject]]:
    """The objects of each category that occurs more than once."""
    by_name: dict[str, list[SceneObject]] = {}
    for item in objects:
        by_name.setdefault(item.thing.category.name, []).append(item)
    return [group for group in by_name.values() if len(group) > 1]


def _scene_caption(
    objects: Sequence[SceneObject], rates: Mapping[str, float], rng: np.random.Generator
) -> str:
    groups = _groups(objects)
    if groups and rng.random() < 0.5:
        group = _pick(rng, groups)
        phrase = _group_phrase(group, rates, rng)
        others = [o for o in objects if o not in group]
        if others and rng.random() < 0.6:
            phrase += f" and {_single_phrase(_pick(rng, others), rates, rng)}"
        return _pick(rng, _SCENE_OPENERS) + phrase
    order = rng.permutation(len(objects)).tolist()
    first = objects[order[0]]
    if len(order) == 1 or rng.random() < 0.2:
        return _lone_caption(first, rates, rng)
    second = objects[order[1]]
    relation = _pick(rng, [*_relations(first, second, order[0] > order[1]), "and"])
    caption = (
        f"{_pick(rng, _SCENE_OPENERS)}{_single_phrase(first, rates, rng)} {relation} "
        f"{_single_phrase(second, rates, rng)}"
    )
    if len(order) > 2 and rng.random() < 0.35:
        caption += f" and {_single_phrase(objects[order[2]], rates, rng)}"
    return caption


def _lone_caption(item: SceneObject, rates: Mapping[str, float], rng: np.random.Generator) -> str:
    words = _mentioned(item.thing.words, rates, rng)
    if words and rng.random() < 0.4:
        return _statement(_noun(item.thing, rates, rng), words, rng)
    return _pick(rng, _SCENE_OPENERS) + noun_phrase(_noun(item.thing, rates, rng), words, rng)


def scene_captions(
    seed: int,
    split: str,
    index: int,
    objects: Sequence[SceneObject],
    count: int = CAPTIONS_PER_IMAGE,
    rates: Mapping[str, float] = SCENE_MENTION_RATES,
) -> list[str]:
    """Captions of a scene, drawn independently; each mentions one to a few of its objects.

    Args:
        seed: Of the world.
        split: Of the scene.
        index: Of the scene.
        objects: At least one.
        count: How many captions.
        rates: How often a true word of each kind is mentioned.
    """
    rng = random_stream(seed, split, index, purpose=1)
    return [_finished(_scene_caption(objects, rates, rng), rng) for _ in range(count)]
