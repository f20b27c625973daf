"""`ovarnet generate`: what it writes and prints, its defaults, and what it refuses."""

import pytest

from ovarnet.cli.main import main, parse
from ovarnet.scenes.world.render import SPLITS

SMALL = ["--train", "3", "--val", "0", "--test", "2", "--captions", "2", "--photos", "4"]


def generate(root, *words):
    return main(["generate", "scenes", "--root", str(root), "--workers", "1", *words])


def test_counts_of_images_and_boxes_are_printed(tmp_path, capsys):
    assert generate(tmp_path / "world", *SMALL) == 0
    lines = capsys.readouterr().out.splitlines()
    counts = {line.split()[0]: int(line.split()[1]) for line in lines[:5]}
    assert counts == {"train": 3, "val": 0, "test": 2, "captions": 2, "photos": 4}
    assert [", " in line for line in lines[:5]] == [True, True, True, False, False]  # with boxes
    assert lines[-1] == f"written to {tmp_path / 'world'}"
    files = {split: list((tmp_path / "world").rglob(f"{split}/*.jpg")) for split in counts}
    assert {split: len(found) for split, found in files.items()} == counts


def test_a_drawn_catalogue(tmp_path, capsys):
    root = tmp_path / "shop"
    assert main(["generate", "catalogue", "--root", str(root), "--products", "3"]) == 0
    out = capsys.readouterr().out
    assert f"next: ovarnet prepare catalogue --root {root}" in out
    assert (root / "products.csv").is_file()


def test_defaults_are_the_world_behind_the_shipped_weights():
    args = parse(["generate", "scenes", "--root", "x"])
    counts = [getattr(args, split) for split in SPLITS]
    assert counts == [8000, 1000, 1000, 4000, 90000]
    assert args.seed == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--train", "-1"], "argument --train: -1 is negative"),
        (["--workers", "0"], "argument --workers: 0 is too small"),
        (["--photos", "1000001"], "--photos 1000001: give a number from 0 to 1000000"),
        (["--seed", "-1"], "--seed -1: give a number that is not negative"),
    ],
)
def test_bad_numbers_write_nothing(words, message, tmp_path, capsys):
    assert generate(tmp_path / "world", *SMALL, *words) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_world_is_replaced_only_when_asked(tmp_path, capsys):
    assert generate(tmp_path / "world", *SMALL) == 0
    before = (tmp_path / "world/vocabulary.json").stat().st_mtime_ns
    assert generate(tmp_path / "world", *SMALL) == 2
    assert "exists already" in capsys.readouterr().err
    assert (tmp_path / "world/vocabulary.json").stat().st_mtime_ns == before
    assert generate(tmp_path / "world", *SMALL, "--overwrite") == 0
