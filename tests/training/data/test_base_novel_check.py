"""A novel word of a run had no labels in what the run is initialised from."""

import logging
from types import SimpleNamespace

import pytest

from ovarnet.config import ClipSettings, DataSource
from ovarnet.errors import InputError
from ovarnet.training.data.base_novel_check import (
    check_base_novel,
    check_initial_models,
    clip_checkpoints,
)
from ovarnet.vocabulary import Vocabulary, Word

WORDS = Vocabulary((Word("mug", seen=True), Word("key")), (Word("red", seen=True), Word("gray")))
VAW, OWN = DataSource("vaw", "r"), DataSource("custom", "r")


def earlier(*seen):
    """A checkpoint whose base words are these."""
    words = Vocabulary(
        tuple(Word(name, seen=name in seen) for name in ("mug", "key")),
        tuple(Word(name, seen=name in seen) for name in ("red", "gray")),
    )
    return SimpleNamespace(vocabulary=words, folder="runs/first")


def test_the_same_or_fewer_base_words_are_fine():
    for seen in (("mug", "red"), ("mug",), ()):
        check_base_novel(WORDS, earlier(*seen))
        check_initial_models(WORDS, [earlier(*seen)], [VAW])


@pytest.mark.parametrize("novel", ["key", "gray"])
def test_a_novel_word_that_was_a_base_word_is_refused(novel):
    message = rf"1 word.* '{novel}'.*runs/first; train both with the same base / novel split"
    with pytest.raises(InputError, match=message):
        check_base_novel(WORDS, earlier("mug", novel))
    with pytest.raises(InputError, match=message):
        check_initial_models(WORDS, [earlier("mug"), earlier(novel)], [VAW, VAW])


def test_with_own_data_it_is_one_logged_line(caplog):
    with caplog.at_level(logging.WARNING):
        check_initial_models(WORDS, [earlier("mug"), earlier("key", "gray")], [VAW, OWN])
    assert len(caplog.messages) == 1
    assert "2 word" in caplog.messages[0]
    assert caplog.messages[0].endswith("numbers on novel words will not be open-vocabulary numbers")


@pytest.mark.parametrize("stage", ["concept_clip", "clip_attr"])
def test_the_folder_of_a_clip_that_labels_trained_is_checked(labelled_clip, stage):
    clip = ClipSettings("n", labelled_clip(stage, "categories", "key"))
    (checkpoint,) = clip_checkpoints(clip)
    assert checkpoint.vocabulary.novel_seen_by(WORDS) == []
    with pytest.raises(InputError, match=r"'key', had labels in the training of .*labelled"):
        check_initial_models(WORDS, clip_checkpoints(clip), [VAW])


def test_a_clip_of_captions_had_no_labels(labelled_clip):
    """Its folder has the words of the generated world, base words among them."""
    assert clip_checkpoints(ClipSettings("n", labelled_clip("clip", "categories", "key"))) == []


def test_weights_from_elsewhere_have_no_checkpoint(tmp_path):
    (tmp_path / "clip.safetensors").touch()
    (tmp_path / "config.yaml").write_text("not: ours")
    for pretrained in (None, "openai", "packages", str(tmp_path / "clip.safetensors")):
        assert clip_checkpoints(ClipSettings("n", pretrained)) == []
    assert clip_checkpoints(None) == []
