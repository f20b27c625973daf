"""Write ovarnet/examples/catalogue: 60 drawn products, prepared and indexed, and their matcher.

    python tools/ship_catalogue_example.py
    python tools/ship_catalogue_example.py --matcher runs/catalogue/kaleido/checkpoint

With --matcher the products stay as they are, and the matcher is written beside them, in half
precision and without the settings of its run. Without it, the matcher stays.

The first photo of each product is kept, in a smaller JPEG than `ovarnet generate catalogue` writes.
"""

from __future__ import annotations

import argparse
import csv
import io
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from PIL import Image

from ovarnet.catalogue.matcher import open_model
from ovarnet.catalogue.modeling.wordpiece import TOKENIZER_FILE
from ovarnet.checkpoint import save_checkpoint
from ovarnet.cli.main import main as ovarnet
from ovarnet.io.files import read_text, write_text
from ovarnet.scenes.catalogue.write import write_catalogue
from ovarnet.vocabulary import Vocabulary

FOLDER = Path(__file__).parents[1] / "ovarnet" / "examples" / "catalogue"
PRODUCTS, SEED = 60, 376
"""The seed was chosen so that a red striped mug is among them."""
QUALITY = 70
MOST_BYTES = 200_000
MATCHER, MOST_BYTES_OF_MATCHER = "matcher", 2_500_000


def main() -> int:
    """Make the example or its matcher; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--matcher", type=Path, help="checkpoint of stage catalogue_matcher")
    args = parser.parse_args()
    if args.matcher:
        size = ship_matcher(args.matcher, FOLDER / MATCHER)
        print(f"{size:,} bytes written to {FOLDER / MATCHER}")
        return 0 if size <= MOST_BYTES_OF_MATCHER else 1
    return ship_products()


def ship_matcher(source: Path, target: Path) -> int:
    """Write a matcher in half precision; returns the bytes of its folder."""
    design, checkpoint = open_model(source, "matcher")
    save_checkpoint(
        target,
        model="matcher",
        settings={"matcher": asdict(design)},
        vocabulary=Vocabulary(),
        parts={"network": checkpoint.part("network")},
        half=True,
        texts={TOKENIZER_FILE: read_text(checkpoint.folder / TOKENIZER_FILE)},
    )
    return sum(file.stat().st_size for file in target.iterdir())


def ship_products() -> int:
    """Make the products and their index; returns the exit code."""
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
        if (FOLDER / MATCHER).is_dir():
            shutil.copytree(FOLDER / MATCHER, root / MATCHER)
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
