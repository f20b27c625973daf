"""BERT-like towers on embeddings equal open_clip's own pass over token ids, padding masked."""

import pytest
import torch
from text_towers import bert_clip

from ovarnet.errors import InputError
from ovarnet.modeling.text.prompts import LearnedPrompts
from ovarnet.vocabulary import Word

pytest.importorskip("transformers")
TEXTS = ["a red cat", "a photo of striped blue cars of a car", "blue"]
FAMILIES = [
    ("bert", "mean_pooler"),
    ("bert", "cls_pooler"),
    ("bert", "cls_last_hidden_state_pooler"),
    ("roberta", "mean_pooler"),
    ("mt5", "mean_pooler"),
]


@pytest.fixture(params=FAMILIES, ids="-".join)
def clip(request, tmp_path):
    return bert_clip(tmp_path / "model", *request.param)


@torch.no_grad()
def test_texts_equal_open_clips_own_pass(clip):
    expected = clip.model.encode_text(clip.tokenizer(TEXTS))
    torch.testing.assert_close(clip.encode_text(TEXTS), expected, atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_prompt_does_not_depend_on_its_batch(clip):
    together = clip.encode_text(TEXTS)
    alone = torch.cat([clip.encode_text([text]) for text in TEXTS])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


@torch.no_grad()
def test_vectors_take_the_place_of_tokens(clip):
    """Vectors that hold the embeddings of "a photo" give the feature of those words."""
    tower = clip.text_tower
    photo = tower.tokenize(["a photo"])[0]
    cat = tower.tokenize(["cat"])[0]
    vectors = tower.token_embedding(torch.tensor(photo))
    sequence = [*tower.start, ~0, ~1, *cat, *tower.end]
    torch.testing.assert_close(
        tower.encode_sequences([sequence], vectors), clip.encode_text(["a photo cat"])
    )


def test_learned_prompts_take_gradients(clip):
    prompts = LearnedPrompts(clip.text_width, (1, 1, 1))
    words = [Word("red", parent="color"), Word("striped", parent="color")]
    found = prompts.encode(clip, words, "attribute")
    assert found.matrix.shape == (2, 16)
    found.matrix[0].sum().backward()
    assert (prompts.vectors.grad.abs().amax(dim=1) > 0).all()
    with pytest.raises(InputError, match="the prompt has room for"):
        prompts.encode(clip, [Word("red " * 12)], "attribute")


def test_too_long_a_text_is_refused_or_cut(clip):
    longest = " ".join(["cat"] * clip.text_tower.room)
    with pytest.raises(InputError, match=r"needs 13 tokens and .* reads 12"):
        clip.encode_text([longest + " cat"])
    torch.testing.assert_close(
        clip.encode_text([longest + " red"], truncate=True), clip.encode_text([longest])
    )


def test_special_tokens_are_found(tmp_path):
    assert bert_clip(tmp_path / "bert").text_tower.start == (1,)
    assert bert_clip(tmp_path / "bert").text_tower.end == (2,)
    assert bert_clip(tmp_path / "roberta", "roberta").text_tower.start == (0,)
    t5 = bert_clip(tmp_path / "mt5", "mt5").text_tower
    assert (t5.start, t5.end) == ((), (2,))


@torch.no_grad()
def test_a_stripped_separator_is_masked_as_open_clip_masks_it(tmp_path):
    clip = bert_clip(tmp_path / "bert", strip_sep_token=True)
    assert clip.text_tower.end == ()
    expected = clip.model.encode_text(clip.tokenizer(TEXTS))
    torch.testing.assert_close(clip.encode_text(TEXTS), expected, atol=1e-5, rtol=0)


def test_nothing_in_nothing_out(clip):
    assert clip.text_tower.encode_sequences([]).shape == (0, 16)
    assert clip.tokenize([]) == []


def test_parts_for_training_split_the_parameters(clip):
    text = {id(parameter) for parameter in clip.text_parameters()}
    assert id(clip.token_embedding.weight) not in text
    image = {id(parameter) for parameter in clip.image_parameters()}
    rest = {id(clip.logit_scale), id(clip.token_embedding.weight)}
    assert text | image | rest == {id(parameter) for parameter in clip.parameters()}
