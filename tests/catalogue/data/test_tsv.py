"""EasyNLP's table: the same products and pixels as were written."""

import numpy as np
import pytest
from shop_files import product_photo, write_pairs

from ovarnet.catalogue.data.tsv import read_tsv
from ovarnet.errors import InputError
from ovarnet.io.images import read_image
from ovarnet.io.skipped import Skipped


def test_texts_and_pixels(tmp_path):
    products = read_tsv(write_pairs(tmp_path / "train.tsv"), "train", Skipped())
    assert [item.id for item in products[:2]] == ["train:1", "train:2"]
    assert [item.title for item in products[:2]] == ["red plate 0", "blue plate 1"]
    assert {item.split for item in products} == {"train"}
    difference = read_image(products[4].image).astype(int) - np.asarray(
        product_photo("blue", "book", 4)
    )
    assert np.abs(difference).mean() < 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("only text\n", r"line 1\): 1 columns; a row is a text, a tab"),
        ("a\tb\tc\n", r"line 1\): 3 columns"),
        ("A" * 20_000 + "\ta mug\n", "the image comes first"),
    ],
)
def test_other_forms_are_refused(tmp_path, content, message):
    (tmp_path / "p.tsv").write_text(content)
    with pytest.raises(InputError, match=message):
        read_tsv(tmp_path / "p.tsv", "", Skipped())


def test_rows_without_text_are_noted(tmp_path):
    skipped = Skipped()
    (tmp_path / "p.tsv").write_text(" \tYWJj\na mug\tYWJj\n")
    assert len(read_tsv(tmp_path / "p.tsv", "", skipped)) == 1
    assert skipped.items == {"row without text or image": ["line 1"]}
