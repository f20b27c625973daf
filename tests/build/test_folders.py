"""Names of models and proposers."""

import pytest

from ovarnet.build import SHIPPED, find_checkpoint, find_proposer
from ovarnet.errors import InputError


def test_shipped_names_come_before_folders_of_that_name(tmp_path, monkeypatch):
    (tmp_path / "scenes").mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_checkpoint("scenes") == SHIPPED / "scenes"
    assert find_checkpoint("./scenes").resolve() == tmp_path / "scenes"
    assert find_proposer(str(tmp_path)) == tmp_path


def test_the_proposer_of_a_shipped_ovarnet_is_that_of_its_teacher(tmp_path, monkeypatch):
    assert find_proposer("scenes") == find_proposer("scenes-clip-attr")
    assert find_proposer("scenes") == SHIPPED / "scenes-clip-attr"
    for name in ("some", "some-clip-attr", "alone"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").touch()
    monkeypatch.setattr("ovarnet.shipped.SHIPPED", tmp_path)
    assert find_proposer("some") == find_proposer("some-clip-attr") == tmp_path / "some-clip-attr"
    assert find_proposer("alone") == tmp_path / "alone"
    monkeypatch.chdir(tmp_path)
    assert find_proposer("./some").resolve() == tmp_path / "some"


def test_a_name_that_is_neither():
    with pytest.raises(InputError, match=r"model 'scene' is neither .* ships \(.*scenes.*\)"):
        find_checkpoint("scene")
