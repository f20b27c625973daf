import pytest

from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.labelled import LabelledSplit
from ovarnet.data.preparation.findings import Findings
from ovarnet.data.preparation.labelled import SplitSource, check_root, check_splits
from ovarnet.errors import InputError


@pytest.fixture
def check(tmp_path):
    """Checks splits of readers; returns the findings and the images used."""

    def check(has_training=True, **readers):
        findings = Findings(tmp_path, lambda line: None)
        used = check_splits(
            tmp_path,
            {name: SplitSource(f"{name} files", read) for name, read in readers.items()},
            has_training=has_training,
            sizes=ImageSizes(tmp_path),
            sample=0,
            findings=findings,
        )
        return findings, used

    return check


def fail(skipped):
    raise InputError("train files: broken")


def noted(skipped):
    skipped.add("box has no area", "line 3")
    return LabelledSplit(categories={"mug": "other"})


def test_a_split_that_cannot_be_read_is_a_problem(check, tmp_path):
    findings, used = check(train=fail)
    assert used == []
    assert findings.kinds("problem") == ["train files: broken"]
    assert not (tmp_path / "vocabulary.json").exists()


def test_what_the_reader_notes_is_a_problem_of_the_split(check):
    findings, _ = check(train=noted)
    assert "train files: 1 x box has no area" in findings.kinds("problem")
    assert findings.kinds("written")[0].endswith("vocabulary.json")


def test_no_words_are_written_while_training_is_unread(check, tmp_path):
    findings, _ = check(train=fail, val=noted)
    assert any("is not written without the training split" in x for x in findings.kinds("problem"))
    assert not (tmp_path / "vocabulary.json").exists()
    check(has_training=False, val=noted)
    assert (tmp_path / "vocabulary.json").exists()


def test_only_the_splits_that_are_there_are_read(tmp_path):
    def read(root, split, skipped, *, read_size):
        read_splits.append((root, split))
        return LabelledSplit(categories={"mug": "other"})

    for splits, expected in {("train", "val"): ["val"], ("train",): []}.items():
        findings, read_splits = Findings(tmp_path, lambda line: None), []
        check_root(
            tmp_path,
            splits,
            read,
            available=["val", "test"],
            missing="no files",
            sample=0,
            findings=findings,
        )
        assert read_splits == [(tmp_path, split) for split in expected]
        missing = [] if expected else [f"{tmp_path}: no files; datasets/README.md draws the tree"]
        assert findings.kinds("missing") == missing
