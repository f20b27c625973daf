"""`ovarnet prepare catalogue`: every row and photo is checked, splits and boxes are written."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ovarnet.catalogue.data.prepared import write_prepared
from ovarnet.catalogue.data.sources import read_source
from ovarnet.catalogue.data.split import across_splits, split_products
from ovarnet.catalogue.modeling.foreground import foreground_box
from ovarnet.catalogue.product import SPLITS, Box, Catalogue, Product
from ovarnet.data.preparation.findings import Findings
from ovarnet.errors import InputError
from ovarnet.io.images import read_image
from ovarnet.io.skipped import Skipped

__all__ = ["SPLITS", "prepare"]


def prepare(root: Path, splits: tuple[str, ...], _sample: int, findings: Findings) -> None:
    """Check a catalogue and write prepared/catalogue.json.

    Rows and photos that cannot be used are left out and reported; every photo is decoded, since
    its foreground is looked for.

    Args:
        root: Folder of the catalogue.
        splits: Whose sizes are reported.
        _sample: Not used.
        findings: Where to report.
    """
    skipped = Skipped()
    products = read_source(root, skipped)
    if not products:
        findings.skipped(root, skipped, tuple(skipped.items))
        findings.problem("no row can be used")
        return
    Catalogue(products, str(root))  # ids are unique
    found, hashes, whole = _photos(products, skipped)
    findings.skipped(root, skipped, tuple(skipped.items))
    if not found:
        findings.problem(f"none of {len(products):,} products has a photo that can be read")
        return
    found = split_products(found, hashes)
    _report(found, whole, splits, findings)
    findings.written(write_prepared(root, found))


def _photos(products: Sequence[Product], skipped: Skipped) -> tuple[list[Product], list[str], int]:
    """Read all photos.

    Returns:
        The products whose photos, or some of them, can be read, with boxes; a hash of each one's
        first photo; and how many boxes are the whole photo.
    """
    found, hashes, whole = [], [], 0
    for product in tqdm(products, desc="photos", unit="product", mininterval=2.0, delay=1.0):
        places: list[str] = []
        boxes: list[Box] = []
        digest = ""
        for place in product.images:
            try:
                image = read_image(place)
            except InputError as error:
                skipped.add("image unreadable", f"{product.id}: {error}")
                continue
            box = foreground_box(image)
            whole += box == (0, 0, image.shape[1], image.shape[0])
            places.append(place)
            boxes.append(box)
            digest = digest or _hash(image)
        if places:
            found.append(replace(product, images=tuple(places), boxes=tuple(boxes)))
            hashes.append(digest)
    return found, hashes, whole


def _hash(image: np.ndarray) -> str:
    """Of the pixels, so that the same photo in another format is the same."""
    return hashlib.sha256(f"{image.shape}".encode() + image.tobytes()).hexdigest()[:16]


def _report(
    products: Sequence[Product], whole: int, splits: Sequence[str], findings: Findings
) -> None:
    photos = sum(len(product.images) for product in products)
    groups = len({product.group for product in products})
    findings.ok(f"{len(products):,} products in {groups:,} groups, {photos:,} photos")
    findings.note(f"{whole:,} of {photos:,} photos are used whole; of the others the foreground")

    shared = across_splits(products)
    if shared:
        text = f"{len(shared):,} titles or photos lie in more than one of the given splits"
        findings.tolerated(text, shared)
    sizes = Counter(product.split for product in products)
    for split in splits:
        if sizes[split]:
            findings.ok(f"{split}: {sizes[split]:,} products")
        else:
            findings.note(f"{split}: no product")

    catalogue = Catalogue(products, "")
    for column in catalogue.columns:
        values = catalogue.values(column)
        if len(values) == 1:
            findings.note(f"label {column} has one value, {values[0]!r}, and tells nothing apart")
        else:
            findings.ok(f"label {column}: {len(values):,} values")
