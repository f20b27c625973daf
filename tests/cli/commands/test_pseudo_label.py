"""ovarnet pseudo-label: what it prints, and what it refuses before anything is computed."""

from itertools import chain

import pytest
from clip_attr_runs import FixedProposer
from fake_model import picture

from ovarnet.build import SHIPPED
from ovarnet.cli.main import main
from ovarnet.io.files import write_json
from ovarnet.io.word_files import read_vocabulary
from ovarnet.proposals.store import write_proposals

NAMES = ["a.png", "b.png", "c.png"]


@pytest.fixture
def words():
    return read_vocabulary(SHIPPED / "scenes-clip-attr" / "vocabulary.json")


@pytest.fixture
def command(words, tmp_path):
    """Called with changed options: the exit code. One caption names a novel category."""
    files = [str(picture(tmp_path / "images" / name, 70, 60)) for name in NAMES]
    write_proposals(FixedProposer(), files, tmp_path / "proposals")
    novel = next(word.name for word in words.categories if not word.seen)
    captions = [f"a {novel}", "nothing", "nothing"]
    write_json(
        tmp_path / "captions.json",
        {
            "images": [{"id": n, "file_name": name} for n, name in enumerate(NAMES)],
            "annotations": [
                {"id": n, "image_id": n, "caption": text} for n, text in enumerate(captions)
            ],
        },
    )

    def run(**more):
        options = {
            "model": "scenes-clip-attr",
            "captions": tmp_path / "captions.json",
            "images": tmp_path / "images",
            "proposals": tmp_path / "proposals",
            "output": tmp_path / "labels",
            "device": "cpu",
            "shard": 2,
        }
        given = [[f"--{name}", str(value)] for name, value in {**options, **more}.items()]
        return main(["pseudo-label", *chain.from_iterable(given)])

    return run


def test_words_are_counted(command, words, tmp_path, capsys):
    assert command() == 0
    base = [sum(word.seen for word in kind) for kind in (words.categories, words.attributes)]
    assert capsys.readouterr().out == (
        f"{tmp_path / 'labels'}: {base[0] + 1} categories and {base[1]} attributes scored; 1 of "
        "them are novel words that a caption mentions\n"
    )
    assert sorted(file.name for file in (tmp_path / "labels").iterdir()) == [
        "00000.safetensors",
        "00001.safetensors",
    ]


@pytest.mark.slow
def test_a_broken_image_is_listed_and_the_others_are_scored(command, tmp_path, capsys):
    (tmp_path / "images" / "b.png").write_bytes(b"no image")
    assert command() == 2
    found = capsys.readouterr()
    assert "error: 1 of 3 images could not be used:\n" in found.err
    assert f"\n  {tmp_path / 'images' / 'b.png'}: not an image" in found.err
    assert "categories and" in found.out


def test_what_cannot_be_a_teacher_or_an_output_is_one_line(command, tmp_path, capsys):
    assert command(model="scenes") == 2
    assert "scenes is an OvarNet; pseudo-labels come from CLIP-Attr" in capsys.readouterr().err
    assert not (tmp_path / "labels").exists()
    (tmp_path / "labels").write_text("")
    assert command() == 2
    assert "labels: is a file; --output needs a folder" in capsys.readouterr().err
