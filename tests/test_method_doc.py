"""docs/method.md names files, functions and settings that exist."""

import ast
import re
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path

import pytest

from ovarnet.config import STAGES

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/method.md").read_text(encoding="utf-8")
QUOTED = set(re.findall(r"`([^`\n]+)`", PAGE))


@cache
def names_of_package():
    """Functions, classes and methods ("Class.method") that the package defines."""
    names = set()
    for path in (ROOT / "ovarnet").rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                names.add(node.name)
            if isinstance(node, ast.ClassDef):
                members = [one for one in node.body if isinstance(one, ast.FunctionDef)]
                names |= {f"{node.name}.{one.name}" for one in members}
    return names


def settings(kind, prefix=""):
    """Dotted names of all settings of a stage."""
    for member in fields(kind):
        yield f"{prefix}{member.name}"
        value = member.default_factory() if callable(member.default_factory) else member.default
        if is_dataclass(value):
            yield from settings(type(value), f"{prefix}{member.name}.")


SETTINGS = {name for stage in STAGES.values() for name in settings(stage.settings)}
FILES = sorted(name for name in QUOTED if re.fullmatch(r"[\w/]+\.py", name))
FOLDERS = sorted(name for name in QUOTED - {"ovarnet/"} if re.fullmatch(r"[\w/]+/", name))
CODE = sorted(name for name in QUOTED if re.fullmatch(r"[A-Z]\w+(\.\w+)?|[a-z]+_\w+", name))
DOTTED = sorted(
    name.partition(":")[0].strip()
    for name in QUOTED
    if re.fullmatch(r"[a-z_]+\.[a-z_]+(: \w+)?", name) and not name.endswith(".py")
)


@pytest.mark.parametrize("name", FILES + FOLDERS)
def test_files_exist(name):
    assert (ROOT / "ovarnet" / name).exists()


@pytest.mark.parametrize("name", CODE)
def test_names_are_functions_classes_or_settings(name):
    """Settings may be named without their group, as in the tables."""
    last = {setting.rpartition(".")[2] for setting in SETTINGS} | set(STAGES)
    fields_of_words = {"Word.seen"}
    assert name in names_of_package() | last | fields_of_words


@pytest.mark.parametrize("name", DOTTED)
def test_dotted_settings_exist(name):
    assert name in SETTINGS


def test_something_was_found():
    assert len(FILES) > 25
    assert len(CODE) > 25
    assert len(DOTTED) > 12
