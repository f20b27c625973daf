"""What only the generator of the world knows: labels of all words, and the truth of captions.

For diagnosis: no model that is trained with it is kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from ovarnet.captions import Pair, ParsedCaption
from ovarnet.data.captions import CaptionedImage
from ovarnet.io.files import read_json
from ovarnet.scenes.world.records import ID_OFFSETS
from ovarnet.scenes.world.render import Scene, render_scene
from ovarnet.scenes.world.things import Thing
from ovarnet.scenes.world.words import CATEGORIES, applies, attribute_strings, category_strings
from ovarnet.structures import NEGATIVE, POSITIVE, UNKNOWN
from ovarnet.training.data.base_boxes import TrainingBoxes
from ovarnet.training.data.base_data import BaseData
from ovarnet.training.data.image_cache import ImageCache
from ovarnet.vocabulary import Vocabulary


def world_seed(root: str | Path) -> int:
    """The seed that the world under `root` was generated from."""
    return int(read_json(Path(root) / "annotations" / "captions_scenes.json", dict)["info"]["seed"])


def oracle_data(vocabulary: Vocabulary, seed: int, scenes: int, images: ImageCache) -> BaseData:
    """Training boxes with a category and every attribute label, base and novel alike.

    Args:
        vocabulary: The words of the world.
        seed: Of the world.
        scenes: How many to render, into `images`.
        images: The cache that training reads from.
    """
    every = Vocabulary(
        *(
            tuple(replace(word, seen=True) for word in words)
            for words in (vocabulary.categories, vocabulary.attributes)
        )
    )
    files, boxes, categories, attributes = [], [], [], []
    for index in range(scenes):
        scene = render_scene(seed, "train", index)
        file = f"scene {index} of seed {seed}, rendered"
        images.keep(file, scene.image)
        for item in scene.objects:
            files.append(file)
            boxes.append([float(value) for value in item.box])
            categories.append(vocabulary.category_index[item.thing.category.name])
            attributes.append([_label(item.thing, name) for name in vocabulary.attribute_names])
    targets = torch.tensor(categories), torch.tensor(attributes, dtype=torch.int8)
    corners = torch.tensor(boxes)
    return BaseData(vocabulary, every, *(TrainingBoxes(files, corners, part) for part in targets))


def _label(thing: Thing, name: str) -> int:
    if not applies(name, thing.category):
        return UNKNOWN
    return POSITIVE if name in thing.attributes else NEGATIVE


def true_words(
    images: Sequence[CaptionedImage], parsed: Sequence[Sequence[ParsedCaption]], seed: int
) -> list[list[ParsedCaption]]:
    """Captions with the words that occur in the text and are true of an object of the scene.

    The nouns of an attribute are the mentioned categories of the objects that have it.

    Args:
        images: Captioned scenes of the world.
        parsed: Their captions as the parser reads them; everything but the words is kept.
        seed: Of the world.
    """
    return [
        [_true_record(caption, scene) for caption in captions]
        for image, captions in zip(images, parsed, strict=True)
        for scene in [render_scene(seed, "captions", int(image.image_id) - ID_OFFSETS["captions"])]
    ]


def _true_record(caption: ParsedCaption, scene: Scene) -> ParsedCaption:
    plural = {category.name: category.plural for category in CATEGORIES}
    things = [item.thing for item in scene.objects]
    categories = [
        thing.category.name
        for thing in things
        if _occurs(caption.text, (*category_strings(thing.category), plural[thing.category.name]))
    ]
    mentioned = [
        (name, thing.category.name)
        for thing in things
        for name in sorted(thing.attributes)
        if _occurs(caption.text, attribute_strings(name))
    ]
    pairs = [
        Pair(name, category, category) for name, category in mentioned if category in categories
    ]
    return replace(
        caption,
        categories=tuple(dict.fromkeys(categories)),
        attributes=tuple(dict.fromkeys(name for name, _ in mentioned)),
        pairs=tuple(dict.fromkeys(pairs)),
    )


def _occurs(text: str, strings: Sequence[str]) -> bool:
    return any(re.search(rf"\b{re.escape(string)}\b", text.lower()) for string in strings)
