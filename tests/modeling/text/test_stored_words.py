"""Words kept in a file give the scores of words encoded anew, and belong to one text tower."""

import copy
import math

import pytest
import torch

from ovarnet.errors import InputError
from ovarnet.io.encoded_words import EncodedWords, read_encoded_words, write_encoded_words
from ovarnet.modeling.clip.clip import load_clip
from ovarnet.modeling.ovarnet import text_tower_only
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.prompts import LearnedPrompts, TemplatePrompts
from ovarnet.modeling.text.stored_words import encode_missing, load_words, save_words, text_key
from ovarnet.vocabulary import Vocabulary, Word

WORDS = Vocabulary.of(
    ["mug", Word("car", "vehicle")], [Word("red", "color", synonyms=("red", "crimson")), "old"]
)


@pytest.fixture(scope="module")
def clip():
    torch.manual_seed(0)
    return load_clip("ovarnet-scenes", None, random_weights=True)


@pytest.fixture
def classifier(clip):
    torch.manual_seed(1)
    return TextClassifier(clip, LearnedPrompts(96, (1, 1, 1))).eval()


def scores(classifier, encoded):
    torch.manual_seed(2)
    return torch.cat(classifier.logits(torch.randn(3, classifier.clip.embed_dim), encoded), dim=1)


def test_words_of_a_file_score_as_those_encoded_anew(classifier, tmp_path):
    encoded = classifier.encode_vocabulary(WORDS)
    save_words(tmp_path / "w.safetensors", encoded, classifier)
    loaded = load_words(tmp_path / "w.safetensors", classifier)
    assert loaded.words == WORDS
    assert loaded.attributes.owner.tolist() == [0, 0, 1]
    assert (loaded.categories.names, len(loaded.categories)) == (("mug", "car"), 2)
    torch.testing.assert_close(
        scores(classifier, loaded), scores(classifier, encoded), rtol=0, atol=0
    )


def test_only_missing_words_are_encoded(classifier, monkeypatch):
    stored = classifier.encode_vocabulary(WORDS)
    wanted = Vocabulary.of(
        [Word("car", "animal"), "mug", "dog"], ["old", Word("red", "color", False, ("crimson",))]
    )
    expected = scores(classifier, classifier.encode_vocabulary(wanted))
    encoded = []
    embed = classifier.embed
    monkeypatch.setattr(
        classifier,
        "embed",
        lambda words, kind: (
            encoded.extend((word.name, kind) for word in words) or embed(words, kind)
        ),
    )
    found = encode_missing(classifier, wanted, stored)
    # the car has another parent type, and red other synonyms
    assert encoded == [("car", "category"), ("dog", "category"), ("red", "attribute")]
    assert found.words is wanted
    assert found.attributes.names == ("old", "red")
    torch.testing.assert_close(scores(classifier, found), expected)


def test_the_key_names_text_tower_and_prompts_alone(clip, classifier):
    key = text_key(classifier)
    assert len(key) == 16

    calibrated = TextClassifier(text_tower_only(clip), classifier.prompts, bias=-2.0)
    calibrated.calibrate("category", 10.0, -3.0)
    with torch.no_grad():
        calibrated.clip.logit_scale.fill_(math.log(10))
    assert text_key(calibrated) == key  # what an OvarNet keeps of its teacher

    other_prompts = TextClassifier(clip, LearnedPrompts(96, (1, 1, 1)))
    templates = TextClassifier(clip, TemplatePrompts())
    one_template = TextClassifier(clip, TemplatePrompts(["a {}."], ["a {} thing."]))
    other_tower = TextClassifier(copy.deepcopy(clip), classifier.prompts)
    with torch.no_grad():
        next(other_tower.clip.text_parameters()).add_(1)
    keys = {text_key(one) for one in (other_prompts, templates, one_template, other_tower)}
    assert len(keys | {key}) == 5


def test_words_of_another_model_are_refused(clip, classifier, tmp_path):
    path = tmp_path / "w.safetensors"
    save_words(path, classifier.encode_vocabulary(WORDS), classifier)
    with pytest.raises(InputError, match="encoded by another model") as error:
        load_words(path, TextClassifier(clip, TemplatePrompts()))
    assert str(error.value).startswith(f"{path}: ")
    assert f"ovarnet encode-words {path} --model" in str(error.value)
    assert "\n" not in str(error.value)


def test_embeddings_that_do_not_fit_the_words_are_refused(classifier, tmp_path):
    path = tmp_path / "w.safetensors"
    save_words(path, classifier.encode_vocabulary(WORDS), classifier)
    whole = read_encoded_words(path)
    for damage in (lambda rows: rows[1:], lambda rows: rows[:, 1:], lambda rows: rows * math.nan):
        cut = {**whole.embeddings, "categories": damage(whole.embeddings["categories"])}
        write_encoded_words(path, EncodedWords(whole.vocabulary, whole.key, cut))
        with pytest.raises(InputError, match="its embeddings do not fit its words"):
            load_words(path, classifier)
