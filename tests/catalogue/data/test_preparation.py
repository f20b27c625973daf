"""`ovarnet prepare catalogue`: what it writes, and what it leaves out."""

import pytest
from shop_files import write_fashion_gen, write_shop

from ovarnet.catalogue.data.prepared import PREPARED, open_catalogue
from ovarnet.catalogue.data.split import draw_split
from ovarnet.cli.main import main


def prepare(root):
    return main(["prepare", "catalogue", "--root", str(root)])


def test_a_shop_becomes_a_prepared_catalogue(tmp_path, capsys):
    assert prepare(write_shop(tmp_path, 36)) == 0
    catalogue = open_catalogue(tmp_path)
    assert len(catalogue) == 36
    assert [product.split for product in catalogue] == [
        draw_split(f"title brand{n} {product.labels['color']} {product.subcategory}")
        for n, product in enumerate(catalogue)
    ]
    # the shape of 31 x 41 pixels at (12, 20), and 5 % of padding
    assert catalogue[0].boxes == ((10, 18, 45, 63),)
    out = capsys.readouterr().out
    assert "36 products in 36 groups, 36 photos" in out
    assert "note     label category has one value, 'home'" in out


def test_bad_rows_and_photos_are_left_out_and_the_rest_goes_on(tmp_path, capsys):
    write_shop(tmp_path, 6)
    (tmp_path / "images/1.png").write_bytes(b"no image")
    (tmp_path / "images/2.png").unlink()
    with (tmp_path / "products.csv").open("a") as file:
        file.write("9,9.png,,home,plate,red\n")
    assert prepare(tmp_path) == 0
    assert [product.id for product in open_catalogue(tmp_path)] == ["0", "3", "4", "5"]
    out = capsys.readouterr().out
    assert "2 x image unreadable" in out
    assert "1 x row without title" in out


def test_the_same_photo_under_two_ids_is_one_group(tmp_path):
    write_shop(tmp_path, 6)
    (tmp_path / "images/4.png").write_bytes((tmp_path / "images/0.png").read_bytes())
    prepare(tmp_path)
    groups = [product.group for product in open_catalogue(tmp_path)]
    assert groups[0] == groups[4]
    assert len(set(groups)) == 5


def test_nothing_usable_writes_nothing(tmp_path, capsys):
    write_shop(tmp_path, 2)
    for file in (tmp_path / "images").iterdir():
        file.unlink()
    assert prepare(tmp_path) == 2
    assert "none of 2 products has a photo" in capsys.readouterr().out
    assert not (tmp_path / PREPARED).exists()


def test_fashion_gen_keeps_its_splits_and_says_what_they_share(tmp_path, capsys):
    pytest.importorskip("h5py")
    write_fashion_gen(tmp_path / "fashiongen_256_256_train.h5", products=3)
    write_fashion_gen(tmp_path / "fashiongen_256_256_validation.h5", products=1, first=200)
    assert prepare(tmp_path) == 0
    products = open_catalogue(tmp_path).products
    assert [product.split for product in products] == ["train", "train", "train", "test"]
    assert [len(product.boxes) for product in products] == [2, 2, 2, 2]
    assert "1 titles or photos lie in more than one" in capsys.readouterr().out
