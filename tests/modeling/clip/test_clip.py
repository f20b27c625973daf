"""Both towers against open_clip's own encode_image / encode_text, on weights saved by open_clip and
loaded by path."""

import copy

import open_clip
import pytest
import torch
from open_clip.transformer import QuickGELU
from safetensors.torch import save_file

from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import Clip, load_clip
from ovarnet.modeling.clip.weights import ClipSource

TEXTS = [
    "a photo of a cat.",
    "red",
    "a very long story about a striped mug next to a blue car that is shiny and old",
]


@pytest.fixture(scope="module")
def scenes() -> Clip:
    torch.manual_seed(0)
    return load_clip("ovarnet-scenes", None, random_weights=True)


def loaded_and_reference(name: str, suffix: str, folder) -> tuple[Clip, torch.nn.Module]:
    torch.manual_seed(0)
    reference = open_clip.create_model(name).eval()
    for module in (
        reference.visual.modules()
    ):  # open_clip starts the residual branches at zero, which would hide mistakes in them
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.0)
            torch.nn.init.uniform_(module.running_mean, -0.1, 0.1)
    file = folder / f"weights{suffix}"
    (save_file if suffix == ".safetensors" else torch.save)(reference.state_dict(), file)
    clip = load_clip(name, file)
    file.unlink()
    return clip, reference


@pytest.fixture(scope="module")
def resnet(tmp_path_factory):
    return loaded_and_reference("RN50-quickgelu", ".safetensors", tmp_path_factory.mktemp("rn50"))


@pytest.fixture(scope="module")
def vit(tmp_path_factory):
    return loaded_and_reference("ViT-B-32", ".pt", tmp_path_factory.mktemp("vit"))


def test_the_activation_is_read_from_the_modules(scenes, monkeypatch):
    assert not scenes.quick_gelu
    block = next(module for module in scenes.model.modules() if hasattr(module, "mlp"))
    monkeypatch.setattr(block.mlp, "gelu", QuickGELU())
    assert scenes.quick_gelu


@torch.no_grad()
def test_a_copy_has_its_own_weights_and_the_same_tokenizer(scenes):
    copied = copy.deepcopy(scenes)
    assert copied.tokenizer is scenes.tokenizer
    assert copied.text_tower.token_embedding is copied.model.token_embedding
    assert copied.token_embedding.weight is not scenes.token_embedding.weight
    expected = scenes.encode_text(TEXTS)
    assert torch.equal(copied.encode_text(TEXTS), expected)
    copied.token_embedding.weight.zero_()
    assert torch.equal(scenes.encode_text(TEXTS), expected)
    assert not torch.equal(copied.encode_text(TEXTS), expected)
    assert load_clip("ovarnet-scenes", None, random_weights=True).tokenizer is scenes.tokenizer


@pytest.mark.slow
@pytest.mark.parametrize("pair", ["resnet", "vit"])
@torch.no_grad()
def test_both_towers_equal_open_clip(pair, request):
    clip, reference = request.getfixturevalue(pair)
    pixels = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    mean, std = (
        torch.tensor(values).view(3, 1, 1)
        for values in (open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD)
    )
    torch.testing.assert_close(
        clip.encode_image(clip.normalise(pixels)),
        reference.encode_image((pixels - mean) / std),
        atol=1e-5,
        rtol=0,
    )
    expected = reference.encode_text(open_clip.get_tokenizer(clip.name)(TEXTS))
    torch.testing.assert_close(clip.encode_text(TEXTS), expected, atol=1e-5, rtol=0)
    assert (clip.embed_dim, clip.image_size, clip.context_length, clip.text_width) == (
        expected.shape[1],
        224,
        77,
        512,
    )
    assert clip.logit_scale is clip.model.logit_scale


def test_nothing_in_nothing_out(scenes):
    assert scenes.encode_image(torch.zeros(0, 3, 64, 64)).shape == (0, 128)
    assert scenes.encode_text([]).shape == (0, 128)
    assert scenes.encode_sequences([]).shape == (0, 128)


@torch.no_grad()
def test_forward_encodes_crops(scenes):
    pixels = torch.randn(2, 3, 64, 64)
    expected = scenes.encode_image(pixels)
    assert expected.shape == (2, 128)
    assert torch.equal(scenes(pixels), expected)


@pytest.mark.slow
@torch.no_grad()
def test_torch_export(scenes):
    pixels = torch.randn(2, 3, 64, 64)
    expected = scenes.encode_image(pixels)
    exported = torch.export.export(scenes, (pixels,)).module()
    torch.testing.assert_close(exported(pixels), expected, atol=1e-5, rtol=0)


def test_crops_of_another_size_are_refused(scenes):
    with pytest.raises(InputError, match=r"64 x 64 pixels; got \(64, 96\)"):
        scenes.encode_image(torch.zeros(1, 3, 64, 96))


def test_too_long_a_text_is_named_or_cut_when_asked(scenes):
    longest = " ".join(["cat"] * 75)  # one token each, with start and end 77
    scenes.encode_text([longest])
    with pytest.raises(
        InputError, match=r"'cat cat .* needs 78 tokens and ovarnet-scenes reads 77"
    ):
        scenes.encode_text(["dog", longest + " cat"])
    cut = scenes.encode_text([longest + " dog dog"], truncate=True)
    torch.testing.assert_close(cut, scenes.encode_text([longest]))


def test_parts_for_training_split_the_parameters(scenes):
    image, text = list(scenes.image_parameters()), list(scenes.text_parameters())
    rest = [scenes.logit_scale, scenes.token_embedding.weight]
    assert {id(p) for p in [*image, *text, *rest]} == {id(p) for p in scenes.parameters()}
    assert len(image) + len(text) + len(rest) == len(list(scenes.parameters()))


class WordCounter:
    """A tokenizer with another interface than CLIP's, like the Hub's: ids by word, padded with 1 to
    8 tokens, cut silently."""

    def tokenizer(self, text):
        return type("Encoded", (), {"input_ids": [2 + len(word) for word in text.split()]})

    def __call__(self, texts):
        rows = [(self.tokenizer(text).input_ids + [1] * 8)[:8] for text in texts]
        return torch.tensor(rows)


@torch.no_grad()
def test_other_text_towers_encode_plain_texts_only():
    """A tower like SigLIP's: no causal mask, read at the last position, another tokenizer."""
    config = {
        "embed_dim": 32,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},
        "text_cfg": {
            "context_length": 8,
            "vocab_size": 50,
            "width": 32,
            "heads": 2,
            "layers": 1,
            "no_causal_mask": True,
            "proj_bias": True,
            "pool_type": "last",
        },
    }
    model = open_clip.CustomTextCLIP(**config).eval()
    clip = Clip(model, WordCounter(), ClipSource("siglip-like", config, None, False))
    texts = ["a cat", "one two three"]
    assert torch.equal(clip.encode_text(texts), model.encode_text(WordCounter()(texts)))
    with pytest.raises(InputError, match="needs 9 tokens and siglip-like reads 8"):
        clip.encode_text(["1 2 3 4 5 6 7 8 9"])
    with pytest.raises(InputError, match="takes no learnable vectors"):
        clip.tokenize(texts)


@torch.no_grad()
def test_causal_towers_of_other_model_classes_take_embeddings():
    """EVA and others keep CLIP's text tower in a module of its own."""
    config = {
        "embed_dim": 32,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},
        "text_cfg": {"width": 64, "heads": 2, "layers": 2},
    }
    model = open_clip.CustomTextCLIP(**config).eval()
    clip = Clip(model, open_clip.SimpleTokenizer(), ClipSource("eva-like", config, None, False))
    torch.testing.assert_close(
        clip.encode_text(TEXTS), model.encode_text(open_clip.tokenize(TEXTS)), atol=1e-5, rtol=0
    )
