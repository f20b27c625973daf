"""Tiny catalogues in the formats that shops and papers use, written file by file."""

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

COLOURS = {"red": (210, 30, 30), "blue": (30, 40, 210), "green": (30, 150, 50)}
SHAPES = {"plate": "ellipse", "book": "rectangle"}


def product_photo(colour: str, shape: str, number: int = 0) -> Image.Image:
    """A shape on near-white, 64 wide and 80 high; `number` moves it."""
    image = Image.new("RGB", (64, 80), (250, 250, 250))
    left, top = 12 + number % 5, 20 + number // 30
    place = (left, top, left + 30, top + 40)
    getattr(ImageDraw.Draw(image), SHAPES[shape])(place, fill=COLOURS[colour])
    return image


def kinds(count: int) -> list[tuple[str, str]]:
    """Colour and shape of each product; all six combinations take turns."""
    return [(list(COLOURS)[n % 3], list(SHAPES)[n // 3 % 2]) for n in range(count)]


def write_shop(root: Path, count: int = 24) -> Path:
    """products.csv and images/; every title differs, so that every product is its own group."""
    (root / "images").mkdir(parents=True)
    rows = ["id,image,title,category,subcategory,color"]
    for n, (colour, shape) in enumerate(kinds(count)):
        product_photo(colour, shape, n).save(root / "images" / f"{n}.png")
        rows.append(f"{n},{n}.png,Brand{n} {colour} {shape},home,{shape},{colour}")
    (root / "products.csv").write_text("\n".join(rows) + "\n", "utf-8")
    return root


def write_pairs(path: Path, count: int = 6) -> Path:
    """EasyNLP's text, tab, base64 of a JPEG."""
    lines = []
    for n, (colour, shape) in enumerate(kinds(count)):
        stream = io.BytesIO()
        product_photo(colour, shape, n).save(stream, "JPEG")
        lines.append(f"{colour} {shape} {n}\t{base64.b64encode(stream.getvalue()).decode()}\n")
    path.write_text("".join(lines), "utf-8")
    return path


def write_fashion_gen(path: Path, products: int = 4, views: int = 2, first: int = 100) -> Path:
    """Fashion-Gen's HDF5: bytes in latin-1 of shape (N, 1), rows of a product side by side."""
    import h5py

    rows = [(number, view) for number in range(products) for view in range(views)]
    images = np.stack(
        [
            np.asarray(
                product_photo(*kinds(products)[number], 5 * number + view).resize((256, 256))
            )
            for number, view in rows
        ]
    )
    texts = {
        "input_description": lambda n: f"Café plate no. {n}",
        "input_category": lambda n: "TOPS" if n % 2 else "JEANS",
        "input_subcategory": lambda n: "T-SHIRTS" if n % 2 else "JEANS",
        "input_gender": lambda n: "Women",
    }
    with h5py.File(path, "w") as file:
        file["input_image"] = images
        file["input_productID"] = np.array([[first + number] for number, _ in rows])
        for key, text in texts.items():
            cells = [[text(number).encode("latin-1")] for number, _ in rows]
            file[key] = np.array(cells, dtype="S60")
    return path
