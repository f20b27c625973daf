"""Batches of products: a title or the phrase of the labels, groups, and views of the photos."""

import torch

from ovarnet.catalogue.product import Product
from ovarnet.catalogue.training.clip.data import ProductDataset, label_phrase


class Rows:
    """In place of photos: their rows, and what they were seeded by."""

    def views(self, rows, seed):
        return torch.stack([rows, torch.full_like(rows, seed[1])], dim=1).float()


def product(number, group):
    return Product(
        str(number),
        ("x.jpg",),
        f"title {number}",
        subcategory="Shoes",
        labels={"color": "Black", "gender": "Women"},
        group=group,
    )


def dataset(share):
    items = [product(0, "a"), product(1, "a"), product(2, "b")]
    table = torch.tensor([[True], [False], [True]])
    return ProductDataset(items, Rows(), table, seed=3, label_texts=share)


def test_labels_as_a_phrase():
    assert label_phrase(product(0, "a")) == "black women shoes"
    assert label_phrase(Product("1", ("x.jpg",), "t")) == ""


def test_texts_are_listed_once_and_drawn_at_their_rate():
    assert dataset(0.5).texts == ["title 0", "title 1", "title 2", "black women shoes"]
    keys = [(7, 0), (7, 1), (7, 2)]
    assert dataset(0.0).__getitems__(keys).texts.tolist() == [0, 1, 2]
    assert dataset(1.0).__getitems__(keys).texts.tolist() == [3, 3, 3]
    half = [dataset(0.5).__getitems__([(n, 0)]).texts.item() for n in range(200)]
    assert 70 < half.count(3) < 130


def test_a_batch_depends_on_seed_and_iteration_alone():
    first, again = (dataset(0.5).__getitems__([(4, 2), (4, 0)]) for _ in range(2))
    assert first.texts.tolist() == again.texts.tolist()
    assert first.photos.tolist() == [[2, 4], [0, 4]]
    assert first.groups.tolist() == [1, 0]
    assert first.mentions.tolist() == [[True], [True]]
