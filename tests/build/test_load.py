"""A model by its name, as a predictor and as a plain module."""

import shutil
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from ovarnet.build import SHIPPED, load, load_model
from ovarnet.errors import InputError
from ovarnet.modeling.clip_attr import ClipAttr
from ovarnet.modeling.ovarnet import OvarNet
from ovarnet.modeling.predictor import Predictor
from ovarnet.shipped import DEFAULT_MODEL, DEFAULT_PROPOSER


@pytest.mark.parametrize(("name", "kind"), [("scenes", OvarNet), ("scenes-clip-attr", ClipAttr)])
def test_a_shipped_model_as_predictor_and_as_module(name, kind):
    predictor, module = load(name, device="cpu"), load_model(name, device="cpu")
    assert isinstance(predictor, Predictor)
    assert type(predictor.model) is type(module) is kind
    assert predictor.vocabulary is predictor.model.vocabulary
    assert not module.training
    assert module.device == torch.device("cpu")
    assert all(
        torch.equal(value, module.state_dict()[key])
        for key, value in predictor.model.state_dict().items()
    )


def test_a_name_and_a_proposer_have_defaults(monkeypatch):
    module, opened = sys.modules["ovarnet.build.load"], []
    teacher, model = SHIPPED / "scenes-clip-attr", load_model("scenes-clip-attr", device="cpu")
    monkeypatch.setattr(module, "find_checkpoint", lambda name: opened.append(name) or teacher)
    monkeypatch.setattr(module, "stock_clip_attr", lambda *given: opened.append(given) or model)
    load_model(device="cpu")
    load(device="cpu")
    load("clip-attr:RN50/openai", device="cpu")
    load("clip-attr:RN50/openai", proposer="torchvision", device="cpu")
    assert opened == [
        DEFAULT_MODEL,
        DEFAULT_MODEL,
        ("RN50/openai", DEFAULT_PROPOSER),
        ("RN50/openai", "torchvision"),
    ]


def test_a_device_of_none_is_auto(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert load("scenes", device=None).device == torch.device("cpu")
    with pytest.raises(InputError, match="device 'warp' cannot be used here"):
        load("scenes", device="warp")


def test_the_category_activation_reaches_the_predictor():
    assert load("scenes", category_activation="softmax").category_activation == "softmax"
    with pytest.raises(InputError, match="'hardmax' is not known; choose sigmoid or softmax"):
        load("scenes", category_activation="hardmax")


def test_an_ovarnet_takes_no_proposer():
    with pytest.raises(InputError, match="scenes is an OvarNet, which finds its boxes itself"):
        load("scenes", proposer="scenes")


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_named(number, tmp_path):
    """They would give scores that are not numbers."""
    folder = shutil.copytree(SHIPPED / "scenes-clip-attr", tmp_path / "copy")
    state = load_file(folder / "clip.safetensors")
    state["text_projection"][0, 0] = number
    save_file(state, folder / "clip.safetensors")
    with pytest.raises(InputError) as error:
        load(folder, device="cpu")
    assert str(error.value).startswith(
        f"{folder / 'clip.safetensors'} holds NaN or infinite weights in text_projection; "
    )


def test_a_local_clip_with_such_weights_is_refused_too(tmp_path):
    state = load_file(SHIPPED / "scenes-clip-attr" / "clip.safetensors")
    state["visual.conv1.weight"][0] = float("nan")
    save_file(state, tmp_path / "clip.safetensors")
    with pytest.raises(InputError, match=r"clip\.safetensors holds NaN .* visual\.conv1\.weight"):
        load(f"clip-attr:ovarnet-scenes/{tmp_path / 'clip.safetensors'}", device="cpu")


def test_a_model_brings_its_threshold_calibration_and_number_of_proposals():
    shipped = load_model("photos-clip-attr", device="cpu")
    assert (shipped.threshold, shipped.nms_iou, shipped.proposals) == (0.2, 0.3, 50)
    assert shipped.score_calibration == pytest.approx((1.9716, -2.2987))
    usual = load_model("scenes-clip-attr", device="cpu")
    assert (usual.threshold, usual.nms_iou, usual.proposals) == (0.3, 0.5, 100)
    assert usual.score_calibration == (1.0, 0.0)
