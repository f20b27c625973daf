"""What only the generator of the world knows, for diagnosis: labels of all words, and which words a
caption really means.

Nothing here is used to train a model that is kept.
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
from ovarnet.scenes.world.words import CATEGORIES, applies, attribute_strings, category_strings
from ovarnet.structures import NEGATIVE, POSITIVE, UNKNOWN
from ovarnet.training.data.base_boxes import BaseData, TrainingBoxes
from ovarnet.training.data.crops import ImageCache
from ovarnet.vocabulary import Vocabulary


def world_seed(root: str | Path) -> int:
    """The seed that the world under `root` was generated from."""
    return int(read_json(Path(root) / "annotations" / "captions_scenes.json", dict)["info"]["seed"])


def oracle_data(vocabulary: Vocabulary, seed: int, scenes: int, images: ImageCache) -> BaseData:
    """Training boxes with a category and every attribute label, base and novel alike; the pictures
    are rendered into `images`.
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
    boxes = torch.tensor(boxes)
    return BaseData(
        vocabulary,
        every,
        TrainingBoxes(files, boxes, torch.tensor(categories)),
        TrainingBoxes(files, boxes, torch.tensor(attributes, dtype=torch.int8)),
    )


def _label(thing, name: str) -> int:
    if not applies(name, thing.category):
        return UNKNOWN
    return POSITIVE if name in thing.attributes else NEGATIVE


def true_words(
    images: Sequence[CaptionedImage], parsed: Sequence[Sequence[ParsedCaption]], seed: int
) -> list[list[ParsedCaption]]:
    """The captions with the words that they really tell: those that occur in the text and are true
    of an object of the scene. An attribute's nouns are the named categories of the objects that
    have it.
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
    told = [
        (name, thing.category.name)
        for thing in things
        for name in sorted(thing.attributes)
        if _occurs(caption.text, attribute_strings(name))
    ]
    pairs = [Pair(name, category, category) for name, category in told if category in categories]
    return replace(
        caption,
        categories=tuple(dict.fromkeys(categories)),
        attributes=tuple(dict.fromkeys(name for name, _ in told)),
        pairs=tuple(dict.fromkeys(pairs)),
    )


def _occurs(text: str, strings: Sequence[str]) -> bool:
    return any(re.search(rf"\b{re.escape(string)}\b", text.lower()) for string in strings)
