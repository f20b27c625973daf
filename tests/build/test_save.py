"""A model in memory, saved and opened again, is the same model."""

import pytest
import torch
from safetensors.torch import load_file

from ovarnet.build import SHIPPED, load_model
from ovarnet.build.save import model_settings, save_model
from ovarnet.checkpoint import load_checkpoint
from ovarnet.errors import InputError
from ovarnet.modeling.text.linear_probe import LinearProbe


def same_state(model, other) -> bool:
    mine, theirs = model.state_dict(), other.state_dict()
    return mine.keys() == theirs.keys() and all(
        torch.equal(mine[key], theirs[key]) or mine[key].isnan().all() for key in mine
    )


@pytest.mark.parametrize("name", ["scenes", "scenes-clip-attr"])
def test_a_shipped_model_comes_back_from_one_folder(name, tmp_path):
    model = load_model(name, device="cpu")
    folder = save_model(model, tmp_path / "saved")
    assert {file.suffix for file in folder.iterdir()} == {".yaml", ".json", ".safetensors"}
    again = load_model(folder, device="cpu")
    assert type(again) is type(model)
    assert same_state(model, again)
    assert again.vocabulary == model.vocabulary
    assert (again.threshold, again.proposals) == (model.threshold, model.proposals)

    shipped, saved = load_checkpoint(SHIPPED / name), load_checkpoint(folder)
    assert saved.model == shipped.model
    # it no longer needs the folder of the other model
    assert not saved.settings.keys() & {"shared", "stored_in"}
    for section in ("prompts", "design", "backbone", "training"):
        assert saved.settings.get(section) == shipped.settings.get(section)


def test_changed_weights_scores_and_probe_are_saved(tmp_path):
    model = load_model("scenes-clip-attr", device="cpu")
    with torch.no_grad():
        next(model.clip.text_parameters()).add_(1 / 3)
    model.classifier.calibrate("category", 7.0, -2.0)
    model.classifier.probe = LinearProbe(
        {"category": ["mug"], "attribute": ["red", "old"]}, model.clip.embed_dim
    )
    model.threshold, model.nms_iou = 0.45, 0.35
    again = load_model(save_model(model, tmp_path / "saved"), device="cpu")
    assert same_state(model, again)
    assert again.classifier.calibration[0].tolist() == [7.0, -2.0]
    assert again.classifier.probe.names == {"category": ["mug"], "attribute": ["red", "old"]}
    assert (again.threshold, again.nms_iou) == (0.45, 0.35)


def test_tensors_take_half_the_space_where_that_loses_nothing(tmp_path):
    model = load_model("scenes-clip-attr", device="cpu")  # stored in float16
    with torch.no_grad():
        model.clip.model.positional_embedding.fill_(1 / 3)
    stored = load_file(save_model(model, tmp_path / "saved") / "clip.safetensors")
    assert stored.pop("positional_embedding").dtype == torch.float32
    floats = {value.dtype for value in stored.values() if value.is_floating_point()}
    assert floats == {torch.float16}


def test_a_tags_activation_is_part_of_the_name(monkeypatch):
    """RN50/openai is the architecture RN50 with another activation."""
    model = load_model("scenes-clip-attr", device="cpu")
    model.clip.name = "RN50"
    assert model_settings(model)["clip"] == {"name": "RN50"}
    monkeypatch.setattr(type(model.clip), "quick_gelu", True)
    assert model_settings(model)["clip"] == {"name": "RN50-quickgelu"}
    assert model_settings(model)["proposer"] == {"kind": "scenes", "clip": "ovarnet-scenes"}

    model.clip.name = "local-dir:/models/clip"
    with pytest.raises(InputError, match="local-dir:/models/clip is a folder; share that folder"):
        model_settings(model)


def test_what_no_checkpoint_can_hold_is_refused(tmp_path):
    (tmp_path / "boxes.json").write_text("{}")
    model = load_model("scenes-clip-attr", proposer=tmp_path / "boxes.json", device="cpu")
    with pytest.raises(InputError, match="a checkpoint holds no proposer of this kind"):
        save_model(model, tmp_path / "saved")
    single = load_model("scenes", device="cpu")
    single.settings = {}
    with pytest.raises(InputError, match="so its design is not known"):
        save_model(single, tmp_path / "saved")
    assert not (tmp_path / "saved").exists()
