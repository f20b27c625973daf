"""What both grammars, the dependencies and the rules, find: who modifies whom, what is there."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Relations:
    """Token numbers of one caption.

    Attributes:
        links: Modifier -> the nouns it belongs to.
        heads: Nouns that name a thing of the scene (not the "horse" of "horse sculpture").
        chunks: (first token, head) of each noun phrase, without article.
        denied: Nouns said to be absent, modifiers said not to hold.
    """

    links: dict[int, list[int]] = field(default_factory=dict)
    heads: set[int] = field(default_factory=set)
    chunks: list[tuple[int, int]] = field(default_factory=list)
    denied: set[int] = field(default_factory=set)

    def link(self, modifier: int, nouns: list[int], denied: bool = False) -> None:
        """Add what a modifier belongs to, or that it is denied."""
        if denied:
            self.denied.add(modifier)
            return
        known = self.links.setdefault(modifier, [])
        known.extend(noun for noun in nouns if noun not in known)
