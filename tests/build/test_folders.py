"""Names of models and proposers."""

import pytest

from ovarnet.build import SHIPPED, find_checkpoint, find_proposer
from ovarnet.errors import InputError


def test_shipped_names_come_before_folders_of_that_name(tmp_path, monkeypatch):
    (tmp_path / "scenes").mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_checkpoint("scenes") == SHIPPED / "scenes"
    assert find_checkpoint("./scenes").resolve() == tmp_path / "scenes"
    assert find_proposer("scenes") == SHIPPED / "scenes-clip-attr"
    assert find_proposer(str(tmp_path)) == tmp_path


def test_a_name_that_is_neither():
    with pytest.raises(InputError, match=r"model 'scene' is neither .* ships \(.*scenes.*\)"):
        find_checkpoint("scene")
