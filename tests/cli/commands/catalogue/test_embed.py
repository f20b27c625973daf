"""`ovarnet catalogue embed`: tables of vectors, of a catalogue or of EasyNLP's columns."""

import base64

import numpy as np
import pytest

from ovarnet.cli.main import main


def embed(*words):
    return main(["catalogue", "embed", "--model", "scenes-clip-attr", *map(str, words)])


def read(path):
    return np.loadtxt(path, delimiter="\t", ndmin=2)


@pytest.mark.slow
def test_vectors_of_a_catalogue(shop, tmp_path):
    assert embed("--root", shop, "--output", tmp_path) == 0
    photos, titles = read(tmp_path / "photos.tsv"), read(tmp_path / "titles.tsv")
    assert len(photos) == len(titles) == 36
    np.testing.assert_allclose(np.linalg.norm(photos, axis=1), 1, atol=1e-4)

    (tmp_path / "a.tsv").write_text("Brand0 red plate\nBrand1 blue plate\n")
    assert embed("--tsv", tmp_path / "a.tsv", "--output", tmp_path / "texts") == 0
    np.testing.assert_allclose(read(tmp_path / "texts/titles.tsv"), titles[:2], atol=1e-5)
    cell = base64.urlsafe_b64encode((shop / "images/0.png").read_bytes()).decode()
    (tmp_path / "b.tsv").write_text(cell + "\n")
    assert embed("--tsv", tmp_path / "b.tsv", "--images", "--output", tmp_path / "photos") == 0
    np.testing.assert_allclose(read(tmp_path / "photos/photos.tsv"), photos[:1], atol=1e-4)


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        ("a\tb\n", [], r"(line 1): more than one column"),
        ("a\n\n", [], r"(line 2): an empty row"),
        ("", [], "the file is empty"),
        ("n*t base64\n", ["--images"], "(line 1): not base64"),
    ],
)
def test_bad_tables(tmp_path, text, words, message, capsys):
    (tmp_path / "a.tsv").write_text(text)
    assert embed("--tsv", tmp_path / "a.tsv", *words, "--output", tmp_path / "out") == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_one_source_is_needed(tmp_path, capsys):
    assert embed("--output", tmp_path) == 2
    assert "give --root SHOP, or --tsv FILE" in capsys.readouterr().err
    assert embed("--root", tmp_path, "--images", "--output", tmp_path) == 2
    assert "--images says what --tsv holds" in capsys.readouterr().err
