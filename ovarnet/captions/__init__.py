"""Sentences -> categories, attributes with their nouns, and noun phrases."""

from ovarnet.captions.parser import CaptionParser
from ovarnet.captions.record import Pair, ParsedCaption

__all__ = ["CaptionParser", "Pair", "ParsedCaption"]
