"""Checkpoint folders: whole or not there, read strictly, and one line for whatever is wrong."""

import os

import pytest
import torch
from torch import nn

from ovarnet.checkpoint import check_finite, load_checkpoint, load_weights, save_checkpoint
from ovarnet.errors import InputError
from ovarnet.vocabulary import Vocabulary

WORDS = Vocabulary.of(["mug", "car"], ["red"])


def save(folder, value=1.5, **more):
    state = {"a": torch.full((2, 3), value), "count": torch.tensor(7)}
    return save_checkpoint(
        folder,
        model="clip",
        settings={"clip": {"name": "x"}},
        vocabulary=WORDS,
        parts={"clip": state},
        **more,
    )


def test_round_trip(tmp_path):
    checkpoint = load_checkpoint(save(tmp_path / "run" / "checkpoint"))
    assert (checkpoint.model, checkpoint.settings, checkpoint.vocabulary) == (
        "clip",
        {"clip": {"name": "x"}},
        WORDS,
    )
    part = checkpoint.part("clip")
    assert torch.equal(part["a"], torch.full((2, 3), 1.5))
    assert part["count"].item() == 7


def test_further_texts_lie_beside_the_weights(tmp_path):
    folder = save(tmp_path / "c", texts={"tokenizer.json": '{"é": 1}'})
    assert (folder / "tokenizer.json").read_text(encoding="utf-8") == '{"é": 1}'
    assert load_checkpoint(folder).part("clip")["count"].item() == 7


def test_half_rounds_floats_only_and_comes_back_as_float32(tmp_path):
    part = load_checkpoint(save(tmp_path / "c", value=1 / 3, half=True)).part("clip")
    assert part["a"].dtype == torch.float32
    assert part["a"][0, 0].item() == torch.tensor(1 / 3).half().item()
    assert part["count"].dtype == torch.int64


def test_saving_again_replaces_and_leaves_nothing_behind(tmp_path):
    save(tmp_path / "c", 1.0)
    save(tmp_path / "c", 2.0)
    assert load_checkpoint(tmp_path / "c").part("clip")["a"][0, 0] == 2.0
    assert [p.name for p in tmp_path.iterdir()] == ["c"]


def test_a_failed_save_keeps_the_old_checkpoint(tmp_path):
    save(tmp_path / "c", 1.0)
    with pytest.raises(AttributeError):
        save_checkpoint(
            tmp_path / "c",
            model="clip",
            settings={},
            vocabulary=WORDS,
            parts={"clip": {"a": "no tensor"}},
        )
    assert load_checkpoint(tmp_path / "c").part("clip")["a"][0, 0] == 1.0
    assert [p.name for p in tmp_path.iterdir()] == ["c"]


def test_bad_folders_are_named(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        load_checkpoint(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"has no config\.yaml"):
        load_checkpoint(tmp_path)
    (tmp_path / "config.yaml").write_text("model: clip\n")
    with pytest.raises(InputError, match="not an ovarnet checkpoint of this version"):
        load_checkpoint(tmp_path)
    (tmp_path / "config.yaml").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        load_checkpoint(tmp_path)


def test_truncated_and_missing_parts(tmp_path):
    checkpoint = load_checkpoint(save(tmp_path / "c"))
    path = tmp_path / "c" / "clip.safetensors"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(InputError, match=r"clip\.safetensors is damaged or truncated"):
        checkpoint.part("clip")
    with pytest.raises(InputError, match=r"has no proposer\.safetensors"):
        checkpoint.part("proposer")


def test_weights_of_another_architecture_name_the_tensors():
    with pytest.raises(InputError) as error:
        load_weights(
            nn.Linear(2, 3), {"weight": torch.zeros(3, 4), "extra": torch.zeros(1)}, "w.safetensors"
        )
    message = str(error.value)
    assert "w.safetensors holds another architecture" in message
    for part in (
        "bias is missing",
        "extra is not part",
        "weight has shape (3, 4), expected (3, 2)",
    ):
        assert part in message


def test_a_part_may_lie_in_another_folder(tmp_path):
    save(tmp_path / "teacher", value=2.0)
    shared = {"clip": {"name": "x"}, "stored_in": {"text": "../teacher/clip.safetensors"}}
    save_checkpoint(tmp_path / "student", model="clip", settings=shared, vocabulary=WORDS, parts={})
    student = load_checkpoint(tmp_path / "student")
    assert student.part("text")["a"][0, 0] == 2.0
    assert {name: list(part) for name, part in student.parts().items()} == {
        "text": list(student.part("text"))
    }


def test_weights_that_are_not_finite_are_refused_but_for_buffers_that_are_not_set():
    layer, broken = nn.Linear(2, 2), nn.Linear(2, 2)
    with torch.no_grad():
        broken.bias[1] = torch.nan
    with pytest.raises(InputError, match="x holds NaN or infinite weights in bias"):
        load_weights(layer, broken.state_dict(), "x")
    for module in (layer, unset := nn.Linear(2, 2)):
        module.register_buffer("calibration", torch.full((2,), torch.nan))
    load_weights(layer, unset.state_dict(), "x")
    assert torch.equal(layer.weight, unset.weight)


def test_a_failed_replacement_brings_the_old_checkpoint_back(tmp_path, monkeypatch):
    """The disk fails at the last step, when the old folder has made room for the new one."""
    save(tmp_path / "c", 1.0)
    replace = os.replace

    def fail(source, target):
        if str(source).endswith("new"):
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr("ovarnet.checkpoint.os.replace", fail)
    with pytest.raises(OSError, match="No space left"):
        save(tmp_path / "c", 2.0)
    monkeypatch.undo()
    assert load_checkpoint(tmp_path / "c").part("clip")["a"][0, 0] == 1.0
    assert [p.name for p in tmp_path.iterdir()] == ["c"]


def test_a_folder_without_its_words_or_with_a_cut_config_is_named(tmp_path):
    folder = save(tmp_path / "c")
    (folder / "vocabulary.json").unlink()
    with pytest.raises(InputError, match=r"c has no vocabulary\.json; copy the whole folder again"):
        load_checkpoint(folder)
    text = (folder / "config.yaml").read_text()
    for cut in (text[: len(text) // 2], text + "a: [1,", "\x00", "a: ${b"):
        (folder / "config.yaml").write_text(cut)
        with pytest.raises(InputError, match=r"config\.yaml|has no vocabulary"):
            load_checkpoint(folder)


def test_weights_that_are_not_finite_are_named():
    layer = nn.Linear(2, 2)
    state = {name: value.clone() for name, value in layer.state_dict().items()}
    state["weight"][1, 1] = float("nan")
    with pytest.raises(InputError, match=r"^w holds NaN or infinite weights in weight; the train"):
        load_weights(layer, state, "w")
    assert layer.weight.isfinite().all(), "nothing was loaded"
    many = {f"t{n}": torch.tensor(float("inf")) for n in range(5)}
    with pytest.raises(InputError, match="in t0; t1; t2 and 2 more"):
        check_finite(many, "w")
    check_finite({"count": torch.tensor(7), "w": torch.ones(2)}, "w")
