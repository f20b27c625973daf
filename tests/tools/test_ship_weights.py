"""What is put into the package: half precision, the text tower once, and folders that score as what
was given."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import ovarnet
from ovarnet.build import SHIPPED
from ovarnet.checkpoint import load_checkpoint, save_checkpoint

TOOL = Path(__file__).parents[2] / "tools" / "ship_weights.py"
PICTURE = np.random.default_rng(0).integers(0, 255, (96, 96, 3), dtype=np.uint8)
BOXES = [[8, 8, 40, 60], [30, 20, 90, 90]]


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Folders of a teacher and an OvarNet as training writes them, in full precision: the shipped
    weights, each number a little larger."""
    folder = tmp_path_factory.mktemp("given")
    teacher, student = (
        load_checkpoint(SHIPPED / "scenes-clip-attr"),
        load_checkpoint(SHIPPED / "scenes"),
    )
    clip = larger(teacher.part("clip"))
    save_checkpoint(
        folder / "teacher",
        model="clip-attr",
        settings=teacher.settings,
        vocabulary=teacher.vocabulary,
        parts={
            "clip": clip,
            "prompts": larger(teacher.part("prompts")),
            "proposer": larger(teacher.part("proposer")),
        },
    )
    settings = {name: value for name, value in student.settings.items() if name != "stored_in"}
    text = {name: tensor for name, tensor in clip.items() if not name.startswith("visual.")}
    save_checkpoint(
        folder / "student",
        model="ovarnet",
        settings=settings,
        vocabulary=student.vocabulary,
        parts={
            "text": text,
            "prompts": larger(student.part("prompts")),
            "detector": larger(student.part("detector")),
        },
    )
    return folder


def larger(part):
    return {
        name: tensor * 1.0001 if tensor.is_floating_point() else tensor
        for name, tensor in part.items()
    }


@pytest.fixture
def tool(monkeypatch, tmp_path):
    """The script, writing into a folder of this test."""
    spec = importlib.util.spec_from_file_location("ship_weights", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "SHIPPED", tmp_path / "weights")
    return module


def run(tool, monkeypatch, given, **folders):
    words = [
        word
        for name, folder in folders.items()
        for word in (f"--{name.replace('_', '-')}", str(given / folder))
    ]
    monkeypatch.setattr(sys, "argv", ["ship_weights.py", "--name", "scenes", *words])
    return tool.main()


@pytest.mark.slow
def test_what_ships_is_half_as_large_and_scores_as_before(
    tool, monkeypatch, given, tmp_path, capsys
):
    assert run(tool, monkeypatch, given, clip_attr="teacher", ovarnet="student") == 0
    weights = tmp_path / "weights"
    files = {str(path.relative_to(weights)): path for path in weights.rglob("*.safetensors")}
    assert set(files) == {
        "scenes/detector.safetensors",
        "scenes/prompts.safetensors",
        "scenes-clip-attr/clip.safetensors",
        "scenes-clip-attr/prompts.safetensors",
        "scenes-clip-attr/proposer.safetensors",
    }, "the text tower once"
    size = sum(path.stat().st_size for path in files.values()) / 1e6
    assert capsys.readouterr().out == f"{weights}: {size:.1f} MB in all (at most 80)\n"
    assert 15 < size < 25
    dtypes = {
        tensor.dtype
        for path in files.values()
        for tensor in load_file(path).values()
        if tensor.is_floating_point()
    }
    assert dtypes == {torch.float16}
    for name, source in (("scenes", "student"), ("scenes-clip-attr", "teacher")):
        before, after = (scores(folder) for folder in (given / source, weights / name))
        assert after.shape == (2, 71)
        assert not after.equal(before), "rounded"
        torch.testing.assert_close(after, before, rtol=0.05, atol=0.01)


def scores(folder):
    """Probabilities of the 40 categories and the 31 attributes in two boxes."""
    found = ovarnet.load(folder, device="cpu").detect(PICTURE, boxes=BOXES)
    return torch.cat([found.category_scores, found.attribute_scores], dim=1)


def test_more_than_the_package_may_weigh_is_told_by_the_exit_code(tool, monkeypatch, given, capsys):
    monkeypatch.setattr(tool, "MOST_MEGABYTES", 10)
    assert run(tool, monkeypatch, given, clip_attr="teacher", ovarnet="student") == 1
    assert "MB in all (at most 10)" in capsys.readouterr().out


def test_another_teacher_than_the_one_it_was_distilled_from_is_refused(
    tool, monkeypatch, given, tmp_path, capsys
):
    teacher = load_checkpoint(given / "teacher")
    parts = {name: teacher.part(name) for name in ("clip", "prompts", "proposer")}
    save_checkpoint(
        tmp_path / "other",
        model="clip-attr",
        settings=teacher.settings,
        vocabulary=teacher.vocabulary,
        parts={**parts, "clip": larger(parts["clip"])},
    )
    assert run(tool, monkeypatch, given, clip_attr=tmp_path / "other", ovarnet="student") == 2
    assert capsys.readouterr().err == (
        f"error: the text tower of {given / 'student'} is not that of {tmp_path / 'other'}; "
        "give the teacher that it was distilled from\n"
    )
    assert not (tmp_path / "weights").exists()


def test_what_both_models_hold_is_stored_once_and_read_back(tool, tmp_path):
    """A trunk that three parts have is stored with the CLIP; a head that was trained is not."""
    stem = torch.arange(6.0).reshape(2, 3)
    trunk = {"visual.trunk.net.conv_stem.weight": stem, "visual.trunk.net.bn2.weight": stem[0]}
    text = {"text.transformer.embedding": torch.tensor([[1.0, -0.5], [0.0, 0.25]])}
    proposer = {
        "detector.backbone.trunk.net.conv_stem.weight": stem,
        "detector.rpn.head.weight": stem + 1,
    }
    detector = {
        "backbone.trunk.net.conv_stem.weight": stem,
        "rpn.head.weight": stem + 1,
        "head.cells.pool.1.weight": stem[0] + 1,
    }
    vocabulary = load_checkpoint(SHIPPED / "scenes").vocabulary
    for name, model, source, parts in (
        ("teacher", "clip-attr", "scenes-clip-attr", {"clip": trunk | text, "proposer": proposer}),
        ("student", "ovarnet", "scenes", {"text": text, "detector": detector}),
    ):
        settings = load_checkpoint(SHIPPED / source).settings
        settings = {key: value for key, value in settings.items() if key != "stored_in"}
        save_checkpoint(
            tmp_path / name, model=model, settings=settings, vocabulary=vocabulary, parts=parts
        )
    tool.ship("photos", tmp_path / "teacher", tmp_path / "student", int8=True)
    weights = tmp_path / "weights"
    assert set(load_file(weights / "photos-clip-attr" / "proposer.safetensors")) == {
        "detector.rpn.head.weight"
    }
    assert set(load_file(weights / "photos" / "detector.safetensors")) == {
        "head.cells.pool.1.weight"
    }
    student = load_checkpoint(weights / "photos")
    found = student.part("detector")
    assert found.keys() == detector.keys()
    assert all(found[key].equal(detector[key]) for key in detector)
    assert load_checkpoint(weights / "photos-clip-attr").part("proposer").keys() == proposer.keys()
    torch.testing.assert_close(
        student.part("text")["text.transformer.embedding"],
        text["text.transformer.embedding"],
        atol=1 / 254,
        rtol=0,
    )
