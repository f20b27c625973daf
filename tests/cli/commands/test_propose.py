"""ovarnet propose: images that cannot be read, folders that cannot be used."""

import re

import pytest
from fake_model import picture

from ovarnet.cli.main import main
from ovarnet.proposals.store import read_proposals


@pytest.mark.slow
def test_an_image_that_cannot_be_read_is_left_out_named_and_tried_again(tmp_path, capsys):
    files = [picture(tmp_path / "in" / name, 70, 60) for name in ("a.png", "b.png", "c.png")]
    whole = files[1].read_bytes()
    propose = [
        "propose",
        "--proposer",
        "scenes",
        "--images",
        str(tmp_path / "in"),
        "--output",
        str(tmp_path / "out"),
        "--shard",
        "2",
        "--device",
        "cpu",
    ]
    for file in files[:2]:
        file.write_bytes(b"no image")
    assert main(propose) == 2
    listed = capsys.readouterr().err.partition("error: ")[2].splitlines()
    assert listed[0] == "2 of 3 images could not be used:"
    assert [line.partition(": ")[0] for line in listed[1:]] == [f"  {file}" for file in files[:2]]
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "00001.json",
        "proposer.json",
    ]
    files[1].write_bytes(whole)
    assert main(propose) == 2
    assert capsys.readouterr().out.startswith(
        f"{tmp_path / 'out'}: proposals of 1 images now, 3 images in all"
    )
    assert list(read_proposals(tmp_path / "out")) == ["b.png", "c.png"]
    files[0].write_bytes(whole)
    assert main(propose) == 0
    assert list(read_proposals(tmp_path / "out")) == ["a.png", "b.png", "c.png"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("nope", None, "nope: no such folder; --images needs the folder of the images"),
        (
            "in",
            {"a.png": b"", "b.png": b"x"},
            r"none of the 2 images can be read: 2 x image unreadable \(e.g. .*a\.png: the fi",
        ),
        (
            "in",
            {"a/x.png": b"", "b/x.png": b""},
            r"in/a/x\.png and .*in/b/x\.png have the same file name",
        ),
    ],
)
def test_propose_refuses_what_gives_no_proposals(name, content, message, tmp_path, capsys):
    for file, data in (content or {}).items():
        (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name / file).write_bytes(data)
    assert (
        main(
            [
                "propose",
                "--proposer",
                "scenes",
                "--images",
                str(tmp_path / name),
                "--output",
                str(tmp_path / "out"),
                "--device",
                "cpu",
            ]
        )
        == 2
    )
    assert re.search(message, capsys.readouterr().err)
    assert not (tmp_path / "out").exists()


def test_propose_into_a_file_is_refused(tmp_path, capsys):
    image = picture(tmp_path / "in/a.png", 70, 60)
    images = ["--proposer", "scenes", "--images", str(image.parent)]
    assert main(["propose", *images, "--output", str(image)]) == 2
    assert "a.png: is a file; --output needs a folder" in capsys.readouterr().err
