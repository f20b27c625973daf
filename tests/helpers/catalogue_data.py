"""Images of single objects on white, as a catalogue has them, in the custom form."""

import json

from omegaconf import OmegaConf
from PIL import Image

from ovarnet.config import resolve
from ovarnet.data.datasets import open_dataset
from ovarnet.structures import POSITIVE

COLORS = {"red": (220, 30, 30), "blue": (30, 30, 220), "green": (30, 160, 30)}

SIZES = {"poster": (8, 4, 32, 48), "belt": (2, 20, 60, 10)}


def products(count, first=0):
    """Images of single objects on white; the box is the whole object."""
    for number in range(first, first + count):
        kind, color = list(SIZES)[number % 2], list(COLORS)[number % 3]
        yield number, kind, color


def write_catalogue(root):
    """Twelve training and six test images under `root`; returns it."""
    (root / "images").mkdir()
    for split, part in (("train", list(products(12))), ("test", list(products(6, 12)))):
        for number, kind, color in part:
            picture = Image.new("RGB", (64, 56), "white")
            x, y, w, h = SIZES[kind]
            picture.paste(
                tuple(max(0, value - number) for value in COLORS[color]), (x, y, x + w, y + h)
            )
            picture.save(root / "images" / f"{number}.png")
        (root / f"{split}.json").write_text(
            json.dumps(
                {
                    "images": [
                        {"id": number, "file_name": f"{number}.png"} for number, _, _ in part
                    ],
                    "categories": [{"id": n, "name": name} for n, name in enumerate(SIZES)],
                    "annotations": [
                        {
                            "id": number,
                            "image_id": number,
                            "category_id": list(SIZES).index(kind),
                            "bbox": SIZES[kind],
                            "attributes": [color],
                        }
                        for number, kind, color in part
                    ],
                    "unlisted_attributes": "negative",
                }
            )
        )
    return root


def given(stage, catalogue, output, start="scenes-clip-attr", **more):
    source = {"dataset": "custom", "root": str(catalogue)}
    data = {"data": source} if stage == "probe" else {"detection": source, "attributes": source}
    return resolve(
        OmegaConf.merge(
            {"stage": stage, "output": str(output), "init_from": str(start), **data}, more
        ),
        "test",
    )


def accuracy(model, catalogue):
    """Share of the test images whose best color and best category are right."""
    vocabulary, images = open_dataset("custom", catalogue, "test")
    found = model.detect(
        [image.file for image in images],
        boxes=[image.boxes for image in images],
        categories=list(vocabulary.categories),
        attributes=list(vocabulary.attributes),
    )
    colors = [
        image.attributes[0, one.attribute_scores[0].argmax()] == POSITIVE
        for one, image in zip(found, images, strict=True)
    ]
    kinds = [
        one.category_scores[0].argmax() == image.categories[0]
        for one, image in zip(found, images, strict=True)
    ]
    return sum(map(bool, colors)) / 6, sum(map(bool, kinds)) / 6
