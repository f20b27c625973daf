"""The labels of all words and the truth of captions, from the generator."""

import pytest
import torch

from ovarnet.captions import CaptionParser
from ovarnet.data.captions import CaptionedImage
from ovarnet.scenes.ablations import oracle
from ovarnet.scenes.world.captions import scene_captions
from ovarnet.scenes.world.records import ID_OFFSETS
from ovarnet.scenes.world.render import render_scene
from ovarnet.scenes.world.words import vocabulary
from ovarnet.structures import NEGATIVE, POSITIVE, UNKNOWN
from ovarnet.training.clip_attr.pseudo_labels import parse_images
from ovarnet.training.data.image_cache import ImageCache


def test_the_oracle_has_every_label_of_every_word():
    images = ImageCache(100)
    data = oracle.oracle_data(vocabulary(), 0, 5, images)
    scenes = [render_scene(0, "train", index) for index in range(5)]
    assert len(data.detection) == sum(len(scene.objects) for scene in scenes)
    assert len(data.base.categories) == 40
    assert all(word.seen for word in data.base.attributes)
    assert not all(word.seen for word in data.vocabulary.attributes)
    first, thing = data.attributes.targets[0], scenes[0].objects[0].thing
    for word, label in zip(data.base.attributes, first.tolist(), strict=True):
        expected = POSITIVE if word.name in thing.attributes else NEGATIVE
        assert label == expected or (label == UNKNOWN and word.parent == "pose")
    assert torch.equal(
        images.read(data.detection.files[0]),
        torch.from_numpy(scenes[0].image).permute(2, 0, 1) / 255,
    )
    assert data.detection.boxes[0].tolist() == list(scenes[0].objects[0].box)


@pytest.mark.parametrize("index", range(4))
def test_the_rules_read_the_captions_of_the_world_as_the_generator_means_them(index):
    captions = scene_captions(0, "captions", index, render_scene(0, "captions", index).objects)
    image = CaptionedImage("x.jpg", str(ID_OFFSETS["captions"] + index), captions)
    parsed = parse_images(CaptionParser(vocabulary(), "rules"), [image])
    truth = oracle.true_words([image], parsed, 0)
    for said, true in zip(parsed[0], truth[0], strict=True):
        assert set(said.categories) == set(true.categories), said.text
        assert set(said.attributes) == set(true.attributes), said.text


def test_true_words_ignore_what_is_not_in_the_picture():
    scene = render_scene(0, "captions", 0)
    thing = scene.objects[0].thing
    absent = next(
        word
        for word in ("red", "blue")
        if word not in {name for item in scene.objects for name in item.thing.attributes}
    )
    image = CaptionedImage(
        "x.jpg", str(ID_OFFSETS["captions"]), [f"a {absent} {thing.category.name}"]
    )
    parsed = parse_images(CaptionParser(vocabulary(), "rules"), [image])
    assert parsed[0][0].attributes == (absent,)
    true = oracle.true_words([image], parsed, 0)[0][0]
    assert true.attributes == ()
    assert true.pairs == ()
    assert true.categories == (thing.category.name,)


def test_true_pairs_are_those_of_the_picture_whatever_the_sentence_says():
    """Only an object's own attributes are paired with its category, also where the caption puts the
    word elsewhere."""
    index, (first, second) = next(
        (index, objects)
        for index in range(50)
        for objects in [render_scene(0, "captions", index).objects]
        if len(objects) == 2
        and objects[0].thing.category != objects[1].thing.category
        and objects[0].thing.attributes - objects[1].thing.attributes
    )
    own = sorted(first.thing.attributes - second.thing.attributes)[0]
    text = f"a {first.thing.category.name} next to a {own} {second.thing.category.name}"
    image = CaptionedImage("x.jpg", str(ID_OFFSETS["captions"] + index), [text])
    parsed = parse_images(CaptionParser(vocabulary(), "rules"), [image])
    names = first.thing.category.name, second.thing.category.name
    assert [pair.category for pair in parsed[0][0].pairs] == [names[1]]
    assert [
        (pair.attribute, pair.category)
        for pair in oracle.true_words([image], parsed, 0)[0][0].pairs
    ] == [(own, names[0])]
