"""The annotation records of one picture: COCO instances, VAW records, COCO captions.

Plain dictionaries for JSON.
"""

from __future__ import annotations

from ovarnet.scenes.world.captions import photo_captions, scene_captions
from ovarnet.scenes.world.render import Scene, SceneObject, random_stream
from ovarnet.scenes.world.words import ATTRIBUTE_NAMES, CATEGORIES, NOVEL_ATTRIBUTES, applies

KEPT_LABELS = {"train": 0.5}
"""Share of the attribute labels that are kept; the others are unknown. What is not named here keeps
all."""

ID_OFFSETS = {
    "train": 1_000_000,
    "val": 2_000_000,
    "test": 3_000_000,
    "captions": 4_000_000,
    "photos": 5_000_000,
}
"""Image id = offset of the split + index: unique over the whole world."""

MOST_PICTURES = 1_000_000
"""Pictures per split, so that the ids stay unique."""

_MOST_OBJECTS = 10  # per picture, in annotation ids

CATEGORY_IDS = {category.name: i + 1 for i, category in enumerate(CATEGORIES)}


def coco_categories(split: str) -> list[dict]:
    """The COCO `categories` list: base ones in train, all elsewhere."""
    return [
        {"id": CATEGORY_IDS[c.name], "name": c.name, "supercategory": c.parent}
        for c in CATEGORIES
        if c.seen or split != "train"
    ]


def image_record(split: str, index: int, scene: Scene) -> dict:
    """The COCO record of a picture."""
    height, width = scene.image.shape[:2]
    return {
        "id": ID_OFFSETS[split] + index,
        "file_name": f"{index:06d}.jpg",
        "height": height,
        "width": width,
    }


def _instance(item: SceneObject, annotation_id: int, image_id: int) -> dict:
    x1, y1, x2, y2 = item.box
    return {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": CATEGORY_IDS[item.thing.category.name],
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "area": (x2 - x1) * (y2 - y1),
        "iscrowd": 0,
    }


def _attribute_record(
    item: SceneObject, annotation_id: int, image_id: int, asked: list[str]
) -> dict:
    x1, y1, x2, y2 = item.box
    true = item.thing.attributes
    return {
        "image_id": str(image_id),
        "instance_id": str(annotation_id),
        "instance_bbox": [x1, y1, x2 - x1, y2 - y1],
        "instance_polygon": None,
        "object_name": item.thing.category.name,
        "positive_attributes": [word for word in asked if word in true],
        "negative_attributes": [word for word in asked if word not in true],
    }


def labels(seed: int, split: str, index: int, scene: Scene) -> tuple[list[dict], list[dict]]:
    """COCO instances and VAW records of a scene, one each per labelled object.

    In "train" only base categories have a box, only base attributes have a label, and a part of
    those labels is left unknown. Elsewhere every object has a box, and every attribute that applies
    to it is positive or negative.
    """
    rng = random_stream(seed, split, index, purpose=2)
    image_id, training = ID_OFFSETS[split] + index, split == "train"
    instances, records = [], []
    for i, item in enumerate(scene.objects):
        if training and not item.thing.category.seen:
            continue
        words = [
            w
            for w in ATTRIBUTE_NAMES
            if applies(w, item.thing.category) and not (training and w in NOVEL_ATTRIBUTES)
        ]
        kept = rng.random(len(words)) < KEPT_LABELS.get(split, 1.0)
        asked = [word for word, keep in zip(words, kept, strict=True) if keep]
        annotation_id = image_id * _MOST_OBJECTS + i
        instances.append(_instance(item, annotation_id, image_id))
        records.append(_attribute_record(item, annotation_id, image_id, asked))
    return instances, records


def captions(seed: int, split: str, index: int, scene: Scene) -> list[dict]:
    """COCO caption records of a photo (split "photos") or of a scene."""
    image_id = ID_OFFSETS[split] + index
    photo = split == "photos"
    texts = (
        photo_captions(seed, index, scene.objects[0].thing)
        if photo
        else scene_captions(seed, split, index, scene.objects)
    )
    return [
        {"id": image_id * len(texts) + i, "image_id": image_id, "caption": text}
        for i, text in enumerate(texts)
    ]
