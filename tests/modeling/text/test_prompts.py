"""Prompt layout token by token, templates, and that every word is encoded for itself."""

import pytest
import torch
import torch.nn.functional as F

from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import Clip, load_clip
from ovarnet.modeling.text.prompts import LearnedPrompts, TemplatePrompts
from ovarnet.vocabulary import Word

SOT, EOT = 49406, 49407
RED = Word("red", parent="color")
WORDS = [
    Word("mug", "kitchen"),
    RED,
    Word("made of wood", "material", synonyms=("wooden", "made_of_wood")),
    Word("zebra"),
]


@pytest.fixture(scope="module")
def clip() -> Clip:
    torch.manual_seed(0)
    return load_clip("ovarnet-scenes", None, random_weights=True)


@pytest.fixture(params=["templates", "learned"])
def prompts(request):
    torch.manual_seed(1)
    return TemplatePrompts() if request.param == "templates" else LearnedPrompts(96)


def ids(clip, text):
    return clip.tokenize([text])[0]


def test_the_layout_is_ten_vectors_word_ten_vectors_parent_ten_vectors(clip):
    prompts = LearnedPrompts(96)
    assert prompts.vectors.shape == (30, 96)
    assert abs(prompts.vectors.std().item() - 0.02) < 0.002
    layout = prompts.layout(clip, "made of wood", "material")
    marks = [~k for k in range(30)]
    assert layout == [
        49406,
        *marks[:10],
        *ids(clip, "made of wood"),
        *marks[10:20],
        *ids(clip, "material"),
        *marks[20:],
        49407,
    ]
    assert len(layout) == 1 + 10 + 3 + 10 + 1 + 10 + 1
    assert marks[0] == -1
    assert marks[29] == -30


def test_vector_counts_are_free_and_may_be_zero(clip):
    assert LearnedPrompts(96, (2, 0, 1)).layout(clip, "red", "color") == [
        49406,
        -1,
        -2,
        *ids(clip, "red"),
        *ids(clip, "color"),
        -3,
        49407,
    ]
    none = LearnedPrompts(96, (0, 0, 0))
    with torch.no_grad():
        expected = F.normalize(clip.encode_text(["red color"]), dim=-1)
        torch.testing.assert_close(none.encode(clip, [RED], "attribute").matrix, expected)


@torch.no_grad()
def test_the_feature_is_that_of_the_spelled_out_prompt_at_its_end(clip):
    """Against open_clip's own pass over all 77 positions."""
    prompts = LearnedPrompts(96, (1, 1, 1))
    ids_row = torch.tensor([[SOT, 0, *ids(clip, "red"), 0, *ids(clip, "color"), 0, EOT, *[0] * 70]])
    embeddings = clip.token_embedding(ids_row)
    embeddings[0, [1, 3, 5]] = prompts.vectors
    model = clip.model
    hidden = model.ln_final(
        model.transformer(embeddings + model.positional_embedding, attn_mask=model.attn_mask)
    )
    expected = F.normalize(hidden[:, 6] @ model.text_projection, dim=-1)
    torch.testing.assert_close(
        prompts.encode(clip, [RED], "attribute").matrix, expected, atol=1e-5, rtol=0
    )


@torch.no_grad()
def test_words_without_a_type_use_other_and_underscores_are_spaces(clip):
    prompts = LearnedPrompts(96)
    one = prompts.encode(clip, [Word("teddy_bear")], "category").matrix
    torch.testing.assert_close(
        one, prompts.encode(clip, [Word("teddy bear", parent="other")], "category").matrix
    )
    assert not torch.allclose(
        one, prompts.encode(clip, [Word("teddy bear", parent="animal")], "category").matrix
    )


@torch.no_grad()
def test_templates_are_averaged_after_normalisation(clip):
    prompts = TemplatePrompts(["a photo of a {}."], ["{} thing", "something {}"])
    rows = F.normalize(clip.encode_text(["red thing", "something red"]), dim=-1)
    embeddings = prompts.encode(clip, [RED], "attribute")
    torch.testing.assert_close(
        embeddings.matrix, F.normalize(rows.mean(dim=0, keepdim=True), dim=-1), atol=1e-6, rtol=0
    )
    torch.testing.assert_close(
        prompts.encode(clip, [RED], "category").matrix,
        F.normalize(clip.encode_text(["a photo of a red."]), dim=-1),
    )
    braces = prompts.encode(clip, [Word("{x}")], "category").matrix
    torch.testing.assert_close(braces, F.normalize(clip.encode_text(["a photo of a {x}."]), dim=-1))


@torch.no_grad()
def test_rows_follow_the_strings_and_owners_the_words(clip, prompts):
    embeddings = prompts.encode(clip, WORDS, "attribute")
    assert embeddings.owner.tolist() == [0, 1, 2, 2, 3]
    assert (len(embeddings), embeddings.kind, embeddings.has_synonyms) == (4, "attribute", True)
    torch.testing.assert_close(embeddings.matrix.norm(dim=1), torch.ones(5))


@torch.no_grad()
def test_a_word_is_encoded_for_itself(clip, prompts):
    """Neither order nor size of the list changes a word's rows."""
    together = prompts.encode(clip, WORDS, "attribute")
    backwards = prompts.encode(clip, WORDS[::-1], "attribute")
    for column, word in enumerate(WORDS):
        alone = prompts.encode(clip, [word], "attribute").matrix
        torch.testing.assert_close(
            together.matrix[together.owner == column], alone, atol=1e-5, rtol=0
        )
        torch.testing.assert_close(
            backwards.matrix[backwards.owner == len(WORDS) - 1 - column], alone, atol=1e-5, rtol=0
        )


def test_no_words_give_no_rows(clip, prompts):
    embeddings = prompts.encode(clip, [], "category")
    assert (embeddings.matrix.shape, embeddings.owner.shape, len(embeddings)) == ((0, 128), (0,), 0)


def test_gradients_reach_vectors_and_text_tower(clip):
    prompts = LearnedPrompts(96)
    clip.zero_grad()
    prompts.encode(clip, WORDS, "category").matrix[:, 0].sum().backward()
    assert (prompts.vectors.grad.abs().sum(dim=1) > 0).all()
    assert all(parameter.grad is not None for parameter in clip.text_parameters())
    clip.zero_grad()


def test_any_words_work(clip, prompts):
    words = [Word("café, au lait"), Word("猫"), Word("🙂"), Word("it's {here}"), Word("-")]
    assert torch.isfinite(prompts.encode(clip, words, "category").matrix).all()


def test_too_long_words_are_named_and_never_cut(clip, prompts):
    letters = " ".join("abcdefgh" * 9)  # 72 tokens in 143 characters
    with pytest.raises(InputError, match=r"a b c d e f .* needs .* tokens .* shorten it"):
        prompts.encode(clip, [RED, Word(letters)], "category")


def test_exactly_as_many_tokens_as_fit(clip):
    prompts = LearnedPrompts(96)
    prompts.layout(
        clip, " ".join(["cat"] * 44), "other"
    )  # 77 - 30 vectors - start, end and one token of "other"
    with pytest.raises(
        InputError,
        match=r"^the word 'cat cat .*\.\.\.' needs 45 tokens but the prompt has room for 44; "
        r"shorten it$",
    ):
        prompts.layout(clip, " ".join(["cat"] * 45), "other")


def test_vectors_of_another_width_are_refused(clip):
    with pytest.raises(
        InputError, match="prompt vectors are 512 wide but the text tower of ovarnet-scenes is 96"
    ):
        LearnedPrompts(512).encode(clip, [RED], "attribute")


@pytest.mark.parametrize("templates", [[], ["a photo"], ["{} and {}"]])
def test_templates_need_one_place_for_the_word(templates):
    with pytest.raises(InputError, match=r"category templates need one \{\} each"):
        TemplatePrompts(templates, ["{}"])
