"""The drawn catalogue as files: whole or not at all, the same bytes for the same seed."""

import csv

import pytest

from ovarnet.errors import InputError
from ovarnet.scenes.catalogue.write import write_catalogue


def read(root):
    with (root / "products.csv").open() as file:
        return list(csv.DictReader(file))


def test_rows_and_photos(tmp_path):
    photos = write_catalogue(tmp_path / "a", 45)
    rows = read(tmp_path / "a")
    assert len(rows) == photos == len(list((tmp_path / "a/images").iterdir()))
    assert len({row["id"] for row in rows}) == 45
    first = rows[0]
    assert (first["image"], first["category"], first["subcategory"]) == (
        "00000_0.jpg",
        "vehicle",
        "car",
    )
    assert {row["split"] for row in rows} <= {"train", "val", "test"}


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_catalogue(tmp_path / name, 5, seed=3)
    for file in sorted((tmp_path / "a").rglob("*.*")):
        assert file.read_bytes() == (tmp_path / "b" / file.relative_to(tmp_path / "a")).read_bytes()


def test_a_folder_is_replaced_only_when_asked(tmp_path):
    write_catalogue(tmp_path / "a", 2)
    with pytest.raises(InputError, match="exists already"):
        write_catalogue(tmp_path / "a", 3)
    write_catalogue(tmp_path / "a", 3, overwrite=True)
    assert len({row["id"] for row in read(tmp_path / "a")}) == 3
    (tmp_path / "other").mkdir()
    with pytest.raises(InputError, match="is no catalogue"):
        write_catalogue(tmp_path / "other", 3, overwrite=True)


def test_a_failure_leaves_nothing(tmp_path):
    def fail(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_catalogue(tmp_path / "a", 3, progress=fail)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("products", "seed"), [(0, 0), (20_001, 0), (1, -1)])
def test_numbers_out_of_range(tmp_path, products, seed):
    with pytest.raises(InputError, match="give a number"):
        write_catalogue(tmp_path / "a", products, seed=seed)
