"""Scores of proposals, stored in shards."""

import pytest
from clip_attr_runs import FixedProposer

import ovarnet
from ovarnet.captions import ParsedCaption
from ovarnet.data.captions import load_captions
from ovarnet.errors import InputError
from ovarnet.proposals.store import read_proposals, write_proposals
from ovarnet.training.clip_attr.pseudo_labels import (
    caption_vocabulary,
    read_pseudo_labels,
    write_pseudo_labels,
)
from ovarnet.vocabulary import Vocabulary, Word

WORDS = Vocabulary(
    (Word("mug", seen=True), Word("key"), Word("car", seen=True)),
    (Word("red", seen=True), Word("gray"), Word("striped")),
)


def test_novel_words_come_from_captions_only():
    told = [ParsedCaption("a gray mug", ("mug",), ("gray",)), ParsedCaption("", (), ())]
    words = caption_vocabulary(WORDS, told)
    assert words.category_names == ["mug", "car"]
    assert words.attribute_names == ["red", "gray"]
    assert caption_vocabulary(WORDS, []).attribute_names == ["red"]


def test_offline_files_are_sharded_resumable_and_checked(pseudo_labels, tiny_world, step_one):
    images = load_captions(tiny_world.captions, tiny_world.images)
    files = [image.file for image in images]
    proposals = read_proposals(pseudo_labels / "proposals")
    assert len(proposals) == 8 and proposals["0.png"].boxes.tolist()[2] == [0, 0, 70, 60], (
        "the largest one is kept beyond the limit"
    )
    (pseudo_labels / "proposals" / "00001.json").unlink()
    assert (
        write_proposals(FixedProposer(), files, pseudo_labels / "proposals", shard=3, limit=2) == 3
    )
    with pytest.raises(InputError, match="other images"):
        write_proposals(FixedProposer(), files[::-1], pseudo_labels / "proposals", shard=3)
    taught, categories, attributes = read_pseudo_labels(pseudo_labels / "labels")
    assert categories == ["mug", "key", "car"]
    assert attributes == ["red", "gray", "striped"]
    assert taught["3.png"].attribute_logits.shape == (3, 3)
    with pytest.raises(InputError, match="other images or words"):
        write_pseudo_labels(
            ovarnet.load(step_one, device="cpu"),
            images[::-1],
            proposals,
            pseudo_labels / "labels",
            shard=3,
        )
    with pytest.raises(InputError, match="holds no pseudo-labels"):
        read_pseudo_labels(pseudo_labels)
