"""`ovarnet catalogue search`: by phrase, by photo, with filters; bad queries are one line."""

from pathlib import Path

import pytest
import torch
from shop_files import product_photo

import ovarnet
from ovarnet.cli.main import main
from ovarnet.io.files import read_json


def search(*words):
    return main(["catalogue", "search", *map(str, words)])


def test_a_phrase_finds_products_of_its_colour(shop_index, tmp_path, capsys):
    assert search(shop_index, "a blue thing", "--top", 5, "--output", tmp_path) == 0
    found = read_json(tmp_path / "found.json")
    assert found["query"] == "a blue thing"
    assert [hit["rank"] for hit in found["results"]] == [1, 2, 3, 4, 5]
    assert sum(hit["labels"]["color"] == "blue" for hit in found["results"]) >= 4
    assert (tmp_path / "found.jpg").is_file()
    assert len(capsys.readouterr().out.splitlines()) == 6


def test_a_photo_finds_itself_first(shop, shop_index, tmp_path):
    product_photo("green", "book", 5).save(tmp_path / "query.png")
    words = ["--image", tmp_path / "query.png", "--where", "color=green", "--output", tmp_path]
    assert search(shop_index, *words) == 0
    results = read_json(tmp_path / "found.json")["results"]
    assert results[0]["labels"]["subcategory"] == "book"
    assert {hit["labels"]["color"] for hit in results} == {"green"}
    assert search(shop, *words, "--box", "14,18,50,62", "--top", 1) == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], 'give a phrase, such as "a red mug", or --image FILE'),
        (["mug", "--image", "x.jpg"], "give a phrase"),
        ([" "], "the phrase is empty"),
        (["mug", "--box", "1,2,3,4"], "--box is a part of a photo"),
        (["--image", "x.jpg", "--box", "1,2,3"], "give x1,y1,x2,y2"),
        (["--image", "x.jpg", "--box", "9,2,3,4"], "it has no area"),
        (["--image", "x.jpg", "--rerank", "m"], "--rerank reads a phrase"),
        (["mug", "--rerank", "no/such"], "no/such"),
        (["mug", "--where", "color"], "write COLUMN=VALUE"),
        (["mug", "--where", "color=pink"], "no product has color='pink'"),
        (["mug", "--where", "colour=red"], "no label column 'colour'"),
        (["mug", "--where", "color=red", "--where", "color=blue"], "is given twice"),
        pytest.param(
            ["mug", "--model", "photos-clip-attr"],
            "the index was made with scenes-clip-attr",
            marks=pytest.mark.slow,
        ),
        (["mug " * 200], "shorten it"),
    ],
)
def test_bad_queries(shop_index, words, message, capsys):
    assert search(shop_index, *words) == 2
    assert message in capsys.readouterr().err


def test_labels_that_no_product_has_together_are_said(shop_index, capsys):
    assert search(shop_index, "mug", "--where", "category=home", "--where", "subcategory=book") == 0
    capsys.readouterr()
    assert search(shop_index, "mug", "--where", "color=red", "--top", 100) == 0
    assert len(capsys.readouterr().out.splitlines()) == 12


def test_a_folder_without_an_index(tmp_path, capsys):
    assert search(tmp_path, "mug") == 2
    assert "no index; make one" in capsys.readouterr().err


def test_the_shipped_example_answers(capsys):
    example = Path(ovarnet.__file__).parent / "examples" / "catalogue"
    assert search(example, "a red striped mug", "--top", 1) == 0
    assert "[household, mug, red, striped, matte]" in capsys.readouterr().out


class Backwards:
    """A matcher that likes the last photo best."""

    def score(self, titles, images):
        assert set(titles) == {"a blue thing"}
        return torch.arange(1, len(images) + 1) / 1000.0


@pytest.mark.slow
def test_a_matcher_sorts_the_best_anew(shop_index, tmp_path, monkeypatch):
    words = [shop_index, "a blue thing", "--output", tmp_path]
    assert search(*words, "--top", 100) == 0
    plain = [hit["id"] for hit in read_json(tmp_path / "found.json")["results"]]
    monkeypatch.setattr("ovarnet.catalogue.matcher.load_matcher", lambda *g, **k: Backwards())
    monkeypatch.setattr(
        "ovarnet.catalogue.search.rerank.fused_scores", lambda cosines, matched, scale: matched
    )
    assert search(*words, "--rerank", "m", "--top", 3) == 0
    found = [hit["id"] for hit in read_json(tmp_path / "found.json")["results"]]
    assert found == plain[::-1][:3]
