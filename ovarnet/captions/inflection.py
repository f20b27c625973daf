"""Singular, plural and the two English spellings of single words.

By rule and by short lists of exceptions.
"""

from __future__ import annotations

import re
from functools import lru_cache

IRREGULAR_PLURALS = {
    "man": "men",
    "woman": "women",
    "child": "children",
    "person": "people",
    "foot": "feet",
    "tooth": "teeth",
    "goose": "geese",
    "mouse": "mice",
    "ox": "oxen",
    "die": "dice",
    "grandchild": "grandchildren",
    "quiz": "quizzes",
    "bus": "buses",
    "gas": "gases",
    "knife": "knives",
    "wife": "wives",
    "life": "lives",
    "leaf": "leaves",
    "loaf": "loaves",
    "shelf": "shelves",
    "half": "halves",
    "calf": "calves",
    "wolf": "wolves",
    "thief": "thieves",
    "scarf": "scarves",
    "hoof": "hooves",
    "elf": "elves",
    "self": "selves",
    "cookie": "cookies",
    "movie": "movies",
    "brownie": "brownies",
    "zombie": "zombies",
    "selfie": "selfies",
    "birdie": "birdies",
    "potato": "potatoes",
    "tomato": "tomatoes",
    "hero": "heroes",
    "mango": "mangoes",
    "volcano": "volcanoes",
    "tornado": "tornadoes",
    "tie": "ties",
    "pie": "pies",
    "necktie": "neckties",
    "hoodie": "hoodies",
    "collie": "collies",
    "floatie": "floaties",
    "doggie": "doggies",
    "sortie": "sorties",
    "ski": "skis",
    "taxi": "taxis",
    "bikini": "bikinis",
    "pinata": "pinatas",
}
_WITHOUT_SINGULAR = """
    sheep deer fish shrimp aircraft spacecraft moose bison offspring series species jeans pants
    shorts trousers sunglasses goggles glasses eyeglasses clothes scissors tights overalls pajamas
    pyjamas binoculars tongs pliers leggings khakis briefs trunks panties headphones earphones news
    tennis grass glass dress bus gas cactus circus octopus bass moss cross class pass lens canvas
    christmas texas iris chess mattress campus lacrosse gymnastics athletics series broccoli luggage
    graffiti spaghetti gladiolus virus tortoise boss mass harness wilderness business fitness
    princess waitress actress hostess stewardess
"""
UNCHANGED = frozenset(_WITHOUT_SINGULAR.split())
BRITISH = {
    "gray": "grey",
    "color": "colour",
    "colors": "colours",
    "colored": "coloured",
    "colorful": "colourful",
    "colorless": "colourless",
    "multicolor": "multicolour",
    "multicolored": "multicoloured",
    "aluminum": "aluminium",
    "woolen": "woollen",
    "checkered": "chequered",
    "donut": "doughnut",
    "tire": "tyre",
    "tires": "tyres",
    "airplane": "aeroplane",
    "center": "centre",
    "pajamas": "pyjamas",
    "fiber": "fibre",
    "mold": "mould",
    "moldy": "mouldy",
    "mustache": "moustache",
    "drier": "dryer",
    "theater": "theatre",
    "curb": "kerb",
    "plow": "plough",
    "jewelry": "jewellery",
    "favorite": "favourite",
    "blond": "blonde",
    "grayish": "greyish",
    "traveler": "traveller",
    "harbor": "harbour",
    "armor": "armour",
    "armored": "armoured",
}
AMERICAN = {british: american for american, british in BRITISH.items()}
_WORD = re.compile(r"[^\s-]+")
_SINGULAR = {plural: singular for singular, plural in IRREGULAR_PLURALS.items()}


def plural(word: str) -> str:
    """Mug -> mugs, knife -> knives, box -> boxes, baby -> babies, sheep -> sheep."""
    if word in IRREGULAR_PLURALS:
        return IRREGULAR_PLURALS[word]
    if word in UNCHANGED and not word.endswith("ss"):
        return word
    if word.endswith("man"):
        return word[:-3] + "men"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "x", "z", "ch", "sh")) else "s")


@lru_cache(maxsize=100_000)
def singular(word: str) -> str:
    """Mugs -> mug, knives -> knife; a word that is no plural (glass, jeans, dog) stays as it is."""
    if word in _SINGULAR:
        return _SINGULAR[word]
    if word.endswith("men") and len(word) > 4:
        return word[:-3] + "man"
    if (
        word in UNCHANGED
        or not word.endswith("s")
        or len(word) < 4
        or word.endswith(("ss", "us", "is"))
    ):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes", "zzes")):
        return word[:-2]
    return word[:-1]


def is_plural(word: str) -> bool:
    """Whether a word has a singular of another form."""
    return singular(word) != word


def spellings(term: str) -> set[str]:
    """The term as written, with all its words in American, and in British spelling."""
    return {term, *(_respelled(term, other) for other in (BRITISH, AMERICAN))}


def _respelled(term: str, spelling: dict[str, str]) -> str:
    return _WORD.sub(lambda match: spelling.get(match[0], match[0]), term)


def surface_forms(term: str, with_plural: bool) -> set[str]:
    """All ways to write a term in lower case: with a hyphen or a space, in both spellings.

    Args:
        term: One word or several.
        with_plural: The plural of its last word too.
    """
    term = " ".join(term.replace("_", " ").lower().split())
    bases = {term, term.replace("-", " "), term.replace(" ", "-")}
    if with_plural:
        bases |= {
            base[:cut] + plural(base[cut:])
            for base in bases
            for cut in [max(base.rfind(" "), base.rfind("-")) + 1]
            if base[cut:]
        }
    return {form for base in bases for form in spellings(base)}
