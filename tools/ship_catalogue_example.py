"""Write ovarnet/examples/catalogue: 60 drawn products, prepared and indexed.

    python tools/ship_catalogue_example.py

The first photo of each product is kept, in a smaller JPEG than `ovarnet generate catalogue` writes.
"""

from __future__ import annotations

import csv
import io
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image

from ovarnet.cli.main import main as ovarnet
from ovarnet.io.files import read_text, write_text
from ovarnet.scenes.catalogue.write import write_catalogue

FOLDER = Path(__file__).parents[1] / "ovarnet" / "examples" / "catalogue"
PRODUCTS, SEED = 60, 376
"""The seed was chosen so that a red striped mug is among them."""
QUALITY = 70
MOST_BYTES = 200_000


def main() -> int:
    """Make the example; returns the exit code."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary) / "catalogue"
        write_catalogue(root, PRODUCTS, seed=SEED)
        keep_first_photos(root)
        words = ["--root", str(root)]
        model = ["--model", "scenes-clip-attr"]
        for command in (
            ["prepare", "catalogue", *words],
            ["catalogue", "index", *words, "--output", str(root / "index"), *model],
        ):
            if ovarnet(command):
                return 1
        (root / "prepared" / "problems.txt").unlink(missing_ok=True)
        size = sum(file.stat().st_size for file in root.rglob("*") if file.is_file())
        if size > MOST_BYTES:
            print(f"error: {size:,} bytes, more than {MOST_BYTES:,}", file=sys.stderr)
            return 1
        shutil.rmtree(FOLDER, ignore_errors=True)
        shutil.copytree(root, FOLDER)
    print(f"{size:,} bytes written to {FOLDER}")
    return 0


def keep_first_photos(root: Path) -> None:
    """Drop the other photos, also from the table, and write the first ones anew."""
    header, *rows = csv.reader(io.StringIO(read_text(root / "products.csv")))
    image = header.index("image")
    kept = [row for row in rows if row[image].endswith("_0.jpg")]
    for row in rows:
        file = root / "images" / row[image]
        if row in kept:
            Image.open(file).convert("RGB").save(file, quality=QUALITY, optimize=True)
        else:
            file.unlink()
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows([header, *kept])
    write_text(root / "products.csv", table.getvalue())


if __name__ == "__main__":
    sys.exit(main())
