"""The prepared catalogue reads back as it was written, wherever its folder lies."""

import pytest

from ovarnet.catalogue.data.prepared import open_catalogue, write_prepared
from ovarnet.catalogue.product import Product
from ovarnet.errors import InputError


def mug(root):
    return Product(
        "7",
        (str(root / "images/7.jpg"), str(root / "pairs.tsv@3+40#b64")),
        "Red Café mug",
        category="kitchen",
        subcategory="mug",
        labels={"color": "red"},
        group="title red café mug",
        split="test",
        boxes=((1, 2, 30, 40), (0, 0, 5, 5)),
    )


def test_products_read_back(tmp_path):
    write_prepared(tmp_path, [mug(tmp_path)])
    assert open_catalogue(tmp_path).products == (mug(tmp_path),)


def test_a_folder_that_was_moved_reads_its_own_photos(tmp_path):
    (tmp_path / "a").mkdir()
    write_prepared(tmp_path / "a", [mug(tmp_path / "a")])
    (tmp_path / "a").rename(tmp_path / "b")
    assert open_catalogue(tmp_path / "b").products == (mug(tmp_path / "b"),)


def test_what_is_not_prepared_names_the_command(tmp_path):
    with pytest.raises(InputError, match=f"run: ovarnet prepare catalogue --root {tmp_path}"):
        open_catalogue(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"test"', '"tset"', "damaged .*split 'tset'"),
        ('"title": "Red', '"titel": "Red', "damaged .KeyError: 'title'"),
        ("ovarnet-catalogue/1", "ovarnet-catalogue/9", "not of this version"),
    ],
)
def test_a_damaged_file_is_one_line(tmp_path, old, new, message):
    path = write_prepared(tmp_path, [mug(tmp_path)])
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    with pytest.raises(InputError, match=message):
        open_catalogue(tmp_path)
