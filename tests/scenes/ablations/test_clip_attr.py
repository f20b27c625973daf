import numpy as np
import pytest
import torch

from ovarnet.captions import CaptionParser
from ovarnet.data.captions import CaptionedImage
from ovarnet.scenes.ablations import oracle
from ovarnet.scenes.ablations.box_given import BoxGivenTest, groups
from ovarnet.scenes.ablations.clip_attr import ROWS, STEP_I, STEP_II, Sizes
from ovarnet.scenes.ablations.table import cell, markdown
from ovarnet.scenes.world.captions import scene_captions
from ovarnet.scenes.world.records import ID_OFFSETS
from ovarnet.scenes.world.render import render_scene
from ovarnet.scenes.world.words import vocabulary
from ovarnet.structures import NEGATIVE, POSITIVE, UNKNOWN, first_boxes
from ovarnet.training.clip_attr.pseudo_labels import parse_images
from ovarnet.training.data.crops import ImageCache
from ovarnet.vocabulary import Vocabulary, Word


def test_table_has_mean_and_sample_deviation():
    assert cell([50.0]) == "50.0"
    assert cell([50.0, 54.0]) == "52.0 ± 2.8"
    text = markdown(
        {"a row": [{"attributes/base": 50.0, "x": 1.0}, {"attributes/base": 54.0, "x": 1.0}]},
        ["attributes/base", "x"],
    )
    assert text == "| | mAP base | x |\n|---|---|---|\n| a row | 52.0 ± 2.8 | 1.0 ± 0.0 |\n"


def test_every_row_has_a_name_of_its_own():
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
    assert {STEP_I, STEP_II} <= set(names)
    assert Sizes().quick().seeds == 1


def test_groups_are_base_novel_and_parent_types():
    words = Vocabulary(
        attributes=(
            Word("red", "color", seen=True),
            Word("gray", "color"),
            Word("small", "size", seen=True),
        )
    )
    assert groups(words) == {"base": [0, 2], "novel": [1], "color": [0, 1], "size": [2]}


def test_first_boxes():
    lists = [[0] * n for n in (2, 3, 4)]
    assert first_boxes(lists, 5) == lists[:2]
    assert first_boxes(lists, 6) == lists
    assert first_boxes(lists, 99) == lists


class HandMadeTest(BoxGivenTest):
    """Four boxes: two mugs, a key, a car. Key and gray are novel."""

    def __init__(self):
        self.vocabulary = Vocabulary(
            (Word("mug", seen=True), Word("key"), Word("car", seen=True)),
            (
                Word("red", "color", seen=True),
                Word("gray", "color"),
                Word("small", "size", seen=True),
            ),
        )
        self.categories = np.array([0, 0, 1, 2])
        self.attributes = np.array(
            [
                [POSITIVE, NEGATIVE, POSITIVE],
                [NEGATIVE, POSITIVE, UNKNOWN],
                [NEGATIVE, NEGATIVE, UNKNOWN],
                [NEGATIVE, POSITIVE, POSITIVE],
            ]
        )


def test_box_given_scores_are_percentages_of_base_and_of_novel_words():
    categories = np.array(
        [[0.9, 0.1, 0.0], [0.8, 0.1, 0.3], [0.1, 0.2, 0.3], [0.2, 0.1, 0.9]]
    )  # all right but the key
    attributes = np.array([[0.9, 0.4, 0.5], [0.3, 0.5, 0.5], [0.2, 0.9, 0.5], [0.1, 0.3, 0.5]])
    red, gray, small = 100, 100 * (1 / 2 + 2 / 4) / 2, 100
    assert HandMadeTest().measure(categories, attributes) == pytest.approx(
        {
            "categories/base": 100,
            "categories/novel": 0,
            "categories/all": 75,
            "attributes/base": (red + small) / 2,
            "attributes/novel": gray,
            "attributes/color": (red + gray) / 2,
            "attributes/size": small,
            "attributes/all": (red + gray + small) / 3,
        }
    )


def test_chance_is_a_percentage_too():
    red, gray, small = 25, 50, 100  # shares of the positives among the known labels
    assert HandMadeTest().chance() == pytest.approx(
        {
            **dict.fromkeys(["categories/base", "categories/novel", "categories/all"], 100 / 3),
            "attributes/base": (red + small) / 2,
            "attributes/novel": gray,
            "attributes/color": (red + gray) / 2,
            "attributes/size": small,
            "attributes/all": (red + gray + small) / 3,
        }
    )


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
