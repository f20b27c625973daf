"""TorchScript archives read as plain tensors."""

import pickle
import zipfile

import open_clip
import pytest
import torch

from ovarnet.modeling.clip.clip import load_clip
from ovarnet.modeling.clip.torchscript_archive import is_torchscript, read_torchscript
from ovarnet.modeling.clip.weights import read_state_dict


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(3)
    load_clip("ovarnet-scenes", None, random_weights=True)  # open_clip knows our architectures now
    return open_clip.create_model("ovarnet-scenes").eval()


def assert_same_weights(clip, model):
    for name, tensor in model.state_dict().items():
        assert torch.equal(clip.model.state_dict()[name], tensor), name


@pytest.mark.slow
@pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::torch.jit.TracerWarning"
)
def test_torchscript_archives_are_read_without_running_them(model, tmp_path, monkeypatch):
    """The form in which OpenAI gives its weights away."""
    open_clip.trace_model(model, batch_size=2).save(str(tmp_path / "archive.pt"))
    monkeypatch.setattr(torch.jit, "load", None)
    assert read_state_dict(tmp_path / "archive.pt").keys() == model.state_dict().keys()
    assert_same_weights(load_clip("ovarnet-scenes", tmp_path / "archive.pt"), model)


def test_only_archives_with_a_constants_table_are_torchscript(tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / "state.pt")
    assert not is_torchscript(tmp_path / "state.pt")
    (tmp_path / "text.pt").write_text("no archive")
    assert not is_torchscript(tmp_path / "text.pt")
    torch.jit.script(torch.nn.Linear(2, 3)).save(str(tmp_path / "linear.pt"))
    assert is_torchscript(tmp_path / "linear.pt")


def test_tensors_have_the_names_of_the_state_dict(tmp_path):
    layer = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    torch.jit.script(layer).save(str(tmp_path / "layer.pt"))
    state = read_torchscript(tmp_path / "layer.pt")
    assert state.keys() == layer.state_dict().keys()
    assert all(torch.equal(state[name], value) for name, value in layer.state_dict().items())


def test_other_classes_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "evil.pt", "w") as archive:
        archive.writestr("evil/constants.pkl", b"")
        archive.writestr("evil/data.pkl", pickle.dumps(print))
    with pytest.raises(pickle.UnpicklingError, match=r"builtins\.print has no place"):
        read_torchscript(tmp_path / "evil.pt")
