"""Words that a search phrase is read by, beside the word classes of `lexicon`."""

from __future__ import annotations

from ovarnet.captions.lexicon import COLORED, COLORS, PATTERNS, SIZES


def _set(words: str) -> frozenset[str]:
    """Words that are separated by spaces; "_" stands for a space within one."""
    return frozenset(word.replace("_", " ") for word in words.split())


MADE_OF = _set("""
    wood metal plastic leather glass stone concrete brick marble granite denim cotton silk wool
    velvet lace ceramic porcelain rubber wicker bamboo cardboard steel aluminum copper brass chrome
    gold cast_iron wrought_iron stainless_steel
""")
PRINTS = _set("polka_dot tie_dyed zebra_print leopard_print animal_print")
APPEARANCE = (*COLORS, *PATTERNS, *PRINTS, *SIZES, *MADE_OF)
"""Attributes of a phrase also where no vocabulary lists them."""

# With a colour after them they are one attribute: "sky blue".
SHADES = _set("""
    light dark bright pale deep dull vivid pastel neon soft hot electric powder baby royal midnight
    navy sky ocean sea ice steel slate forest olive lime mint emerald apple grass army hunter jet
    charcoal ash dove pearl snow ivory wine blood cherry ruby brick rose salmon rust burnt lemon
    mustard canary honey sand chocolate coffee cobalt
""")
# A colour, and a thing after an article: "a peach".
COLORED_THINGS = _set("orange lime peach olive coral rose")

# In front of an adjective they are one attribute with it, with a hyphen or without.
PREFIXES = _set("non semi multi bi tri quad half well extra super ultra anti pre over un")
NEGATIVE_PREFIXES = _set("non not never")
# One attribute with what stands before them: "long haired", "medium sized", "tri colored".
SUFFIXES = COLORED | _set("""
    haired sleeved eyed legged skinned faced nosed tailed eared bearded beaked feathered winged
    handled roofed rimmed wheeled headed necked footed collared
""")
# The same with a number before them: "two story house".
UNITS = _set("tone story storey door piece seat seater wheel way lane level tier layer")
# Nouns that make an adjective with a hyphen: "knee-length skirt".
LAST_PARTS = UNITS | _set("size color colour style length sleeve print proof free like fold")
# Adverb and adjective, or preposition and colour, that mean one thing.
FIXED_PAIRS = frozenset({("brand", "new"), ("off", "white")})

# Nouns that name no category: "the red thing".
ANYTHING = _set("thing things object objects item items one ones something anything stuff")
# "a pair of red shoes" are shoes; nothing is left out by not scoring the first noun.
GROUPS = _set("""
    pair pairs couple group groups bunch bunches set sets herd herds flock flocks pack packs swarm
    crowd crowds cluster clusters lot lots plenty number handful dozens hundreds variety kind kinds
    type types sort sorts piece pieces
""")
# Where a thing is among others or in the image, which its region does not show.
POSITIONS = _set("""
    left right middle central front rear back leftmost rightmost topmost bottommost uppermost
    frontmost rearmost nearest closest furthest farthest first second third fourth fifth sixth last
""")
# With one of those: "top-left", "far left", "left-most".
PLACES = POSITIONS | _set("top bottom upper lower far most")
# Verbs without a meaning of their own here.
AUXILIARIES = _set("""
    has have had having do does did done can ca could will wo would may might must should shall
""")
