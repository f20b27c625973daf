"""Base / novel splits by name: base words are labelled in training, novel ones only evaluated.

COCO 48/17 follows OVR-CNN (also Detic, RegionCLIP, OvarNet); 48/32 is the OVAD protocol, which
counts the 15 otherwise ignored categories as novel. VAW 541/79 is OvarNet's list, which no rule
reproduces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ovarnet.errors import InputError
from ovarnet.io.files import read_json


def _names(text: str) -> frozenset[str]:
    return frozenset(" ".join(name.split()) for name in text.split(","))


COCO_BASE = _names(
    """
    person, bicycle, car, motorcycle, train, truck, boat, bench, bird, horse, sheep, bear,
    zebra, giraffe, backpack, handbag, suitcase, frisbee, skis, kite, surfboard, bottle, fork,
    spoon, bowl, banana, apple, sandwich, orange, broccoli, carrot, pizza, donut, chair, bed,
    toilet, tv, laptop, mouse, remote, microwave, oven, toaster, refrigerator, book, clock,
    vase, toothbrush
    """
)
COCO_NOVEL_17 = _names(
    """
    airplane, bus, cat, dog, cow, elephant, umbrella, tie, snowboard, skateboard, cup, knife,
    cake, couch, keyboard, sink, scissors
    """
)
COCO_EXTRA_15 = _names(
    """
    traffic light, fire hydrant, stop sign, parking meter, sports ball, baseball bat, baseball
    glove, tennis racket, wine glass, hot dog, potted plant, dining table, cell phone, teddy
    bear, hair drier
    """
)
VAW_NOVEL_79 = _names(
    """
    active, arch shaped, baked, balancing, barred, barren, bell shaped, bent, black lettered,
    black metal, boiled, bright green, bronze, busy, carried, caucasian, chocolate, classical,
    closed, cloudless, covered in sugar, crocheted, cubed, domed, doorless, dotted, eating, flat
    screen, foamy, frizzy, furry, gold framed, half filled, hiding, holed, horned, leaping,
    littered, maroon, moss covered, multicolored, muscular, new, nylon, off white, opaque,
    orange, overgrown, partially visible, patchy, pepperoni, plastic, pulled back, reddish,
    reflective, relaxing, rust colored, scruffy, shining, shoeless, side view, silk, slender,
    smirking, spotted, spreading arms, sprinkled, stormy, stucco, taking photo, taupe, thatched,
    tucked in, vintage, violet, wearing scarf, well dressed, wispy, wrapped
    """
)

VOC_NOVEL_5 = _names("bird, car, cow, motorcycle, train")
"""Every fourth of VOC's 20 categories in alphabetical order (COCO's names), from the third on."""
APASCAL_NOVEL_16 = _names(
    """
    boxy, engine, feathered, furniture arm, furry, handlebars, horn, leather, mouth, plastic,
    round, screen, snout, text, vertical cylinder, wooden
    """
)
"""Every fourth of aPascal's 64 attributes in alphabetical order, from the third on."""


@dataclass(frozen=True)
class Split:
    """Names of the base and of the novel words; words in neither are left out.

    Attributes:
        base: names of the base words; None means every word that is not novel.
        novel: names of the novel words.

    Raises:
        InputError: a word is on both sides.
    """

    base: frozenset[str] | None
    novel: frozenset[str]

    def __post_init__(self):
        both = sorted((self.base or frozenset()) & self.novel)
        if both:
            raise InputError(
                f"split: {both[0]!r} is in both base and novel ({len(both)} such words); a word "
                "belongs to one side"
            )

    def keeps(self, name: str) -> bool:
        """Whether a word is base or novel."""
        return self.base is None or name in self.base or name in self.novel

    def is_base(self, name: str) -> bool:
        """Whether a word is a base word."""
        return name not in self.novel if self.base is None else name in self.base


COCO_SPLITS = {
    "48/17": Split(COCO_BASE, COCO_NOVEL_17),
    "48/32": Split(COCO_BASE, COCO_NOVEL_17 | COCO_EXTRA_15),
}
VAW_SPLITS = {"541/79": Split(None, VAW_NOVEL_79)}
PHOTO_SPLIT = {"category": Split(None, VOC_NOVEL_5), "attribute": Split(None, APASCAL_NOVEL_16)}
"""Of `ovarnet.photos.protocol`: VOC 15/5 and aPascal 48/16; other attributes are base words."""

# The groups of the published split files, by name: a split is never guessed from the order of a
# file.
BASE_GROUPS = ("base", "common", "common1")
NOVEL_GROUPS = ("novel", "rare", "common2")


def read_split_file(path: str | Path) -> tuple[dict[str, int], Split]:
    """Read a split file, in the form of those of LSA, VAW and COCO.

    Args:
        path: JSON, ``{group: {name: id}, "<group>_len": n}`` with one base group (`BASE_GROUPS`)
            and at most one novel group (`NOVEL_GROUPS`).

    Returns:
        {name: id} in order of the ids, and the split.

    Raises:
        InputError: other groups, or ids that are not whole numbers or not unique.
    """
    groups = {key: value for key, value in read_json(path, dict).items() if isinstance(value, dict)}
    base, novel = (
        [group for group in groups if group in known] for known in (BASE_GROUPS, NOVEL_GROUPS)
    )
    if len(base) + len(novel) != len(groups) or len(base) != 1 or len(novel) > 1:
        raise InputError(
            f"{path}: its groups are {sorted(groups)}; a split file has one of {list(BASE_GROUPS)} "
            f"and at most one of {list(NOVEL_GROUPS)}"
        )
    split = Split(frozenset(groups[base[0]]), frozenset(groups[novel[0]]) if novel else frozenset())
    ids = {name: number for group in groups.values() for name, number in group.items()}
    are_whole = all(type(number) is int for number in ids.values())
    if not are_whole or len(set(ids.values())) != len(ids):
        raise InputError(f"{path}: ids must be whole numbers, each used once over both groups")
    return dict(sorted(ids.items(), key=lambda item: item[1])), split


def find_split(split: str | Path | Split, named: Mapping[str, Split]) -> Split:
    """Find a split.

    Args:
        split: the split itself, its name, or the path of a split file (.json).
        named: the splits that have a name.

    Raises:
        InputError: no such split, or not a split file.
    """
    if isinstance(split, Split):
        return split
    if str(split) in named:
        return named[str(split)]
    if Path(split).suffix == ".json":
        return read_split_file(split)[1]
    raise InputError(
        f"split {str(split)!r} is unknown; give one of {sorted(named)} or the path of a .json "
        "split file"
    )
