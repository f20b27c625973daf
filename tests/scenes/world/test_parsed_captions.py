"""On captions of the generated world, whose truth is known: every pair is true, every attribute
word is found with its noun."""

from ovarnet.captions import CaptionParser
from ovarnet.scenes.world.captions import photo_captions, scene_captions
from ovarnet.scenes.world.render import random_stream, render_scene
from ovarnet.scenes.world.things import draw_thing
from ovarnet.scenes.world.words import ATTRIBUTE_NAMES, attribute_strings, vocabulary


def mentioned(caption: str) -> set[str]:
    padded = f" {caption.lower().rstrip('.').replace(',', ' ')} "
    return {
        word
        for word in ATTRIBUTE_NAMES
        if any(f" {string} " in padded for string in attribute_strings(word))
    }


def test_photo_captions():
    parser = CaptionParser(vocabulary(), "rules")
    for index in range(100):
        thing = draw_thing(random_stream(0, "photos", index), "photos")
        for caption in photo_captions(0, index, thing):
            pairs = parser.parse(caption).pairs
            assert {pair.attribute for pair in pairs} == mentioned(caption), caption
            assert {pair.noun for pair in pairs if pair.category is None} <= {"object", "thing"}, (
                caption
            )
            assert {pair.category for pair in pairs} <= {thing.category.name, None}, caption


def test_scene_captions():
    parser, checked = CaptionParser(vocabulary(), "rules"), 0
    for index in range(15):
        objects = render_scene(0, "captions", index).objects
        for caption in scene_captions(0, "captions", index, objects):
            for pair in parser.parse(caption).pairs:
                if pair.category is not None:
                    assert any(
                        pair.category == thing.category.name and pair.attribute in thing.attributes
                        for thing in (item.thing for item in objects)
                    ), caption
                    checked += 1
    assert checked > 100
