"""`ovarnet catalogue describe`: a title per photo; a broken photo is reported."""

import csv

import pytest
from shop_files import product_photo

from ovarnet.cli.main import main
from ovarnet.io.images import read_image


class Names:
    """Titles are the width of the photo."""

    def describe(self, images):
        return [f"width, {read_image(image).shape[1]}" for image in images]


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "ovarnet.catalogue.title_writer.load_title_writer", lambda folder, device="auto": Names()
    )
    folder = tmp_path / "photos"
    folder.mkdir()
    for n in range(2):
        product_photo("red", "plate").save(folder / f"{n}.png")
    return folder


def describe(*words):
    return main(["catalogue", "describe", "--model", "m", *map(str, words)])


def test_a_row_per_photo(photos, tmp_path, capsys):
    assert describe(photos, "--output", tmp_path / "out") == 0
    with (tmp_path / "out/titles.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["image", "title"],
        [str(photos / "0.png"), "width, 64"],
        [str(photos / "1.png"), "width, 64"],
    ]
    assert capsys.readouterr().out.splitlines()[0] == f"{photos / '0.png'}: width, 64"


def test_a_broken_photo_is_reported_and_the_rest_goes_on(photos, tmp_path, capsys):
    (photos / "0.png").write_bytes(b"no image")
    assert describe(photos, "--output", tmp_path / "out") == 2
    found = capsys.readouterr()
    assert "1 of 2 images could not be used" in found.err
    assert "1 titles" in found.out


def test_nothing_is_written_without_a_photo(photos, tmp_path, capsys):
    (photos / "0.png").write_bytes(b"no image")
    assert describe(photos / "0.png", "--output", tmp_path / "out") == 2
    assert not (tmp_path / "out").exists()


def test_another_kind_of_model_is_refused(tmp_path, capsys):
    product_photo("red", "plate").save(tmp_path / "0.png")
    assert main(["catalogue", "describe", str(tmp_path / "0.png"), "--model", "no/such"]) == 2
    assert "no/such" in capsys.readouterr().err
