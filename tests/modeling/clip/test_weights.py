"""Finding and reading CLIP weights: exact fit, QuickGELU where it belongs, and one clear line for
every way it can go wrong."""

import json
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path

import open_clip
import pytest
import torch
from open_clip.transformer import QuickGELU
from safetensors.torch import save_file

from ovarnet.build import load_model
from ovarnet.errors import InputError
from ovarnet.modeling.clip import weights as clip_weights
from ovarnet.modeling.clip.clip import load_clip
from ovarnet.modeling.clip.weights import read_state_dict, resolve

OPENAI_SCALARS = {
    "input_resolution": torch.tensor(64),
    "context_length": torch.tensor(77),
    "vocab_size": torch.tensor(49408),
}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(3)
    return open_clip.create_model("ovarnet-scenes").eval()


@pytest.fixture
def saved(model, tmp_path) -> Path:
    torch.save(model.state_dict(), tmp_path / "weights.pt")
    return tmp_path / "weights.pt"


def assert_same_weights(clip, model):
    for name, tensor in model.state_dict().items():
        assert torch.equal(clip.model.state_dict()[name], tensor), name


@pytest.mark.slow
def test_state_dicts_in_every_wrapping_load(model, saved, tmp_path):
    state = model.state_dict()
    assert_same_weights(load_clip("ovarnet-scenes", saved), model)
    assert_same_weights(load_clip("ovarnet-scenes", str(saved)), model)
    save_file(state, tmp_path / "weights.safetensors")
    assert_same_weights(load_clip("ovarnet-scenes", tmp_path / "weights.safetensors"), model)
    torch.save(
        {"epoch": 3, "state_dict": {f"module.{key}": value for key, value in state.items()}},
        tmp_path / "training.pt",
    )
    assert_same_weights(load_clip("ovarnet-scenes", tmp_path / "training.pt"), model)


def test_half_precision_weights_become_float32(model, tmp_path):
    torch.save(
        {key: value.half() for key, value in model.state_dict().items()}, tmp_path / "half.pt"
    )
    clip = load_clip("ovarnet-scenes", tmp_path / "half.pt")
    assert {parameter.dtype for parameter in clip.parameters()} == {torch.float32}


def test_openai_weights_get_quick_gelu_by_tag(monkeypatch, tmp_path):
    monkeypatch.setattr(
        clip_weights, "download", lambda name, tag, described: tmp_path / "cached.safetensors"
    )
    assert resolve("ViT-B-16", "openai", random_weights=False).quick_gelu is True
    assert resolve("ViT-B-16-quickgelu", "openai", random_weights=False).quick_gelu is True
    assert resolve("ViT-B-16", "laion2b_s34b_b88k", random_weights=False).quick_gelu is False


def test_quick_gelu_reaches_the_text_tower():
    source = resolve("ovarnet-scenes", None, random_weights=True)
    assert not any(isinstance(module, QuickGELU) for module in source.build().modules())
    assert (
        sum(
            isinstance(module, QuickGELU)
            for module in replace(source, quick_gelu=True).build().modules()
        )
        == 2
    )


def test_openai_files_ask_for_the_quickgelu_name(model, tmp_path):
    torch.save({**model.state_dict(), **OPENAI_SCALARS}, tmp_path / "openai.pt")
    with pytest.raises(
        InputError, match="trained with QuickGELU; name the architecture ovarnet-scenes-quickgelu"
    ):
        load_clip("ovarnet-scenes", tmp_path / "openai.pt")
    source = replace(
        resolve("ovarnet-scenes", tmp_path / "openai.pt", random_weights=False), quick_gelu=True
    )
    clip_weights.load_strictly(source.build(), read_state_dict(source.file), source)


def test_pixel_statistics_of_a_local_file_follow_the_architecture(saved):
    assert resolve("ViT-B-16-SigLIP", saved, random_weights=False).mean == (0.5, 0.5, 0.5)
    assert resolve("ViT-B-16", saved, random_weights=False).mean == open_clip.OPENAI_DATASET_MEAN


@pytest.mark.slow
def test_a_folder_as_the_hub_holds_it(model, tmp_path):
    described = {
        "model_cfg": open_clip.get_model_config("ovarnet-scenes"),
        "preprocess_cfg": {"mean": [0.1, 0.2, 0.3], "std": [1, 1, 2]},
    }
    (tmp_path / "open_clip_config.json").write_text(json.dumps(described))
    with pytest.raises(InputError, match="holds no weights file"):
        load_clip(f"local-dir:{tmp_path}", None)
    save_file(model.state_dict(), tmp_path / "open_clip_model.safetensors")
    clip = load_clip(f"local-dir:{tmp_path}", None)
    assert_same_weights(clip, model)
    assert (clip.mean, clip.std) == ((0.1, 0.2, 0.3), (1, 1, 2))
    whole = load_model(f"clip-attr:local-dir:{tmp_path}", proposer="scenes", device="cpu")
    assert whole.clip.mean == (0.1, 0.2, 0.3)
    with pytest.raises(InputError, match="brings its own weights"):
        load_clip(f"local-dir:{tmp_path}", "openai")
    (tmp_path / "open_clip_config.json").write_text("{")
    with pytest.raises(InputError, match=r"no readable open_clip_config\.json"):
        load_clip(f"local-dir:{tmp_path}", None)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            ImportError("Please install transformers"),
            r"needs packages that are not installed .*; pip install transformers sentencepiece",
        ),
        (
            OSError("no network"),
            r"\(timm/ViT-B-16-SigLIP on the Hugging Face Hub\) .* hf download "
            r"timm/ViT-B-16-SigLIP --local-dir FOLDER",
        ),
    ],
)
def test_a_tokenizer_that_is_not_at_hand(saved, monkeypatch, error, message):
    def missing(*_, **__):
        raise error

    monkeypatch.setattr(clip_weights.open_clip, "get_tokenizer", missing)
    monkeypatch.setattr(clip_weights, "why_unreachable", lambda: "no network")
    with pytest.raises(InputError, match=message):
        load_clip("ViT-B-16-SigLIP", saved)


@pytest.mark.parametrize(
    ("name", "pretrained", "message"),
    [
        (
            "ViT-B-17",
            "openai",
            r"unknown CLIP architecture 'ViT-B-17'; the nearest names are ViT-B-16",
        ),
        (
            "ViT-B-32-256",
            "openai",
            r"'openai' is no tag of ViT-B-32-256 and no file; the tags of ViT-B-32-256 are: "
            r"datacomp_s34b_b86k",
        ),
        (
            "RN50x4",
            None,
            r"no weights given for RN50x4; give an open_clip tag \(openai\) or a local weights "
            r"file",
        ),
        ("RN50", "nowhere/rn50.pt", r"weights file nowhere/rn50.pt does not exist"),
        ("RN50", Path("openai"), r"weights file openai does not exist"),
    ],
)
def test_names_that_lead_nowhere(name, pretrained, message):
    with pytest.raises(InputError, match=message):
        load_clip(name, pretrained)


def test_random_weights_only_on_request(saved):
    with pytest.raises(InputError, match="both given; choose one"):
        load_clip("ovarnet-scenes", saved, random_weights=True)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(InputError, match="is a folder; name the weights file in it"):
        load_clip("ovarnet-scenes", tmp_path)


class Evil:
    def __reduce__(self):
        return (exec, ("raise SystemExit('executed')",))


def test_damaged_and_foreign_files(saved, model, tmp_path):
    whole = saved.read_bytes()
    save_file(model.state_dict(), tmp_path / "cut.safetensors")
    cut = (tmp_path / "cut.safetensors").read_bytes()
    cases = {
        "cut.pt": (whole[: len(whole) // 2], "is cut off or no weights file"),
        "empty.pt": (b"", "is cut off or no weights file"),
        "photo.pt": (b"\xff\xd8\xff\xe0 not weights", "is cut off or no weights file"),
        "empty.safetensors": (b"", "no readable safetensors file"),
        "cut.safetensors": (cut[: len(cut) // 2], "no readable safetensors file"),
    }
    for name, (content, message) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=message) as caught:
            load_clip("ovarnet-scenes", tmp_path / name)
        assert name in str(caught.value)


def test_pickled_objects_are_never_executed(tmp_path):
    torch.save({"state_dict": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(
        InputError, match=r"evil\.pt holds pickled Python objects, which are never loaded"
    ):
        load_clip("ovarnet-scenes", tmp_path / "evil.pt")
    with zipfile.ZipFile(tmp_path / "script.pt", "w") as archive:
        archive.writestr("script/constants.pkl", b"")
        archive.writestr("script/data.pkl", pickle.dumps(Evil()))
    with pytest.raises(
        InputError, match=r"script\.pt holds pickled Python objects, which are never loaded"
    ):
        load_clip("ovarnet-scenes", tmp_path / "script.pt")
    torch.save([torch.zeros(2)], tmp_path / "list.pt")
    with pytest.raises(InputError, match=r"list\.pt holds no state dict"):
        load_clip("ovarnet-scenes", tmp_path / "list.pt")


def test_what_does_not_fit_is_named(model, tmp_path):
    state = model.state_dict()
    del state["ln_final.bias"]
    state["extra.weight"] = torch.zeros(1)
    state["text_projection"] = torch.zeros(96, 64)
    torch.save(state, tmp_path / "other.pt")
    with pytest.raises(InputError) as caught:
        load_clip("ovarnet-scenes", tmp_path / "other.pt")
    assert str(caught.value) == (
        f"{tmp_path / 'other.pt'} does not fit ovarnet-scenes: 1 missing (ln_final.bias); 1 left "
        "over (extra.weight); "
        "1 other shape (text_projection (96, 64) instead of (96, 128)); name the architecture it "
        "was made with"
    )
