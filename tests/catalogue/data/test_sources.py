"""What a folder holds: catalogue.yaml before usual names."""

import pytest
from shop_files import write_pairs, write_shop

from ovarnet.catalogue.data.sources import find_source, read_source
from ovarnet.errors import InputError
from ovarnet.io.skipped import Skipped


def test_usual_names(tmp_path):
    write_shop(tmp_path, 3)
    assert find_source(tmp_path).tables == {"": tmp_path / "products.csv"}
    assert [item.id for item in read_source(tmp_path, Skipped())] == ["0", "1", "2"]


def test_tables_of_two_splits(tmp_path):
    write_pairs(tmp_path / "train.tsv", 2)
    write_pairs(tmp_path / "test.tsv", 1)
    products = read_source(tmp_path, Skipped())
    assert [item.split for item in products] == ["train", "train", "test"]


def test_catalogue_yaml_names_table_columns_and_labels(tmp_path):
    write_shop(tmp_path, 3)
    (tmp_path / "products.csv").rename(tmp_path / "stock.csv")
    (tmp_path / "catalogue.yaml").write_text(
        "table: stock.csv\ncolumns: {category: subcategory, subcategory: color}\nlabels: []\n"
    )
    product = read_source(tmp_path, Skipped())[0]
    assert (product.category, product.subcategory, product.labels) == ("plate", "red", {})


def test_a_tsv_with_a_header_is_a_table(tmp_path):
    (tmp_path / "p.tsv").write_text("image\ttitle\na.jpg\tRed mug\n")
    (tmp_path / "catalogue.yaml").write_text("table: p.tsv\n")
    assert read_source(tmp_path, Skipped())[0].title == "Red mug"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tabel: a.csv", "unknown key 'tabel' .did you mean 'table'"),
        ("table: {dev: a.csv}", "'dev' is no split"),
        ("columns: [a]", "columns must map"),
        ("labels: color", "labels must be a list"),
        ("- a", "must hold 'key: value' lines"),
        ("table: none.tsv", "none.tsv: no such file"),
    ],
)
def test_wrong_settings_are_named(tmp_path, text, message):
    (tmp_path / "catalogue.yaml").write_text(text + "\n")
    with pytest.raises(InputError, match=message):
        read_source(tmp_path, Skipped())


def test_an_empty_folder_says_what_may_be_there(tmp_path):
    with pytest.raises(InputError, match=r"no products\.csv, products\.jsonl, pairs\.tsv"):
        find_source(tmp_path)
