"""`ovarnet pick-thresholds` on a small data set, and detect with what it wrote."""

import json

import pytest
from fake_model import picture

from ovarnet.cli import main as cli
from ovarnet.io.files import write_json
from ovarnet.io.word_thresholds import read_word_thresholds

pytestmark = pytest.mark.usefixtures("fake_model")


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Two images, each a mug as a whole; in each the fake model also takes the left half for one,
    with sqrt(0.1 x 0.5) = 0.22 instead of sqrt(0.9 x 0.88) = 0.89."""
    monkeypatch.chdir(tmp_path)
    for number in range(2):
        picture(tmp_path / "mine" / "images" / f"{number}.png", 60, 40)
    content = {
        "images": [{"id": n, "file_name": f"{n}.png"} for n in range(2)],
        "categories": [{"id": 1, "name": "mug"}],
        "annotations": [
            {"id": n, "image_id": n, "category_id": 1, "bbox": [0, 0, 60, 40],
             "attributes": {"red": n}}
            for n in range(2)
        ],
    }  # fmt: skip
    write_json(tmp_path / "mine" / "val.json", content)
    assert cli.main(["prepare", "custom", "--root", "mine"]) == 0
    return tmp_path


def pick(*words) -> int:
    return cli.main(["pick-thresholds", "--root", "mine", "--output", "t.json", *words])


def test_chosen_thresholds_are_used_by_detect(root, capsys):
    assert pick("--least", "1") == 0
    printed = capsys.readouterr().out
    assert "mug      0.557  100.0%         2\n" in printed
    assert read_word_thresholds("t.json").categories == {"mug": 0.557}
    about = json.loads((root / "t.json").read_text())["about"]
    assert about == {
        "model": "photos-clip-attr",
        "dataset": "custom",
        "split": "val",
        "images": 2,
    }
    # the fake model gives red 0.88 on both boxes: yes for both is F1 2/3
    assert read_word_thresholds("t.json").attributes == {"red": 0.44}

    line = ["detect", "mine/images/0.png", "--categories", "mug", "--attributes", "red"]
    line += ["--threshold", "0.1", "--thresholds", "t.json", "--containment", "1"]
    assert cli.main([*line, "--output", "out"]) == 0
    assert ": 1 object\n" in capsys.readouterr().out


def test_too_few_examples_and_bad_files(root, capsys):
    assert pick() == 2
    assert "mine: no word has 10 examples in 'val'" in capsys.readouterr().err
    (root / "t.json").write_text('{"categories": {"mug": 7}}')
    assert cli.main(["detect", "mine/images/0.png", "--thresholds", "t.json"]) == 2
    assert "t.json: the threshold of 'mug' is 7" in capsys.readouterr().err
    assert not (root / "out").exists()


def test_words_without_a_threshold_are_named(root, capsys):
    assert pick("--least", "2") == 0
    printed = capsys.readouterr().out
    assert (
        "without a threshold (fewer than 2 examples, or only one kind of label): red\n" in printed
    )
