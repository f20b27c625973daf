"""The words of the generated world: 40 categories, 31 attributes, their base / novel split.

The silhouettes are glyphs of Font Awesome 6 Free Solid by Fonticons, Inc.
(https://fontawesome.com), read from the pip package `fontawesomefree`: fonts under the SIL OFL 1.1,
icons under CC BY 4.0. The glyphs are turned, coloured and textured.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ovarnet.vocabulary import Vocabulary, Word


@dataclass(frozen=True)
class Category:
    """One kind of object.

    Attributes:
        name: The word.
        parent: Its parent type.
        glyph: Code point of its silhouette.
        plural: Of the name.
        has_pose: Whether "upright" is defined for it.
        seen: Whether it is a base category.
        synonyms: Other words for it in captions.
    """

    name: str
    parent: str
    glyph: int
    plural: str
    has_pose: bool = True
    seen: bool = True
    synonyms: tuple[str, ...] = ()


CATEGORIES: tuple[Category, ...] = (
    Category("car", "vehicle", 0xF5E4, "cars", synonyms=("automobile",)),
    Category("truck", "vehicle", 0xF0D1, "trucks"),
    Category("bus", "vehicle", 0xF207, "buses", seen=False),
    Category(
        "plane", "vehicle", 0xF072, "planes", has_pose=False, seen=False, synonyms=("airplane",)
    ),
    Category("boat", "vehicle", 0xE445, "boats", synonyms=("sailboat",)),
    Category("rocket", "vehicle", 0xF135, "rockets", has_pose=False),
    Category("dog", "animal", 0xF6D3, "dogs", synonyms=("puppy",)),
    Category("cat", "animal", 0xF6BE, "cats"),
    Category("horse", "animal", 0xF6F0, "horses", seen=False),
    Category("frog", "animal", 0xF52E, "frogs"),
    Category("fish", "animal", 0xF578, "fish", has_pose=False, seen=False),
    Category("bird", "animal", 0xF4BA, "birds", synonyms=("dove",)),
    Category("apple", "food", 0xF5D1, "apples"),
    Category("carrot", "food", 0xF787, "carrots", has_pose=False),
    Category("lemon", "food", 0xF094, "lemons", has_pose=False, seen=False),
    Category("pizza", "food", 0xF818, "pizzas", has_pose=False),
    Category("burger", "food", 0xF805, "burgers", synonyms=("hamburger",)),
    Category("chair", "household", 0xF6C0, "chairs"),
    Category("couch", "household", 0xF4B8, "couches", seen=False, synonyms=("sofa",)),
    Category("mug", "household", 0xF0F4, "mugs", synonyms=("cup",)),
    Category("bulb", "household", 0xF0EB, "bulbs", synonyms=("lightbulb",)),
    Category("umbrella", "household", 0xF0E9, "umbrellas"),
    Category("key", "tool", 0xF084, "keys", has_pose=False, seen=False),
    Category("hammer", "tool", 0xF6E3, "hammers", has_pose=False),
    Category("magnet", "tool", 0xF076, "magnets", has_pose=False),
    Category("camera", "tool", 0xF030, "cameras"),
    Category("lock", "tool", 0xF023, "locks", synonyms=("padlock",)),
    Category("shirt", "clothing", 0xF553, "shirts"),
    Category("hat", "clothing", 0xF8C0, "hats", seen=False),
    Category("crown", "clothing", 0xF521, "crowns"),
    Category("mitten", "clothing", 0xF7B5, "mittens", synonyms=("glove",)),
    Category("star", "nature", 0xF005, "stars", has_pose=False, seen=False),
    Category("moon", "nature", 0xF186, "moons", has_pose=False),
    Category("tree", "nature", 0xF1BB, "trees"),
    Category("leaf", "nature", 0xF06C, "leaves", has_pose=False),
    Category("guitar", "toy", 0xF7A6, "guitars", has_pose=False, seen=False),
    Category("ghost", "toy", 0xF6E2, "ghosts"),
    Category("heart", "toy", 0xF004, "hearts"),
    Category("trophy", "toy", 0xF091, "trophies"),
    Category("snowman", "toy", 0xF7D0, "snowmen"),
)

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "color": (
        "red",
        "orange",
        "yellow",
        "green",
        "blue",
        "purple",
        "pink",
        "brown",
        "gray",
        "black",
        "white",
    ),
    "pattern": ("plain", "striped", "dotted", "checkered", "zigzag"),
    "finish": ("matte", "shiny", "transparent", "fuzzy", "glowing"),
    "size": ("small", "large"),
    "pose": ("upright", "tilted", "upside-down"),
    "border": ("outlined",),
    "condition": ("cracked", "dirty", "holed", "snow covered"),
}
"""Parent type -> words. Of colour, pattern, finish and (where defined) pose every object has
exactly one; of size at most one (medium objects have neither); border and condition words are free
and may co-occur."""

EXCLUSIVE_TYPES = ("color", "pattern", "finish")

NOVEL_ATTRIBUTES = frozenset(
    {"orange", "purple", "gray", "checkered", "glowing", "large", "upside-down", "holed"}
)

ATTRIBUTE_SYNONYMS: dict[str, tuple[str, ...]] = {"shiny": ("glossy",), "large": ("big",)}

ATTRIBUTE_NAMES: tuple[str, ...] = tuple(word for words in ATTRIBUTES.values() for word in words)

PARENT_OF: dict[str, str] = {word: parent for parent, words in ATTRIBUTES.items() for word in words}


def category_strings(category: Category) -> tuple[str, ...]:
    """The name and its synonyms, name first."""
    return (category.name, *category.synonyms)


def attribute_strings(word: str) -> tuple[str, ...]:
    """The attribute word and its synonyms, word first."""
    return (word, *ATTRIBUTE_SYNONYMS.get(word, ()))


def applies(word: str, category: Category) -> bool:
    """Whether the question "is it `word`?" has an answer for objects of `category`."""
    return category.has_pose or PARENT_OF[word] != "pose"


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """The world's words as an `ovarnet.vocabulary.Vocabulary` (base = seen)."""

    def strings(all_of_them: tuple[str, ...]) -> tuple[str, ...]:
        return all_of_them if len(all_of_them) > 1 else ()

    return Vocabulary(
        categories=tuple(
            Word(c.name, parent=c.parent, seen=c.seen, synonyms=strings(category_strings(c)))
            for c in CATEGORIES
        ),
        attributes=tuple(
            Word(
                name,
                parent=PARENT_OF[name],
                seen=name not in NOVEL_ATTRIBUTES,
                synonyms=strings(attribute_strings(name)),
            )
            for name in ATTRIBUTE_NAMES
        ),
    )
