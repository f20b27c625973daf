import pytest

from ovarnet.data.reader import DatasetReader
from ovarnet.errors import InputError

ONE = DatasetReader(("test",), lambda request: (None, []))
TWO = DatasetReader(("test",), ONE.read, {"48/17": "48/17", "rare": "splits/rare.json"})


def test_a_dataset_without_divisions(tmp_path):
    assert ONE.find_division("ovad", "", tmp_path) == ""
    with pytest.raises(InputError, match="dataset ovad has one vocabulary; leave out ':48/17'"):
        ONE.find_division("ovad", "48/17", tmp_path)


def test_the_first_division_is_the_default_and_files_lie_under_the_root(tmp_path):
    (tmp_path / "splits").mkdir()
    for name in ("rare", "mine"):
        (tmp_path / f"splits/{name}.json").write_text("{}")
    assert TWO.find_division("x", "", tmp_path) == TWO.find_division("x", "48/17", tmp_path)
    assert TWO.find_division("x", "", tmp_path) == "48/17"
    assert TWO.find_division("x", "rare", tmp_path) == tmp_path / "splits/rare.json"
    assert TWO.find_division("x", "splits/mine.json", tmp_path) == tmp_path / "splits/mine.json"


def test_divisions_that_are_not_there(tmp_path):
    with pytest.raises(InputError, match=r"x has no division '48/18'; give one of 48/17, rare"):
        TWO.find_division("x", "48/18", tmp_path)
    with pytest.raises(InputError, match=r"rare\.json: no such split file; `ovarnet prepare x"):
        TWO.find_division("x", "rare", tmp_path)
