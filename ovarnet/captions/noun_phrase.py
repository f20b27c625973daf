"""One noun phrase out of a row of word kinds.

"a small black and white dog", "wood and metal bench", or only "black and white".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from ovarnet.captions.inflection import is_plural
from ovarnet.captions.lexicon import (
    CLOTHING_AND_PEOPLE,
    COMPOUND_ENDS,
    POINTING_BACK,
    SINGULAR_DETERMINERS,
    TRANSITIVE,
)

# Letters are those of `lexicon.Kind`.
STARTS = frozenset("D#AMKEngvsRX")
MODIFIERS = frozenset("AMKE")
BEFORE_A_NOUN = frozenset("AMKEngvs-")
AFTER_AN_ADVERB = frozenset("AMKEgRX")
AFTER_A_VERB = frozenset("DPRO#STnC.")
NOUN_FOLLOWS = frozenset("PZgEV")
IN_COMPOUNDS = frozenset("gEAn")


@dataclass
class NounPhrase:
    """Units start..end-1.

    Attributes:
        start: The first unit, which may be an article.
        first: The unit after article and numbers.
        end: The unit after the phrase.
        head: The unit of the noun; None for a row of adjectives.
        modifiers: The units before the head, without articles.
        determiner: The last article or number word; "" without one.
        denied: The modifiers after a "not".
        before: The kinds since the previous phrase.
        absent: Whether the thing is said not to be there.
        stands_for: The nouns of other phrases that a row of adjectives belongs to.
    """

    start: int
    first: int
    end: int
    head: int | None
    modifiers: list[int]
    determiner: str
    denied: set[int]
    before: str = ""
    absent: bool = False
    stands_for: list[int] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether no phrase starts here, but a verb, for example, or an article without a noun."""
        return self.head is None and not self.modifiers and not self.points_back

    @property
    def points_back(self) -> bool:
        """Whether there is no noun, but a word such as "one" or "the other"."""
        return self.head is None and self.determiner in POINTING_BACK

    @property
    def nouns(self) -> list[int]:
        """The units of the nouns that the modifiers belong to."""
        return self.stands_for if self.head is None else [self.head]


class _Context(NamedTuple):
    """What is known of a phrase before its modifiers are read.

    Attributes:
        determiner: As of `NounPhrase`.
        several: Whether the determiner speaks of several things.
        before: The kinds since the previous phrase.
        verbs: As of `NounPhraseReader.read`.
        opens_caption: Whether the phrase is the first and has no article.
    """

    determiner: str
    several: bool
    before: str
    verbs: str
    opens_caption: bool


@dataclass
class _Body:
    """What has been read of the modifiers and the noun of a phrase.

    Attributes:
        taken: The units.
        noun: The last of them if it can be the noun, else None.
        denied: Those after a "not".
        denying: Whether a "not" holds for what comes next.
    """

    taken: list[int] = field(default_factory=list)
    noun: int | None = None
    denied: set[int] = field(default_factory=set)
    denying: bool = False

    def take(self, unit: int, is_noun: bool = False) -> int:
        self.taken.append(unit)
        self.noun = unit if is_noun else None
        return 1


class NounPhraseReader:
    """Reads the phrase at a unit of a caption.

    Args:
        kinds: One letter per unit.
        words: The last word of each unit, lower case.
    """

    def __init__(self, kinds: str, words: list[str]):
        self.kinds, self.words = kinds, words

    def read(self, start: int, before: str, verbs: str = "") -> NounPhrase:
        """The phrase that starts at a unit; it is empty, up to its end, where none does.

        Args:
            start: The unit.
            before: The kinds since the previous phrase.
            verbs: Kinds that must be verbs here, since a noun would need an article: "s" for
                "stops", "v" for "stop", "n" for words of no list in -s.
        """
        first, determiner, several = self._determiner(start)
        context = _Context(determiner, several, before, verbs if first == start else "", first == 0)
        end, body = first, _Body()
        while end < len(self.kinds) and (step := self._step(end, body, context)):
            end += step

        noun = body.noun
        if noun is None and body.taken:
            if determiner not in POINTING_BACK and self._word(end) in ("one", "ones"):
                end, determiner = end + 1, "one"  # "a golden one"
            if self._is_thing(body.taken, first, determiner):
                noun = body.taken[-1]
        modifiers = [unit for unit in body.taken if unit != noun]
        return NounPhrase(start, first, end, noun, modifiers, determiner, body.denied)

    def _kind(self, i: int) -> str:
        return self.kinds[i : i + 1]

    def _word(self, i: int) -> str:
        return self.words[i] if i < len(self.words) else ""

    def _determiner(self, i: int) -> tuple[int, str, bool]:
        """The unit after articles and numbers, the word of them that counts, whether it is many."""
        determiner, several = "", False
        while i < len(self.kinds) and self.kinds[i] in "D#" and not self._opens_compound(i):
            if determiner not in POINTING_BACK or self.words[i] in POINTING_BACK:
                determiner = self.words[i]
            several = self.kinds[i] == "#" and self.words[i] not in ("one", "other")
            i += 1
        return i, determiner, several

    def _step(self, i: int, body: _Body, context: _Context) -> int:
        """Add what stands at i to the phrase: the number of units taken, 0 where it ends."""
        kind = self.kinds[i]
        if kind in "R#" and body.noun is None and self._opens_compound(i):
            return body.take(i)
        if kind in "XR":
            if body.noun is not None or self._kind(i + 1) not in AFTER_AN_ADVERB:
                return 0
            if kind == "X" and self._follows_thing(i, body, context):
                return 0
            body.denying |= kind == "X"
            return 1
        if kind in MODIFIERS:
            return self._add_adjective(i, body, context)
        if kind in "nsv":
            return body.take(i, is_noun=True) if self._is_noun(i, body, context) else 0
        if kind == "g":
            return body.take(i) if self._is_modifying_participle(i, body, context) else 0
        if kind in "C,":
            return self._add_joint(i, body, context)
        if kind == "-" and body.taken and self._kind(i + 1) not in ("", ".", ","):
            return 1 + (self.kinds[i + 1] in "DPCT#VBWORS")  # tug-of-war: the small word goes in
        return 0

    def _add_adjective(self, i: int, body: _Body, context: _Context) -> int:
        if body.noun is not None and (
            self.kinds[i] == "E" or not self._noun_before_adjective(body.noun, i, context)
        ):
            return 0
        if self.words[i] == "full" and self._follows_thing(i, body, context):
            return 0
        if body.denying:
            body.denied.add(i)
        return body.take(i)

    def _follows_thing(self, i: int, body: _Body, context: _Context) -> bool:
        """Whether the word before i must be the noun: "a glass not full", "a glass full of"."""
        return (
            bool(body.taken and context.determiner)
            and self.kinds[i - 1] in "MK"
            and not self._skip(i + 1, "RXAMKEgC,", "nsv")
        )

    def _add_joint(self, i: int, body: _Body, context: _Context) -> int:
        """Take the "and" or the comma between adjectives."""
        if body.noun is not None or not body.taken:
            return 0
        step = self._joins(i, context.determiner)
        if step:
            body.denying &= self.words[i + step - 1] != "but"  # "not red but blue"
        elif self.kinds[i] == "," and body.denied and self._kind(i + 1) == "n":
            body.denying, step = False, 1  # "a ripe, not green, banana"
        return step

    def _is_thing(self, taken: list[int], first: int, determiner: str) -> bool:
        """Whether a last word that may be noun or adjective is the noun.

        "the brick", "small glass"; not "wood and metal", "in orange".
        """
        kind, listed = self.kinds[taken[-1]], "C" in self.kinds[first : taken[-1]]
        if kind == "K":
            return bool(determiner)
        return kind == "M" and not listed and bool(determiner or len(taken) > 1)

    def _noun_before_adjective(self, noun: int, i: int, context: _Context) -> bool:
        """Whether the phrase goes on after noun and adjective.

        "a chocolate brown dog", "brand-new bike"; not "a blue shirt white shorts".
        """
        if self.kinds[i - 1] == "-":
            return self._skip(i, "AMK-", "nsv")
        if (
            not context.determiner
            or self.kinds[noun] != "n"
            or self.words[noun] in CLOTHING_AND_PEOPLE
            or is_plural(self.words[noun])
        ):
            return False
        return self._skip(i, "AMK", "n")

    def _skip(self, i: int, skipped: str, wanted: str) -> bool:
        """Whether a unit of the kind wanted comes after those that are skipped, from unit i on."""
        while i < len(self.kinds) and self.kinds[i] in skipped:
            i += 1
        return i < len(self.kinds) and self.kinds[i] in wanted

    def _opens_compound(self, i: int) -> bool:
        """Whether an adverb or number at i begins an adjective: "well-dressed", "three-legged"."""
        return (
            self.kinds[i] in "R#" and self._kind(i + 1) == "-" and self._kind(i + 2) in IN_COMPOUNDS
        )

    def _is_modifying_participle(self, i: int, body: _Body, context: _Context) -> bool:
        """Whether the participle at i is a modifier.

        "a smiling man", "a graffiti covered wall", "horse-drawn carriage"; not "a black and white
        jumping over".
        """
        may_follow = body.taken or context.determiner or self._opens(i, context)
        if body.noun is None and self._kind(i + 1) in BEFORE_A_NOUN and may_follow:
            return True
        if not body.taken:
            return False
        if self.kinds[i - 1] == "-":
            return self._skip(i + 1, "AMKEg", "nsv")
        return self.words[i] in COMPOUND_ENDS and self._kind(i + 1) in ("n", "M")

    def _opens(self, i: int, context: _Context) -> bool:
        """Whether a participle without article can open a phrase.

        "Smiling man", "Freshly baked bread", "of smiling men"; not "a man wearing blue jeans".
        """
        return self.words[i] not in TRANSITIVE and (
            context.opens_caption or context.before[-1:] in ("P", "Z")
        )

    def _joins(self, i: int, determiner: str) -> int:
        """How many units the comma or "and" at i takes if another adjective follows; else 0."""
        step = 2 if self.kinds[i : i + 2] == ",C" else 1
        follows = i + step
        while self._kind(follows) in ("R", "X"):
            follows += 1
        if self._kind(follows) == "g":
            is_listed = determiner and self.kinds[i] == ","
            return step if is_listed and self._kind(i + step + 1) in ("n", "A", "M") else 0
        return step if self._kind(follows) in MODIFIERS else 0

    def _is_noun(self, i: int, body: _Body, context: _Context) -> bool:
        """Whether a word that may be a verb is a noun of this phrase."""
        kind = self.kinds[i]
        if kind == "n":
            return not self._is_unlisted_verb(i, body.noun, context)
        if kind in context.verbs:
            return False
        if kind == "s":
            return self._is_plural_noun(i, body, context)
        return self._is_base_noun(i, body, context)

    def _is_unlisted_verb(self, i: int, noun: int | None, context: _Context) -> bool:
        """Whether a word taken for a noun must be a verb.

        "a green jacket presses the button", "a car that is red blocks the road".
        """
        if "n" in context.verbs and i and is_plural(self.words[i]):
            return self.kinds[i - 1] != "-"
        return (
            noun is not None
            and context.determiner in SINGULAR_DETERMINERS
            and self.kinds[i - 1] != "-"
            and is_plural(self.words[i])
            and not is_plural(self.words[noun])
            and self._kind(i + 1) in ("D", "P", "R", "O", "#")
        )

    def _is_plural_noun(self, i: int, body: _Body, context: _Context) -> bool:
        """Whether a word like "slides" is a noun.

        "two water slides", "on slides"; not "a dog slides", "a boy in red slides down".
        """
        if body.noun is not None:
            return self.kinds[i - 1] == "-" or (
                context.several and not is_plural(self.words[body.noun])
            )
        if not body.taken and not context.determiner:
            return i == 0 or context.before[-1:] in NOUN_FOLLOWS
        if context.determiner in SINGULAR_DETERMINERS:
            return False
        worn = (
            not context.determiner
            and context.before[-1:] in tuple("PgEsV")
            and all(self.kinds[unit] in "AK" for unit in body.taken)
        )
        return not (worn and self._kind(i + 1) in ("", *AFTER_A_VERB))

    def _is_base_noun(self, i: int, body: _Body, context: _Context) -> bool:
        """Whether a word like "slide" is a noun.

        "a slide", "the water slide"; not "two dogs slide", "a boy and a girl slide".
        """
        if body.noun is not None:
            after = self._kind(i + 1)
            is_verb = (
                after in ("D", "#", "O")
                or (context.before[-1:] == "C" and after in ("", *AFTER_A_VERB))
                or is_plural(self.words[body.noun])
            )
            return self.kinds[i - 1] == "-" or not is_verb
        return (
            bool(body.taken or context.determiner or i == 0) or context.before[-1:] in NOUN_FOLLOWS
        )
