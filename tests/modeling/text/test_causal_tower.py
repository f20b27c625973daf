"""CLIP's own tower: equal to open_clip's `encode_text`, only the longest text is computed."""

import open_clip
import pytest
import torch

from ovarnet.modeling.clip.clip import load_clip

TEXTS = ["a red cat", "a photo of two striped mugs on a table", "x"]


@pytest.fixture(scope="module")
def scenes():
    torch.manual_seed(0)
    return load_clip("ovarnet-scenes", None, random_weights=True)


@torch.no_grad()
def test_what_stands_after_the_end_does_not_matter(scenes):
    tokens = open_clip.get_tokenizer("ovarnet-scenes")(TEXTS)
    lengths = tokens.argmax(dim=1) + 1
    expected = scenes.model.encode_text(tokens)
    embeddings = scenes.token_embedding(tokens)
    encode = scenes.text_tower.encode
    torch.testing.assert_close(encode(embeddings, lengths), expected, atol=1e-5, rtol=0)
    for row, length in zip(embeddings, lengths, strict=True):
        row[length:] = torch.randn_like(row[length:])
    torch.testing.assert_close(encode(embeddings, lengths), expected, atol=1e-5, rtol=0)


@torch.no_grad()
def test_only_the_longest_prompt_of_the_batch_is_computed(scenes, monkeypatch):
    lengths = []
    forward = scenes.model.transformer.forward
    monkeypatch.setattr(
        scenes.model.transformer,
        "forward",
        lambda x, attn_mask: lengths.append(x.shape[1]) or forward(x, attn_mask),
    )
    scenes.encode_text(["cat", "a red cat"])
    assert lengths == [5]


def test_no_prompts_give_no_features(scenes):
    nothing = torch.zeros(0, 9, 96), torch.zeros(0, dtype=torch.long)
    assert scenes.text_tower.encode(*nothing).shape == (0, 128)
