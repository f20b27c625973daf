import pytest

from ovarnet.data.preparation.findings import Findings
from ovarnet.data.preparation.sources import SOURCES, has_content, is_there, where_to_get


def test_files_and_folders_with_content_are_there(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/a.jpg").touch()
    (tmp_path / "empty").mkdir()
    findings = Findings(tmp_path, lambda line: None)
    assert has_content(tmp_path / "full")
    assert has_content(tmp_path / "full/a.jpg")
    assert is_there(tmp_path / "full", "val2017", tmp_path, findings)
    assert findings.complete
    assert not is_there(tmp_path / "empty", "val2017", tmp_path, findings)
    assert not is_there(tmp_path / "none", "val2017", tmp_path, findings)
    assert findings.kinds("missing")[0].startswith(
        f"{tmp_path / 'empty'}: get http://images.cocodataset.org/zips/val2017.zip"
    )


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_says_where_things_belong(source, tmp_path):
    text = where_to_get(tmp_path / "x.json", source, tmp_path)
    assert text.startswith("get ")
    assert str(tmp_path) in text
