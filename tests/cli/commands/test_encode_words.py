"""`ovarnet encode-words` and the commands that take its file, with shipped weights."""

import copy
import json
from functools import cache

import pytest
import torch

import ovarnet
from ovarnet.cli import main as cli
from ovarnet.cli.commands import encode_words
from ovarnet.io.encoded_words import read_encoded_words
from ovarnet.io.word_files import read_vocabulary


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with words; each model is loaded once for all tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(
        ovarnet.__dict__, "load", lambda name, proposer=None, device="auto": fresh(name)
    )
    (tmp_path / "words.txt").write_text("heart\ntree\n")
    (tmp_path / "more.json").write_text(
        json.dumps({"categories": ["tree", "kite"], "attributes": ["red"]})
    )
    return tmp_path


@cache
def model_of(name):
    """A shipped model; "other" is one with another text tower."""
    from ovarnet.build.load import load_model

    if name != "other":
        return load_model(name, device="cpu")
    model = copy.deepcopy(model_of("scenes"))
    with torch.no_grad():
        next(model.clip.text_parameters()).add_(1)
    return model


def fresh(name):
    return ovarnet.Predictor(model_of(name))


def encode(*words) -> int:
    return cli.main(["encode-words", *words, "--model", "scenes"])


@pytest.mark.slow
def test_words_are_encoded_once_and_then_loaded(folder, monkeypatch, capsys):
    assert encode("words.txt", "--output", "w.safetensors") == 0
    assert "written to w.safetensors: 2 categories and 0 attributes" in capsys.readouterr().out

    photo = str(ovarnet.__path__[0]) + "/examples/scene.jpg"
    line = ["detect", photo, "--model", "scenes", "--attributes", ""]
    assert cli.main([*line, "--categories", "heart, tree", "--output", "anew"]) == 0
    # nothing is left to encode
    monkeypatch.setattr(type(model_of("scenes").clip), "encode_sequences", refuse_texts)
    assert cli.main([*line, "--vocabulary", "w.safetensors", "--output", "stored"]) == 0
    assert cli.main([*line, "--categories", "w.safetensors", "--output", "listed"]) == 0
    anew, stored, listed = (
        json.loads((folder / name / "scene.json").read_text())
        for name in ("anew", "stored", "listed")
    )
    assert len(anew["boxes"]) >= 2
    assert anew == stored == listed


def refuse_texts(clip, sequences, vectors=None):
    assert not len(sequences)
    return clip.require_text_tower().encode_sequences(sequences, vectors)


def test_files_are_merged_and_stored_words_reused(folder, monkeypatch):
    assert encode("words.txt", "--output", "w.safetensors") == 0
    encoded = []
    classifier = type(model_of("scenes").classifier)
    embed = classifier.embed
    monkeypatch.setattr(
        classifier,
        "embed",
        lambda self, words, kind: (
            encoded.extend(word.name for word in words) or embed(self, words, kind)
        ),
    )
    monkeypatch.setattr(encode_words, "CHUNK", 2)
    assert encode("more.json", "w.safetensors", "--output", "all.safetensors") == 0
    assert encoded == ["kite", "red"]
    words = read_vocabulary("all.safetensors")
    assert words.category_names == ["tree", "kite", "heart"]
    assert words.attribute_names == ["red"]


@pytest.mark.parametrize(
    ("kind", "counts"), [("categories", (2, 0)), ("attributes", (0, 2)), ("both", (2, 2))]
)
def test_kind_of_a_plain_list(folder, kind, counts):
    assert encode("words.txt", "--kind", kind, "--output", "w.safetensors") == 0
    embeddings = read_encoded_words("w.safetensors").embeddings
    assert tuple(len(rows) for rows in embeddings.values()) == counts


def test_a_file_of_another_model_is_encoded_again_but_refused_elsewhere(folder, capsys):
    assert encode("words.txt", "--output", "w.safetensors") == 0
    assert (
        cli.main(["encode-words", "w.safetensors", "--model", "other", "--output", "p.safetensors"])
        == 0
    )
    assert "w.safetensors: its embeddings are not of this model" in capsys.readouterr().err
    photo = str(ovarnet.__path__[0]) + "/examples/scene.jpg"
    line = ["--model", "scenes", "--vocabulary", "p.safetensors", "--output", "out"]
    for command in (["detect", photo], ["find", photo, "a heart"]):
        assert cli.main([*command, *line]) == 2
        (error,) = capsys.readouterr().err.splitlines()[-1:]
        assert error.startswith("error: p.safetensors: its words were encoded by another model")
    assert not (folder / "out").exists()


def test_an_ovarnet_reads_the_words_of_its_teacher(folder):
    assert encode("words.txt", "--output", "w.safetensors") == 0
    found = fresh("scenes-clip-attr").load_words("w.safetensors")
    assert found.words.category_names == ["heart", "tree"]


def test_refusals(folder, capsys):
    (folder / "empty.txt").write_text("")
    for line, message in (
        (["words.txt", "--output", "w.json"], "w.json: give it a name that ends in .safetensors"),
        (["empty.txt", "--output", "w.safetensors"], "empty.txt: no words"),
        (["nowhere.txt", "--output", "w.safetensors"], "nowhere.txt: no such file"),
    ):
        assert encode(*line) == 2
        assert message in capsys.readouterr().err
    assert sorted(path.name for path in folder.iterdir()) == ["empty.txt", "more.json", "words.txt"]
