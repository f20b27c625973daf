"""`ovarnet catalogue match`: the least fitting pairs first, a table, and bad input."""

from pathlib import Path

import pytest
import torch
from tiny_shop import tiny_shop

import ovarnet
from ovarnet.catalogue.data.prepared import open_catalogue
from ovarnet.catalogue.matcher import load_matcher
from ovarnet.cli.main import main

EXAMPLE = Path(ovarnet.__file__).parent / "examples" / "catalogue"


class Lengths:
    """A pair fits the better the longer its title and query are."""

    def score(self, titles, images, queries=None):
        asked = queries or [""] * len(titles)
        return torch.tensor(
            [len(title) / 100 + len(query) / 10 for title, query in zip(titles, asked, strict=True)]
        )


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "ovarnet.catalogue.matcher.load_matcher", lambda folder, device="auto": Lengths()
    )
    return tiny_shop(tmp_path / "shop", 8)


def match(shop, *words):
    return main(["catalogue", "match", "--root", str(shop), "--model", "m", *map(str, words)])


def test_the_least_fitting_first_and_a_table_of_all(shop, tmp_path, capsys):
    assert match(shop, "--top", 2, "--output", tmp_path / "scores.tsv") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "least fitting of 8 pairs of title and photo:"
    assert lines[1] == "  0.160  p0  Red mug number 0"
    assert len(lines) == 3
    table = (tmp_path / "scores.tsv").read_text().splitlines()
    assert table[0] == "id\tscore\ttitle"
    assert table[1] == "p0\t0.1600\tRed mug number 0"
    assert len(table) == 9


def test_queries_and_splits(shop, capsys):
    assert match(shop, "--query-column", "colour", "--split", "test", "--top", 1) == 0
    assert "  0.680  p3  Black mug number 3" in capsys.readouterr().out


def test_bad_input(shop, capsys):
    assert match(shop, "--query-column", "size") == 2
    assert "no label column 'size'" in capsys.readouterr().err
    (shop / "images" / "1.png").write_bytes(b"no image")
    assert match(shop / "images") == 2
    assert "not a prepared catalogue" in capsys.readouterr().err


def test_a_catalogue_may_bring_its_matcher(shop, capsys):
    words = ["catalogue", "match", "--root", str(shop)]
    assert main(words) == 2
    assert "has no folder matcher; give --model CHECKPOINT" in capsys.readouterr().err
    (shop / "matcher").mkdir()
    assert main(words) == 0


@pytest.mark.slow
def test_the_example_is_answered_by_its_own_matcher(capsys):
    assert main(["catalogue", "match", "--root", str(EXAMPLE), "--top", "60"]) == 0
    first, *pairs = capsys.readouterr().out.splitlines()
    assert first == "least fitting of 60 pairs of title and photo:"
    scores = [float(line.split()[0]) for line in pairs]
    assert scores == sorted(scores)
    products = list(open_catalogue(EXAMPLE))[:20]
    titles = [product.title for product in products]
    images = [product.image for product in products]
    matcher = load_matcher(EXAMPLE / "matcher", device="cpu")
    wrong = matcher.score([*titles[7:], *titles[:7]], images)
    assert (torch.tensor(scores)[:, None] > wrong).float().mean() > 0.75  # chance is 0.5
