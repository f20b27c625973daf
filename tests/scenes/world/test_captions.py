import re

import numpy as np
import pytest

from ovarnet.scenes.world.captions import (
    PHOTO_MENTION_RATES,
    SCENE_MENTION_RATES,
    photo_captions,
    scene_captions,
)
from ovarnet.scenes.world.render import SceneObject, render_scene
from ovarnet.scenes.world.things import Thing, draw_thing
from ovarnet.scenes.world.words import (
    ATTRIBUTE_NAMES,
    CATEGORIES,
    attribute_strings,
    category_strings,
)

SURE = dict.fromkeys(PHOTO_MENTION_RATES, 1.0)


def category(name):
    return next(c for c in CATEGORIES if c.name == name)


def said(caption: str, strings) -> bool:
    return any(re.search(rf"\b{re.escape(s)}\b", caption, re.IGNORECASE) for s in strings)


def words_in(caption: str) -> tuple[set[str], set[str]]:
    """Category names and attribute words a caption speaks of."""
    return (
        {c.name for c in CATEGORIES if said(caption, (*category_strings(c), c.plural))},
        {word for word in ATTRIBUTE_NAMES if said(caption, attribute_strings(word))},
    )


def things(count: int) -> list[Thing]:
    return [draw_thing(np.random.default_rng([5, i]), "photos") for i in range(count)]


def test_photo_captions_only_say_what_is_true():
    for index, thing in enumerate(things(300)):
        for caption in photo_captions(0, index, thing):
            names, words = words_in(caption)
            assert names <= {thing.category.name}, caption
            assert words <= thing.attributes, caption


@pytest.mark.slow
def test_scene_captions_only_say_what_is_true_and_count_right():
    counted = 0
    numbers = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
    for index in range(150):
        objects = render_scene(0, "captions", index).objects
        for caption in scene_captions(0, "captions", index, objects):
            names, words = words_in(caption)
            assert names <= {o.thing.category.name for o in objects}, caption
            assert words <= set().union(*(o.thing.attributes for o in objects)), caption
            number = next((n for word, n in numbers.items() if said(caption, (word,))), None)
            if number:
                counted += 1
                assert number in [
                    sum(o.thing.category.name == name for o in objects) for name in names
                ], caption
    assert counted > 10


def test_every_word_and_synonym_occurs_in_photo_captions():
    text = "\n".join(
        caption
        for index, thing in enumerate(things(1500))
        for caption in photo_captions(0, index, thing)
    ).lower()
    for strings in (
        *map(category_strings, CATEGORIES),
        *map(attribute_strings, ATTRIBUTE_NAMES),
        ("object",),
        ("thing",),
    ):
        for string in strings:
            assert said(text, (string,)), string


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("color", "red"),
        ("pattern", "striped"),
        ("finish", "fuzzy"),
        ("size", "small"),
        ("pose", "tilted"),
        ("border", "outlined"),
        ("condition", "snow covered"),
    ],
)
def test_mention_rates_are_kept(kind, word):
    thing = Thing(
        category("mug"),
        "red",
        "striped",
        "fuzzy",
        "small",
        "tilted",
        frozenset({"outlined", "snow covered"}),
        30.0,
        40.0,
    )
    captions = [c for index in range(200) for c in photo_captions(2, index, thing)]
    assert np.mean([said(c, (word,)) for c in captions]) == pytest.approx(
        PHOTO_MENTION_RATES[kind], abs=0.06
    )
    assert np.mean([said(c, ("mug", "cup")) for c in captions]) == pytest.approx(
        PHOTO_MENTION_RATES["category"], abs=0.04
    )


def test_rates_are_a_parameter():
    thing = Thing(
        category("mug"), "red", "striped", "fuzzy", "small", "tilted", frozenset(), 30.0, 40.0
    )
    for caption in photo_captions(0, 0, thing, count=20, rates=SURE):
        assert words_in(caption) == ({"mug"}, {"red", "striped", "fuzzy", "small", "tilted"}), (
            caption
        )
    for caption in photo_captions(
        0, 0, thing, count=20, rates=dict.fromkeys(PHOTO_MENTION_RATES, 0.0)
    ):
        assert words_in(caption) == (set(), set()), caption
        assert said(caption, ("object", "thing")), caption


def test_captions_vary_and_are_deterministic():
    thing = things(1)[0]
    assert photo_captions(0, 9, thing) == photo_captions(0, 9, thing)
    assert photo_captions(0, 9, thing) != photo_captions(0, 10, thing)
    forms = [photo_captions(0, index, thing, rates=SURE)[0].lower() for index in range(200)]
    assert any(" that is " in f for f in forms)
    assert any(" which is " in f for f in forms)
    assert any(f.startswith("the ") for f in forms)
    assert any(f.startswith("a photo of ") for f in forms)
    assert len(set(forms)) > 150


def test_articles_fit_the_next_word():
    for index, thing in enumerate(things(300)):
        for caption in photo_captions(0, index, thing):
            for article, letter in re.findall(r"\b(an?) (\w)", caption.lower()):
                assert article == ("an" if letter in "aeiou" else "a"), caption


def scene_of(*names_and_boxes) -> list[SceneObject]:
    def thing(name, color):
        return Thing(
            category(name), color, "plain", "matte", "medium", "upright", frozenset(), 50.0, 0.0
        )

    return [SceneObject(thing(name, color), box, 1.0) for name, color, box in names_and_boxes]


def test_relations_are_true():
    objects = scene_of(("mug", "red", (0, 0, 40, 40)), ("car", "blue", (100, 5, 150, 45)))
    text = [c.lower() for i in range(300) for c in scene_captions(0, "captions", i, objects)]
    for caption in text:
        mug, car = (re.search(p, caption) for p in (r"\b(mug|cup)\b", r"\b(car|automobile)\b"))
        if mug and car and " of " in caption.replace("photo of", "").replace("picture of", ""):
            assert ("left" if mug.start() < car.start() else "right") in caption, caption
        assert not said(caption, ("above", "below", "in front of", "behind", "next to", "near")), (
            caption
        )
    assert any("to the left of" in c for c in text)
    assert any("to the right of" in c for c in text)


def test_overlap_is_told_from_the_front_and_from_behind():
    objects = scene_of(("mug", "red", (0, 0, 60, 60)), ("car", "blue", (30, 30, 90, 90)))
    rates = {**SCENE_MENTION_RATES, "category": 1.0}
    text = [
        c.lower()
        for i in range(300)
        for c in scene_captions(0, "captions", i, objects, rates=rates)
    ]
    relations = {c for c in text if said(c, ("in front of", "behind"))}
    assert relations
    for caption in relations:
        mug_first = (
            re.search(r"mug|cup", caption).start() < re.search(r"car\b|automobile", caption).start()
        )
        assert ("behind" if mug_first else "in front of") in caption, caption


def test_plurals_speak_of_what_the_group_shares():
    objects = scene_of(("apple", "red", (0, 0, 40, 40)), ("apple", "red", (60, 0, 100, 40)))
    text = {
        c.lower() for i in range(100) for c in scene_captions(0, "captions", i, objects, rates=SURE)
    }
    assert any("apples" in c and "two" in c and "red" in c for c in text)
    mixed = scene_of(("apple", "red", (0, 0, 40, 40)), ("apple", "blue", (60, 0, 100, 40)))
    plural = [
        c
        for i in range(100)
        for c in scene_captions(0, "captions", i, mixed, rates=SURE)
        if "apples" in c
    ]
    assert plural
    assert not any(said(c, ("red", "blue")) for c in plural)
