"""A CLIP of EfficientNet-Lite and MiniLM goes through `load_clip` like any other."""

import pytest
import torch
from safetensors.torch import save_file

from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import load_clip
from ovarnet.modeling.clip.concept_clip import MEAN, concept_config, resolve_concept_clip
from ovarnet.modeling.clip.feature_maps import feature_channels, feature_maps, feature_strides
from ovarnet.modeling.text.bert_tower import BertTower
from ovarnet.modeling.text.prompts import LearnedPrompts
from ovarnet.vocabulary import Word


@pytest.fixture(scope="module")
def photos():
    torch.manual_seed(0)
    return load_clip("ovarnet-photos", None, random_weights=True)


@torch.no_grad()
def test_both_towers_share_one_space(photos):
    images = photos(torch.zeros(2, 3, 224, 224))
    texts = photos.encode_text(["a mug", "a photo of something striped"])
    assert images.shape == texts.shape == (2, photos.embed_dim) == (2, 768)
    assert isinstance(photos.text_tower, BertTower)
    assert (photos.text_width, photos.image_size, photos.mean) == (384, 224, MEAN)


@torch.no_grad()
def test_texts_equal_the_pass_over_padded_ids(photos):
    texts = ["a mug", "a photo of a red and white striped bus"]
    ids = photos.tokenizer(texts)
    torch.testing.assert_close(
        photos.encode_text(texts), photos.model.encode_text(ids), atol=1e-5, rtol=0
    )


def test_learned_prompts_take_gradients(photos):
    prompts = LearnedPrompts(photos.text_width, (1, 1, 1))
    prompts.encode(photos, [Word("red", parent="color")], "attribute").matrix.sum().backward()
    assert (prompts.vectors.grad.abs().amax(dim=1) > 0).all()


@torch.no_grad()
def test_it_has_the_maps_of_a_staged_tower(photos):
    visual = photos.model.visual
    assert feature_strides(visual) == {"c2": 4, "c3": 8, "c4": 16, "c5": 32}
    maps = feature_maps(visual, torch.zeros(1, 3, 70, 33))
    assert tuple(maps["c5"].shape) == (1, feature_channels(visual)["c5"], 3, 2)


@pytest.mark.slow
@torch.no_grad()
def test_weights_are_stored_and_read_back(photos, tmp_path):
    state = {name: value.contiguous() for name, value in photos.model.state_dict().items()}
    save_file(state, tmp_path / "clip.safetensors")
    again = load_clip("ovarnet-photos", tmp_path / "clip.safetensors")
    pixels = torch.rand(1, 3, 224, 224)
    assert torch.equal(again(pixels), photos(pixels))
    del state["visual.head.balance"]
    save_file(state, tmp_path / "cut.safetensors")
    with pytest.raises(InputError, match="1 missing"):
        load_clip("ovarnet-photos", tmp_path / "cut.safetensors")


def test_no_weights_are_an_error_and_other_names_are_left_alone():
    with pytest.raises(InputError, match='give "packages" or a local weights file'):
        resolve_concept_clip("ovarnet-photos", None, random_weights=False)
    assert resolve_concept_clip("RN50", "openai", random_weights=False) is None
    assert concept_config("RN50") is None
