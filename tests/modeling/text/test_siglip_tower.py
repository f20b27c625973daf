"""SigLIP's tower on embeddings equals open_clip's own pass, which attends to its padding."""

import pytest
import torch
from text_towers import siglip_clip

from ovarnet.modeling.text.prompts import LearnedPrompts
from ovarnet.vocabulary import Word

pytest.importorskip("transformers")
TEXTS = ["a red cat", "A photo, of striped blue cars", "blue"]


@pytest.fixture
def clip(tmp_path):
    return siglip_clip(tmp_path / "model")


@torch.no_grad()
def test_texts_equal_open_clips_own_pass(clip):
    expected = clip.model.encode_text(clip.tokenizer(TEXTS))
    torch.testing.assert_close(clip.encode_text(TEXTS), expected, atol=1e-5, rtol=0)


@torch.no_grad()
def test_vectors_take_the_place_of_tokens(clip):
    tower = clip.text_tower
    photo, cat = tower.tokenize(["a photo", "cat"])
    vectors = tower.token_embedding(torch.tensor(photo))
    torch.testing.assert_close(
        tower.encode_sequences([[~0, ~1, *cat, *tower.end]], vectors),
        clip.encode_text(["a photo cat"]),
    )


def test_learned_prompts_take_gradients(clip):
    prompts = LearnedPrompts(clip.text_width, (1, 1, 1))
    prompts.encode(clip, [Word("red", parent="color")], "attribute").matrix.sum().backward()
    assert (prompts.vectors.grad.abs().amax(dim=1) > 0).all()


def test_nothing_in_nothing_out(clip):
    assert clip.text_tower.encode_sequences([]).shape == (0, 16)
    assert clip.text_tower.start == ()
