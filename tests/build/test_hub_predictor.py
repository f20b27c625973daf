"""save_pretrained, from_pretrained and push_to_hub, with a folder and a stand-in for the Hub."""

import pytest
import torch
from huggingface_hub import ModelCard
from stub_hub import COMMIT, stub_hub

import ovarnet
from ovarnet.errors import InputError
from ovarnet.io.files import write_json

SCENE = f"{ovarnet.__path__[0]}/examples/scene.jpg"


@pytest.fixture(scope="module")
def model():
    return ovarnet.load("scenes-clip-attr", device="cpu")


@pytest.fixture
def hub(monkeypatch, tmp_path):
    with stub_hub(monkeypatch, tmp_path / "cache") as server:
        yield server


def scores(model):
    return model.detect(SCENE, ["tree", "heart"], ["red"], boxes=[[0, 0, 90, 90]]).attribute_scores


def test_a_folder_and_back(model, tmp_path):
    folder = tmp_path / "saved"
    model.save_pretrained(folder)
    assert sorted(file.name for file in folder.iterdir()) == [
        "README.md",
        "clip.safetensors",
        "config.yaml",
        "prompts.safetensors",
        "proposer.safetensors",
        "vocabulary.json",
    ]
    again = ovarnet.HubPredictor.from_pretrained(
        folder, category_activation="softmax", device="cpu"
    )
    assert again.category_activation == "softmax"
    torch.testing.assert_close(scores(again), scores(model), rtol=0, atol=0)


def test_saving_again_keeps_the_users_card_and_drops_old_parts(model, tmp_path):
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / "probe.safetensors").write_bytes(b"of another model")
    model.save_pretrained(tmp_path)
    assert (tmp_path / "README.md").read_text() == "mine"
    assert not (tmp_path / "probe.safetensors").exists()


def test_pushed_and_loaded_from_the_hub(model, hub, tmp_path):
    row = {"setting": "box-given", "measure": "category accuracy", "protocol": "arg-max"}
    row |= {"group": "all", "value": 0.9, "chance": 0.5, "of": 40, "skipped": 0}
    write_json(tmp_path / "metrics.json", {"about": {"dataset": "mine"}, "rows": [row]})
    card = {"evaluations": [tmp_path / "metrics.json"], "license": "apache-2.0"}
    url = model.push_to_hub("shop/scenes", token="secret", model_card_kwargs=card)
    assert str(url) == f"{hub.url}/shop/scenes/commit/{COMMIT}"

    files = hub.repositories["shop/scenes"]
    assert {"config.yaml", "vocabulary.json", "clip.safetensors", "README.md"} <= files.keys()
    assert not [name for name in files if name.endswith((".bin", ".pt", ".py"))]
    written = ModelCard(files["README.md"].decode())
    assert written.data.library_name == "ovarnet"
    assert written.data.license == "apache-2.0"
    assert written.data.pipeline_tag == "zero-shot-object-detection"
    assert 'ovarnet.load("hf:shop/scenes")' in written.text
    assert "| box-given | category accuracy | arg-max | all | 90.0 | 50.0 | 40 |" in written.text

    again = ovarnet.load("hf:shop/scenes", device="cpu")
    torch.testing.assert_close(scores(again), scores(model), rtol=0, atol=0)
    same = ovarnet.HubPredictor.from_pretrained("shop/scenes", revision="main", device="cpu")
    assert same.model.settings == again.model.settings


def test_refusals_are_one_line(model, hub, monkeypatch):
    with pytest.raises(InputError, match="shop/scenes cannot be uploaded to http") as error:
        model.push_to_hub("shop/scenes", token="wrong")
    assert "hf auth login" in str(error.value)
    assert "\n" not in str(error.value)
    assert hub.repositories == {}

    monkeypatch.setattr("ovarnet.build.hub_predictor.why_unreachable", lambda: "no network: x")
    with pytest.raises(InputError, match=r"does not answer \(no network: x\); try again later"):
        model.push_to_hub("shop/scenes", token="secret")
