"""A prepared catalogue of a few drawn products: coloured shapes on near-white, in the exact files.

The title names colour and shape; subcategories are shapes.
"""

from pathlib import Path

from PIL import Image, ImageDraw

from ovarnet.catalogue.data.prepared import write_prepared
from ovarnet.catalogue.product import Product

COLORS = {
    "red": (220, 30, 30),
    "blue": (30, 30, 220),
    "green": (30, 160, 30),
    "black": (20, 20, 20),
}
SHAPES = ("mug", "plate", "belt")
SPLITS = ("train", "train", "val", "test")


def tiny_shop(root: Path, count: int = 24) -> Path:
    """Write photos of 60 x 80 pixels and the prepared catalogue; returns `root`."""
    (root / "images").mkdir(parents=True)
    products = []
    for number in range(count):
        color = list(COLORS)[number % 4]
        shape = SHAPES[number // 4 % 3]
        file = root / "images" / f"{number}.png"
        box = (10 + number % 5, 16, 44 + number % 5, 60)
        picture = Image.new("RGB", (60, 80), (248, 248, 248))
        draw = ImageDraw.Draw(picture)
        draw_shape = draw.ellipse if shape == "plate" else draw.rectangle
        draw_shape(box if shape != "belt" else (box[0], 34, box[2], 44), fill=COLORS[color])
        picture.save(file)
        products.append(
            Product(
                id=f"p{number}",
                images=(str(file),),
                title=f"{color.title()} {shape} number {number % 7}",
                category="kitchen" if shape != "belt" else "clothes",
                subcategory=shape,
                labels={"colour": color},
                group=f"g{number}",
                split=SPLITS[number % len(SPLITS)] if count >= len(SPLITS) else "train",
                boxes=(box,),
            )
        )
    write_prepared(root, products)
    return root


def matcher_settings(shop: Path, folder: Path, **more) -> dict:
    """A run of seconds: two iterations of a small encoder."""
    return {
        "stage": "catalogue_matcher",
        "output": str(folder / "run"),
        "data": {"root": str(shop)},
        "crops": {"cache": str(folder / "features")},
        "encoder": {"layers": 1, "hidden": 16, "heads": 2},
        "optimisation": {"iterations": 2, "batch_size": 4, "lr": 1e-3, "warmup": 1},
        **more,
    }
