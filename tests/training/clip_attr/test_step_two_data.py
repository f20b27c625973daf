"""Captions, proposals and targets of one visit."""

import json
from dataclasses import replace

import pytest
import torch

from ovarnet.captions import CaptionParser
from ovarnet.config import PseudoLabelSelection
from ovarnet.errors import InputError
from ovarnet.training.clip_attr.checkpoints import open_clip_attr
from ovarnet.training.clip_attr.step_two_data import (
    CAPTIONS,
    CaptionData,
    CaptionDataset,
    mentioned_words,
)
from ovarnet.training.data.crops import BoxCropper
from ovarnet.training.data.image_cache import ImageCache
from ovarnet.vocabulary import Vocabulary


def test_the_subset_has_only_captions_with_a_known_word(
    tiny_world, step_one, pseudo_labels, tmp_path
):
    _, _, checkpoint = open_clip_attr(step_one)
    content = json.loads(tiny_world.captions.read_text())
    content["annotations"] = [
        {"id": 0, "image_id": 0, "caption": "nothing known here"},
        {"id": 1, "image_id": 0, "caption": "a gray thing"},
        {"id": 2, "image_id": 1, "caption": "nothing known here"},
    ]
    (tmp_path / "captions.json").write_text(json.dumps(content))
    opened = [
        CaptionData.open(
            tmp_path / "captions.json",
            tiny_world.images,
            pseudo_labels / "labels",
            checkpoint.vocabulary,
            **how,
        )
        for how in ({"require_known_words": True}, {}, {"limit": 1})
    ]
    assert [
        [[caption.text for caption in captions] for captions in data.parsed] for data in opened
    ] == [
        [["a gray thing"]],
        [["nothing known here", "a gray thing"], ["nothing known here"]],
        [["nothing known here", "a gray thing"]],
    ]
    content["annotations"] = content["annotations"][2:]
    (tmp_path / "captions.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match="none names a word that the step I model knows"):
        CaptionData.open(
            tmp_path / "captions.json",
            tiny_world.images,
            pseudo_labels / "labels",
            checkpoint.vocabulary,
            require_known_words=True,
        )


def test_a_novel_word_is_a_target_only_where_the_caption_says_it(
    tiny_world, step_one, pseudo_labels, small_clip
):
    _, _, checkpoint = open_clip_attr(step_one)
    data = CaptionData.open(
        tiny_world.captions, tiny_world.images, pseudo_labels / "labels", checkpoint.vocabulary
    )
    best = torch.tensor([name == "key" for name in data.words.category_names]).float()
    everything_likely = {
        name: replace(
            t,
            category_logits=t.category_logits * 0 + best,
            attribute_logits=t.attribute_logits * 0 + 9,
        )
        for name, t in data.scored.items()
    }
    rules = PseudoLabelSelection(category_probability=0.1, mentioned_probability=0.1)
    dataset = CaptionDataset(
        replace(data, scored=everything_likely),
        BoxCropper(small_clip, ImageCache(1)),
        rules,
        seed=0,
    )
    key, gray = data.words.category_index["key"], data.words.attribute_index["gray"]
    for index, caption in enumerate(
        ["a red mug and a gray key", "a car", "a striped key", "an automobile next to a red mug"]
    ):
        batch = dataset.__getitems__([(0, CAPTIONS, index)])
        assert batch.captions == [caption]
        for targets in (batch.image_categories, batch.region_categories):
            assert targets[:, key].tolist() == [("key" in caption)] * len(targets)
        for targets in (batch.image_attributes, batch.region_attributes):
            assert targets[:, gray].tolist() == [("gray" in caption)] * len(targets)
        assert len(batch.region_categories) == 3
        assert batch.region_attributes[:, data.words.attribute_index["red"]].all()


def test_an_attribute_is_mentioned_for_the_category_of_its_noun():
    words = Vocabulary.of(["mug", "key", "car"], ["red", "gray", "striped"])
    caption = next(CaptionParser(words).parse_many(["a red mug and a gray key"]))
    mentioned = mentioned_words(caption, words)
    assert mentioned.categories.tolist() == [True, True, False]
    assert mentioned.attributes.tolist() == [True, True, False]
    assert mentioned.attributes_of.tolist() == [
        [True, False, False],
        [False, True, False],
        [False, False, False],
    ]
