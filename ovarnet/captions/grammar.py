"""The rule-based route: a small grammar of English captions over word kinds, one pass from left to
right, no model and no download.
"""

from __future__ import annotations

from collections.abc import Iterable

from ovarnet.captions.inflection import is_plural
from ovarnet.captions.lexicon import ASPECTS, PAINTED, PLURAL_COPULAS
from ovarnet.captions.matcher import Term
from ovarnet.captions.noun_phrase import STARTS, NounPhrase, NounPhraseReader
from ovarnet.captions.relations import Relations
from ovarnet.captions.units import as_units


def relations_by_rules(words: list[str], terms: list[Term]) -> Relations:
    """words: the tokens, lower case. terms: what the vocabulary knows of them, in order; each
    counts as one word.
    """
    return _Reading(words, terms).relations()


class _Reading:
    """What has been read of one caption so far: its phrases, the predicates about them, the kinds
    of the words since the last phrase.
    """

    def __init__(self, words: list[str], terms: list[Term]):
        self.kinds, self.words, self.first, self.last = as_units(words, terms)
        self.reader = NounPhraseReader(self.kinds, self.words)
        self.phrases: list[NounPhrase] = []
        self.predicates: list[tuple[list[int], list[NounPhrase]]] = []  # units said of phrases
        self.denied: set[int] = set()
        self.before = ""

    def relations(self) -> Relations:
        """Read, give adjectives without a noun their noun, and write down who belongs to whom."""
        self._read()
        for index, phrase in enumerate(self.phrases):
            if phrase.head is None:
                phrase.stands_for = self._antecedent(index, phrase)
        found = Relations(denied={self.last[unit] for unit in self.denied})
        for index, phrase in enumerate(self.phrases):
            self._record(found, index, phrase)
        for units, subjects in self.predicates:
            nouns = [self.last[noun] for phrase in subjects for noun in phrase.nouns]
            for unit in units:
                found.link(self.last[unit], nouns)
        return found

    def _read(self) -> None:
        i, size = 0, len(self.kinds)
        while i < size:
            kind = self.kinds[i]
            if kind == "B":
                end = self._predicate(i)
            elif (kind in "gE" or self.words[i] == "made") and self.phrases:
                end = self._after_noun(i)
            else:
                end = 0
            if not end and kind in STARTS:
                end = self._phrase(i)
            if not end:
                self.before += kind
            i = end or i + 1

    def _phrase(self, i: int) -> int:
        """Read a noun phrase at unit i. Returns the unit after it, 0 if there is none."""
        phrase = self.reader.read(i, self.before)
        if phrase is None:
            return 0
        phrase.before, self.before = self.before, ""
        phrase.absent = self._is_absent(phrase)
        self.denied |= phrase.denied
        self.phrases.append(phrase)
        return phrase.end

    def _is_absent(self, phrase: NounPhrase) -> bool:
        """ "without a coat", "instead of a coat", "no cars", and what "or" adds to them."""
        if phrase.before.rstrip("RXP").endswith("Z"):
            return True
        if any(self.words[unit] in ("no", "neither") for unit in range(phrase.start, phrase.first)):
            return True
        joined_by_or = phrase.before.strip(",") == "C" and self.words[phrase.start - 1] in (
            "or",
            "nor",
        )
        return joined_by_or and bool(self.phrases) and self.phrases[-1].absent

    def _predicate(self, copula: int) -> int:
        """ "... is (not) red and striped", "... is made of wood". Returns the unit after it, 0 if
        something else follows the copula.
        """
        i, denied = copula + 1, False
        while i < len(self.kinds) and (
            self.kinds[i] in "RX" or self.words[i] in ("no", "neither", "both")
        ):
            denied |= self.kinds[i] == "X" or self.words[i] in ("no", "neither")
            i += 1
        plural = self.words[copula] in PLURAL_COPULAS
        if self.words[i : i + 1] == ["made"]:
            return self._made_of(i, self._subjects(plural), denied)
        quality = self._quality(i)
        if quality is None:
            return 0
        self._say(quality, self._subjects(plural), denied)
        self.before += "B"
        return quality.end

    def _after_noun(self, i: int) -> int:
        """ "a door painted red", "boots made of leather", words of the vocabulary: "a dog running".
        Returns the unit after, or 0.
        """
        if self.before.strip(",RXB"):
            return 0
        subjects = self._subjects(plural=True) if "B" in self.before else self.phrases[-1:]
        denied = "X" in self.before
        if self.words[i] == "made":
            return self._made_of(i, subjects, denied)
        quality = (
            self._quality(i + 1)
            if self.words[i] in PAINTED
            else self._quality(i)
            if self.kinds[i] == "E"
            else None
        )
        if quality is None:
            return 0
        self._say(quality, subjects, denied)
        self.before += "g"
        return quality.end

    def _made_of(self, made: int, subjects: list[NounPhrase], denied: bool) -> int:
        """ "made (out) of wood and metal". Returns the unit after it, 0 if it is made of something
        else.
        """
        i = made + 1
        while i < len(self.kinds) and (
            self.kinds[i] == "R" or self.words[i] in ("out", "of", "from", "up")
        ):
            i += 1
        quality = self._quality(i)
        if i == made + 1 or quality is None:
            return 0
        self._say(quality, subjects, denied)
        self.before += "P"
        return quality.end

    def _quality(self, i: int) -> NounPhrase | None:
        """A row of adjectives, or of materials without an article, at unit i: "red", "red
        brick".
        """
        phrase = (
            self.reader.read(i, self.before)
            if i < len(self.kinds) and self.kinds[i] in STARTS
            else None
        )
        if phrase is None or phrase.points_back:
            return None
        is_quality = (
            phrase.modifiers
            if phrase.head is None
            else not phrase.determiner and self.kinds[phrase.head] in "MK"
        )
        return phrase if is_quality else None

    def _say(self, quality: NounPhrase, subjects: list[NounPhrase], denied: bool) -> None:
        units = quality.modifiers + ([] if quality.head is None else [quality.head])
        self.predicates.append((units, subjects))
        but = (
            self.words.index("but", quality.start, quality.end)
            if "but" in self.words[quality.start : quality.end]
            else quality.end
        )
        self.denied |= (
            {unit for unit in units if unit < but} if denied else quality.denied
        )  # "not red but blue"

    def _subjects(self, plural: bool) -> list[NounPhrase]:
        """The phrases that a predicate here speaks of: back over "of the ...", "holding a ...", and
        over "and" for a plural verb.
        """
        if not self.phrases:
            return []
        found, k = [self.phrases[-1]], len(self.phrases) - 1
        relative = self.before.strip(",RX").endswith("W")
        same_subject = "C" in self.before  # "a dog chases a ball and is brown"
        while k:
            joint = self.phrases[k].before.strip(",RX")
            if joint == "C" or (joint == "" and "," in self.phrases[k].before):
                found.append(self.phrases[k - 1])
            elif not relative and (
                joint[-1:] in tuple("PZgETS") or (same_subject and joint[-1:] in tuple("VBsv"))
            ):
                found = [self.phrases[k - 1]]
            else:
                break
            k -= 1
        return found[::-1] if plural else found[:1]

    def _antecedent(self, index: int, phrase: NounPhrase) -> list[int]:
        """The noun of a row of adjectives: "a black and a brown dog", "two dogs , one black and one
        white", "a mug , red and shiny".
        """
        if phrase.determiner and (following := self._following(index)) is not None:
            return [following]
        earlier = [other.head for other in self.phrases[:index] if other.head is not None]
        if phrase.points_back:
            return [unit for unit in earlier if is_plural(self.words[unit])][-1:] or earlier[-1:]
        ends = self.kinds[phrase.end : phrase.end + 1] in (
            "",
            ".",
            ",",
            "C",
            "P",
            "B",
            "V",
            "s",
            "g",
        )
        if (
            phrase.before == ","
            and not phrase.determiner
            and ends
            and self.phrases[index - 1].head is not None
        ):
            return earlier[-1:]
        return []

    def _following(self, index: int) -> int | None:
        """The head of the next phrase with article, adjectives and noun, if only "and" and rows of
        adjectives stand between.
        """
        for phrase in self.phrases[index + 1 :]:
            if (
                phrase.before.strip(",") not in ("C", "")
                or not phrase.before
                or not phrase.determiner
                or not phrase.modifiers
            ):
                return None
            if phrase.head is not None:
                return phrase.head
        return None

    def _record(self, found: Relations, index: int, phrase: NounPhrase) -> None:
        nouns = [self.last[unit] for unit in self._owners(index, phrase)]
        for unit in phrase.modifiers:
            found.link(self.last[unit], nouns)
        if phrase.head is None:
            found.denied |= (
                {self.last[unit] for unit in phrase.modifiers} if phrase.absent else set()
            )
            return
        head = self.last[phrase.head]
        found.heads.add(head)
        found.chunks.append((self.first[phrase.first], head))
        if phrase.absent:
            found.denied.add(head)

    def _owners(self, index: int, phrase: NounPhrase) -> Iterable[int]:
        """The units that the modifiers of a phrase belong to; those of "with a striped pattern"
        belong to what has the pattern.
        """
        if (
            phrase.head is not None
            and index
            and self.words[phrase.head] in ASPECTS
            and phrase.before == "P"
            and self.words[phrase.start - 1] in ("with", "in", "of")
        ):
            return self.phrases[index - 1].nouns or phrase.nouns
        return phrase.nouns
