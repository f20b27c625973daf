"""The index: exact search, filters, files that read back, and what is refused."""

import json

import numpy as np
import pytest

from ovarnet.catalogue.product import Catalogue, Product
from ovarnet.catalogue.search.index import (
    IndexSettings,
    SearchIndex,
    check_model,
    load_index,
    product_vectors,
    save_index,
)
from ovarnet.errors import InputError

SETTINGS = IndexSettings("scenes", "abcd", 0.1, True)


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def make(folder, count=6, width=4):
    products = [
        Product(
            str(n),
            (str(folder / "images" / f"{n}.jpg"),),
            f"title é {n}",
            labels={"color": ("Red", "blue")[n % 2]},
        )
        for n in range(count)
    ]
    vectors = unit(np.random.default_rng(0).normal(size=(count, width))).astype(np.float32)
    return SearchIndex(Catalogue(products, "shop"), vectors, SETTINGS)


def ids(hits):
    return [hit.product.id for hit in hits]


def test_search_ranks_by_cosine(tmp_path):
    index = make(tmp_path)
    hits = index.search(index.vectors[3], top=6)
    assert hits[0].product.id == "3"
    assert hits[0].score == pytest.approx(1)
    scores = index.vectors @ index.vectors[3]
    assert ids(hits) == [str(n) for n in np.argsort(-scores)]


def test_filters_come_before_the_first_results(tmp_path):
    index = make(tmp_path)
    hits = index.search(index.vectors[3], top=2, where={"color": "RED"})
    scores = index.vectors[::2] @ index.vectors[3]
    assert ids(hits) == [str(2 * n) for n in np.argsort(-scores)[:2]]
    assert len(index.search(index.vectors[0], top=100, where={"color": "red"})) == 3


def test_unknown_labels_are_named(tmp_path):
    index = make(tmp_path)
    with pytest.raises(InputError, match=r"no product has color='Redd' .did you mean 'Red'"):
        index.search(index.vectors[0], where={"color": "Redd"})
    with pytest.raises(InputError, match="no label column 'colour'"):
        index.search(index.vectors[0], where={"colour": "red"})
    with pytest.raises(InputError, match="the query has 3 numbers and the index 4"):
        index.search(np.ones(3))


def test_product_vectors_mix_photo_and_title():
    images, titles = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    mixed = product_vectors(images, titles, 0.1)
    np.testing.assert_allclose(mixed, np.array([[0.9, 0.1]]) / np.sqrt(0.82))
    np.testing.assert_allclose(product_vectors(images, titles, 0.0), images)


def test_an_index_reads_back_wherever_it_lies(tmp_path):
    (tmp_path / "a").mkdir()
    index = make(tmp_path / "a")
    save_index(tmp_path / "a/index", index)
    (tmp_path / "a").rename(tmp_path / "b")
    read = load_index(tmp_path / "b")
    assert read.settings == SETTINGS
    assert read.catalogue[2].image == str(tmp_path / "b/images/2.jpg")
    assert read.catalogue[2].labels == {"color": "Red"}
    assert ids(read.search(index.vectors[1], 6)) == ids(index.search(index.vectors[1], 6))


def test_an_index_is_replaced_in_one_step_and_nothing_else_is(tmp_path):
    save_index(tmp_path / "index", make(tmp_path, 6))
    save_index(tmp_path / "index", make(tmp_path, 4))
    assert len(load_index(tmp_path / "index")) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["index"]
    (tmp_path / "other").mkdir()
    (tmp_path / "other/mine.txt").write_text("keep")
    with pytest.raises(InputError, match="holds no index"):
        save_index(tmp_path / "other", make(tmp_path))
    assert (tmp_path / "other/mine.txt").read_text() == "keep"


def test_what_cannot_be_read_is_one_line(tmp_path):
    with pytest.raises(InputError, match="no index; make one: ovarnet catalogue index"):
        load_index(tmp_path)
    folder = save_index(tmp_path / "index", make(tmp_path))
    lines = (folder / "products.jsonl").read_text("utf-8")
    (folder / "products.jsonl").write_text(lines.partition("\n")[2], "utf-8")
    with pytest.raises(InputError, match=r"the index is damaged .5 products"):
        load_index(folder)
    stated = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps({**stated, "format": "x"}))
    with pytest.raises(InputError, match="not an index of this version"):
        load_index(folder)


def test_another_model_is_refused(tmp_path):
    index = make(tmp_path)
    check_model(index, "abcd", "scenes")
    with pytest.raises(InputError, match=r"made with scenes .weights abcd. and other has weights"):
        check_model(index, "ffff", "other")
