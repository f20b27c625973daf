"""One noun phrase out of a row of word kinds: "a small black and white dog", "wood and metal
bench", or only "black and white".
"""

from __future__ import annotations

from dataclasses import dataclass, field

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
AFTER_A_VERB = frozenset("DPRO#STnC.")
NOUN_FOLLOWS = frozenset("PZgEV")


@dataclass
class NounPhrase:
    """Units start..end-1. first: the unit after article and numbers. head: the unit of the noun,
    None for a row of adjectives. modifiers: the units before the head, articles left out.
    determiner: the last article or number word, "" without one. denied: the modifiers after a
    "not". before: the kinds since the previous phrase. absent: said not to be there. stands_for:
    the nouns of other phrases that a row of adjectives belongs to.
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
    def points_back(self) -> bool:
        """No noun, and a word such as "one" or "the other"."""
        return self.head is None and self.determiner in POINTING_BACK

    @property
    def nouns(self) -> list[int]:
        return self.stands_for if self.head is None else [self.head]


class NounPhraseReader:
    """Reads the phrase at a unit of a caption. kinds: a letter per unit; words: the last word of
    each unit.
    """

    def __init__(self, kinds: str, words: list[str]):
        self.kinds, self.words = kinds, words

    def read(self, start: int, before: str) -> NounPhrase | None:
        """before: the kinds since the previous phrase. None: no phrase starts here (but a verb, for
        example).
        """
        first, determiner, several = self._determiner(start)
        end, taken, noun, denied = self._body(first, determiner, several, before)
        if (
            noun is None
            and taken
            and determiner not in POINTING_BACK
            and self.words[end : end + 1] in (["one"], ["ones"])
        ):
            end, determiner = end + 1, "one"  # "a golden one"
        if not taken and determiner not in POINTING_BACK:
            return None
        if noun is None and taken and self._is_thing(taken, first, determiner):
            noun = taken[-1]
        return NounPhrase(
            start, first, end, noun, [unit for unit in taken if unit != noun], determiner, denied
        )

    def _determiner(self, i: int) -> tuple[int, str, bool]:
        """Unit after articles and numbers; the word among them that counts; whether they speak of
        several things.
        """
        determiner, several = "", False
        while i < len(self.kinds) and self.kinds[i] in "D#":
            if determiner not in POINTING_BACK or self.words[i] in POINTING_BACK:
                determiner = self.words[i]
            several = self.kinds[i] == "#" and self.words[i] not in ("one", "other")
            i += 1
        return i, determiner, several

    def _body(
        self, i: int, determiner: str, several: bool, before: str
    ) -> tuple[int, list[int], int | None, set[int]]:
        """Unit after the phrase, units taken, the noun among them, the units after a "not"."""
        kinds, size = self.kinds, len(self.kinds)
        taken, noun, denied, denying = [], None, set(), False
        while i < size:
            kind = kinds[i]
            if kind in "XR":
                if noun is not None or kinds[i + 1 : i + 2] not in tuple("AMKEgRX"):
                    break
                denying |= kind == "X"
            elif kind in MODIFIERS and (kind != "E" or noun is None):
                if noun is not None and not self._noun_before_adjective(noun, i, determiner):
                    break
                noun = None
                taken.append(i)
                if denying:
                    denied.add(i)
            elif (
                (kind == "n" and not self._is_unlisted_verb(i, noun, determiner))
                or (
                    kind == "s"
                    and self._is_plural_noun(i, noun, taken, determiner, several, before)
                )
                or (kind == "v" and self._is_base_noun(i, noun, taken, determiner, before))
            ):
                taken.append(i)
                noun = i
            elif (
                kind == "g"
                and noun is None
                and self._before_noun(i)
                and (taken or determiner or self._opens(i, before))
            ):
                taken.append(i)
            elif (
                kind == "g"
                and self.words[i] in COMPOUND_ENDS
                and self.kinds[i + 1 : i + 2] in ("n", "M")
            ):  # "a graffiti covered wall"
                taken.append(i)
                noun = None
            elif kind in "C," and noun is None and taken and (step := self._joins(i, determiner)):
                i += step - 1
            elif kind == "-" and taken and i + 1 < size and kinds[i + 1] not in ".,":
                i += kinds[i + 1] in "DPCT#VBWORS"  # tug-of-war: the small word is swallowed
            else:
                break
            i += 1
        return i, taken, noun, denied

    def _is_thing(self, taken: list[int], first: int, determiner: str) -> bool:
        """Whether a last word that may be noun or adjective is the noun: "the brick", "small
        glass"; not "wood and metal", "in orange".
        """
        kind, listed = self.kinds[taken[-1]], "C" in self.kinds[first : taken[-1]]
        if kind == "K":
            return bool(determiner)
        return kind == "M" and not listed and bool(determiner or len(taken) > 1)

    def _noun_before_adjective(self, noun: int, i: int, determiner: str) -> bool:
        """Whether the phrase goes on after noun and adjective: "a chocolate brown dog"; not "a blue
        shirt white shorts".
        """
        if (
            not determiner
            or self.kinds[noun] != "n"
            or self.words[noun] in CLOTHING_AND_PEOPLE
            or is_plural(self.words[noun])
        ):
            return False
        return self.kinds[i:].lstrip("AMK").startswith("n")

    def _before_noun(self, i: int) -> bool:
        """Whether the participle at i stands before a noun: "a smiling man"; not "a black and white
        jumping over".
        """
        return self.kinds[i + 1 : i + 2] in tuple(BEFORE_A_NOUN)

    def _opens(self, i: int, before: str) -> bool:
        """Whether a participle without article can open a phrase: "Smiling man", "of smiling men";
        not "a man wearing blue jeans".
        """
        return self.words[i] not in TRANSITIVE and (i == 0 or before[-1:] in ("P", "Z"))

    def _joins(self, i: int, determiner: str) -> int:
        """How many units the comma or "and" at i takes if another adjective follows; else 0."""
        step = 2 if self.kinds[i : i + 2] == ",C" else 1
        after = self.kinds[i + step :].lstrip("RX")[:1]
        if after == "g":
            return (
                step
                if determiner
                and self.kinds[i] == ","
                and self.kinds[i + step + 1 : i + step + 2] in ("n", "A", "M")
                else 0
            )
        return step if after and after in MODIFIERS else 0

    def _is_unlisted_verb(self, i: int, noun: int | None, determiner: str) -> bool:
        """Whether a word taken for a noun must be a verb: "a green jacket presses the button"."""
        return (
            noun is not None
            and determiner in SINGULAR_DETERMINERS
            and self.kinds[i - 1] != "-"
            and is_plural(self.words[i])
            and not is_plural(self.words[noun])
            and self.kinds[i + 1 : i + 2] in tuple("DPRO#")
        )

    def _is_plural_noun(
        self,
        i: int,
        noun: int | None,
        taken: list[int],
        determiner: str,
        several: bool,
        before: str,
    ) -> bool:
        """Whether a word like "slides" is a noun: "two water slides", "on slides"; not "a dog
        slides", "a boy in red slides down".
        """
        if noun is not None:
            return self.kinds[i - 1] == "-" or (several and not is_plural(self.words[noun]))
        if not taken and not determiner:
            return i == 0 or before[-1:] in tuple(NOUN_FOLLOWS)
        if determiner in SINGULAR_DETERMINERS:
            return False
        worn = (
            not determiner
            and before[-1:] in tuple("PgEsV")
            and all(self.kinds[unit] in "AK" for unit in taken)
        )
        return not (worn and self.kinds[i + 1 : i + 2] in ("", *AFTER_A_VERB))

    def _is_base_noun(
        self, i: int, noun: int | None, taken: list[int], determiner: str, before: str
    ) -> bool:
        """Whether a word like "slide" is a noun: "a slide", "the water slide"; not "two dogs
        slide", "a boy and a girl slide".
        """
        if noun is not None:
            after = self.kinds[i + 1 : i + 2]
            verb = (
                after in ("D", "#", "O")
                or (before[-1:] == "C" and after in ("", *AFTER_A_VERB))
                or is_plural(self.words[noun])
            )
            return self.kinds[i - 1] == "-" or not verb
        return bool(taken or determiner or i == 0) or before[-1:] in tuple(NOUN_FOLLOWS)
