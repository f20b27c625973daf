"""Parts of the tables: which run, and where each keeps its files."""

from pathlib import Path

import pytest

from ovarnet.catalogue.tables import all as every
from ovarnet.catalogue.tables.sizes import QUICK

CONFIGS, OUT, ROOT = Path("configs"), Path("out"), Path("shop")


@pytest.fixture
def ran(monkeypatch):
    calls = []

    def noted(name):
        return lambda *given: calls.append((name, *given)) or f"{name}\n"

    for name in ("matcher_table", "fine_tuning_tables"):
        monkeypatch.setattr(every, name, noted(name))
    for part in every.OF_SHOPS:
        monkeypatch.setitem(every.OF_SHOPS, part, noted(part))
    return calls


def test_all_parts(ran):
    parts = ("clip", "photo-matcher", "matcher", "fine-tuning")
    text = every.write_tables(parts, ROOT, CONFIGS, OUT, QUICK, print)
    assert text == "clip\n\nphoto-matcher\n\nmatcher_table\n\nfine_tuning_tables\n"
    assert ran == [
        ("clip", ROOT, CONFIGS, OUT / "clip", QUICK, print),
        ("photo-matcher", ROOT, CONFIGS, OUT / "photo-matcher", QUICK, print),
        ("matcher_table", CONFIGS, OUT / "matcher", QUICK, print),
        ("fine_tuning_tables", CONFIGS, OUT / "fine-tuning", QUICK, print),
    ]


def test_one_part(ran):
    every.write_tables(("matcher",), None, CONFIGS, OUT, QUICK, print)
    assert [name for name, *_ in ran] == ["matcher_table"]
