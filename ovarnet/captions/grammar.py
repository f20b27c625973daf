"""The rule-based parser: a small grammar of English captions over word kinds.

One pass from left to right; no model and no download.
"""

from __future__ import annotations

from collections.abc import Iterable

from ovarnet.captions.inflection import is_plural
from ovarnet.captions.lexicon import ASPECTS, HAVING, PAINTED, PLURAL_COPULAS
from ovarnet.captions.matcher import Term
from ovarnet.captions.noun_phrase import STARTS, NounPhrase, NounPhraseReader
from ovarnet.captions.relations import Relations
from ovarnet.captions.units import as_units


def relations_by_rules(words: list[str], terms: list[Term]) -> Relations:
    """Who modifies whom in a caption.

    Args:
        words: The tokens, lower case.
        terms: What the vocabulary knows of them, in order; each counts as one word.
    """
    return _Reading(words, terms).relations()


class _Reading:
    """What has been read of one caption so far.

    Its phrases, the predicates about them, and the kinds of the words since the last phrase.
    """

    def __init__(self, words: list[str], terms: list[Term]):
        self.kinds, self.words, self.first, self.last = as_units(words, terms)
        self.reader = NounPhraseReader(self.kinds, self.words)
        self.phrases: list[NounPhrase] = []
        self.predicates: list[tuple[list[int], list[NounPhrase]]] = []  # units said of phrases
        self.denied: set[int] = set()
        self.before = ""

    def relations(self) -> Relations:
        """Read, give adjectives without a noun their noun, and record who belongs to whom."""
        self._read()
        self._find_antecedents()
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
        """Read a noun phrase at unit i. Returns the unit after it."""
        phrase = self.reader.read(i, self.before)
        if phrase.is_empty:  # as far as it was read: from no unit of these does a phrase start
            end = max(phrase.end, i + 1)
            self.before += self.kinds[i:end]
            return end
        phrase.before, self.before = self.before, ""
        phrase.absent = self._is_absent(phrase)
        if phrase.absent and phrase.head is not None and self._denies_modifiers(phrase):
            phrase.absent, phrase.denied = False, set(phrase.modifiers)
        self.denied |= phrase.denied
        self.phrases.append(phrase)
        return phrase.end

    def _is_absent(self, phrase: NounPhrase) -> bool:
        """Whether a phrase is said not to be there.

        "without a coat", "instead of a coat", "not a coat", "not wearing a coat", "no cars", and
        what "or" adds to them.
        """
        before = phrase.before.rstrip("R")
        if before.rstrip("RXP").endswith("Z") or before.endswith("X"):
            return True
        previous = self.words[phrase.start - 1] if phrase.start else ""
        if before[-2:-1] == "X" and previous in HAVING:
            return True
        if previous == "nothing" and phrase.head is None:  # "nothing red"
            return True
        if any(self.words[unit] in ("no", "neither") for unit in range(phrase.start, phrase.first)):
            return True
        joined_by_or = phrase.before.strip(",") == "C" and previous in ("or", "nor")
        return joined_by_or and bool(self.phrases) and self.phrases[-1].absent

    def _denies_modifiers(self, phrase: NounPhrase) -> bool:
        """Whether a "neither" is of the modifiers: "neither red nor blue car" is of a car."""
        opening, inside = (
            self.words[phrase.start : phrase.first],
            self.words[phrase.first : phrase.end],
        )
        return "neither" in opening and "nor" in inside

    def _predicate(self, copula: int) -> int:
        """Read "... is (not) red and striped" or "... is made of wood".

        Returns the unit after it, 0 where something else follows the copula.
        """
        i, denied = copula + 1, self.before.rstrip("R").endswith("X")  # "never was red"
        while i < len(self.kinds) and (
            self.kinds[i] in "RX" or self.words[i] in ("no", "neither", "both")
        ):
            denied |= self.kinds[i] == "X" or self.words[i] in ("no", "neither")
            i += 1
        plural = self.words[copula] in PLURAL_COPULAS
        if self.words[i : i + 1] == ["made"]:
            return self._made_of(i, self._subjects(plural), denied)
        quality = self._quality(i, self._verbs_after(plural))
        if quality is None:
            return 0
        self._say(quality, self._subjects(plural), denied)
        self.before += "B"
        return quality.end

    def _after_noun(self, i: int) -> int:
        """Read "a door painted red", "boots made of leather", "a dog running" (a known word).

        Returns the unit after it, 0 where something else follows the noun.
        """
        if self.before.strip(",RXBW"):
            return 0
        subjects = self._subjects(plural=True) if "B" in self.before else self.phrases[-1:]
        denied = "X" in self.before
        if self.words[i] == "made":
            return self._made_of(i, subjects, denied)
        quality, verbs = None, "svn" if self._in_relative_clause() else ""
        if self.words[i] in PAINTED:
            quality = self._quality(i + 1, verbs)
        elif self.kinds[i] == "E":
            quality = self._quality(i, verbs)
        if quality is None:
            return 0
        self._say(quality, subjects, denied)
        self.before += "B" if self._in_relative_clause() else "g"
        return quality.end

    def _made_of(self, made: int, subjects: list[NounPhrase], denied: bool) -> int:
        """Read "made (out) of wood and metal".

        Returns the unit after it, 0 where something else follows.
        """
        i = made + 1
        while i < len(self.kinds) and (
            self.kinds[i] == "R" or self.words[i] in ("out", "of", "from", "up")
        ):
            i += 1
        quality = self._quality(i, "svn" if self._in_relative_clause() else "")
        if i == made + 1 or quality is None:
            return 0
        self._say(quality, subjects, denied)
        self.before += "B" if self._in_relative_clause() else "P"
        return quality.end

    def _in_relative_clause(self) -> bool:
        """Whether a "that is" has begun since the last noun: its main verb is still to come."""
        return "W" in self.before

    def _verbs_after(self, plural: bool) -> str:
        """Which words after a copula must be verbs, as of `NounPhraseReader.read`.

        "that is empty stops": a noun would need an article. "that are empty stop": or be a plural.
        """
        if self._in_relative_clause():
            return "v" if plural else "sn"
        return "" if plural else "s"

    def _quality(self, i: int, verbs: str) -> NounPhrase | None:
        """A row of adjectives, or of materials without an article, at unit i: "red", "red brick".

        verbs: as of `NounPhraseReader.read`.
        """
        if i >= len(self.kinds) or self.kinds[i] not in STARTS:
            return None
        phrase = self.reader.read(i, self.before, verbs)
        if phrase.is_empty or phrase.points_back:
            return None
        if phrase.head is None:
            return phrase if phrase.modifiers else None
        return phrase if not phrase.determiner and self.kinds[phrase.head] in "MK" else None

    def _say(self, quality: NounPhrase, subjects: list[NounPhrase], denied: bool) -> None:
        units = quality.modifiers + ([] if quality.head is None else [quality.head])
        self.predicates.append((units, subjects))
        if not denied:
            self.denied |= quality.denied
            return
        within = self.words[quality.start : quality.end]
        but = quality.start + within.index("but") if "but" in within else quality.end
        self.denied |= {unit for unit in units if unit < but}  # "not red but blue"

    def _subjects(self, plural: bool) -> list[NounPhrase]:
        """The phrases that a predicate here speaks of.

        Back over "of the ...", "holding a ...", "that chases a ...", and over "and" for a plural
        verb.
        """
        if not self.phrases:
            return []
        found, k = [self.phrases[-1]], len(self.phrases) - 1
        relative = self.before.strip(",RX").endswith("W")
        same_subject = "C" in self.before  # "a dog chases a ball and is brown"
        while k:
            joint = self.phrases[k].before.strip(",RX")
            ends = joint[-1:]
            if joint == "C" or (joint == "" and "," in self.phrases[k].before):
                found.append(self.phrases[k - 1])
            elif not relative and (
                "W" in joint or ends in tuple("PZgETS") or (same_subject and ends in tuple("VBsv"))
            ):
                found = [self.phrases[k - 1]]
            else:
                break
            k -= 1
        return found[::-1] if plural else found[:1]

    def _find_antecedents(self) -> None:
        """Give each row of adjectives its noun.

        "a black and a brown dog", "two dogs , one black and one white", "a mug , red and shiny".
        """
        following = self._following_heads()
        earlier: list[int] = []  # the nouns before a phrase: the last one, and the last plural
        for index, phrase in enumerate(self.phrases):
            next_head = following[index]
            if phrase.head is not None:
                is_last_plural = is_plural(self.words[phrase.head])
                earlier = [phrase.head] * 2 if is_last_plural else [phrase.head, *earlier[1:]]
            elif phrase.determiner and next_head is not None:
                phrase.stands_for = [next_head]
            elif phrase.points_back:
                phrase.stands_for = earlier[-1:]
            elif self._is_apposition(index, phrase):
                phrase.stands_for = earlier[:1]

    def _is_apposition(self, index: int, phrase: NounPhrase) -> bool:
        """Whether a row of adjectives is of the noun before it: ", red and shiny", "full of"."""
        if not index or phrase.determiner or self.phrases[index - 1].head is None:
            return False
        following = self.kinds[phrase.end : phrase.end + 1]
        if phrase.before == ",":
            return following in ("", *".,CPBVsg")
        if phrase.before == "" and self.phrases[index - 1].end == phrase.start:
            return self.words[phrase.end : phrase.end + 1] == ["of"]
        return False

    def _following_heads(self) -> list[int | None]:
        """For each phrase, the head of the next one with article, adjectives and noun.

        None where more than "and" and rows of adjectives stands between. From the end to the start,
        so that the time stays linear.
        """
        heads: list[int | None] = [None] * len(self.phrases)
        for index in range(len(self.phrases) - 2, -1, -1):
            following = self.phrases[index + 1]
            if (
                following.before
                and following.before.strip(",") in ("C", "")
                and following.determiner
                and following.modifiers
            ):
                heads[index] = heads[index + 1] if following.head is None else following.head
        return heads

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
        """The units that the modifiers of a phrase belong to.

        Those of "with a striped pattern" belong to what has the pattern.
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
