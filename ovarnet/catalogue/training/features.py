"""Features of all patches of all photos, computed once by a frozen network and kept on disk.

M products, R rows of a product (`ovarnet.catalogue.pretext.patch_tasks`), P patches, D width.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ovarnet.catalogue.modeling.crop_encoder import CropEncoder, grey, warp_boxes
from ovarnet.catalogue.modeling.patches import KALEIDO_LEVELS, PatchLayout, locate
from ovarnet.catalogue.pretext.patch_tasks import K1, K4, KALEIDO_ROWS, TURNS
from ovarnet.catalogue.product import Box, Product
from ovarnet.errors import InputError
from ovarnet.io.files import whole_file
from ovarnet.io.images import read_image, to_pixels

CROPS_AT_ONCE = 1024


@dataclass
class PatchFeatures:
    """Features of products, in their order.

    Attributes:
        rows: (M, R, D) float16, read from disk as needed.
        locations: (M, P, 5) float32.
    """

    rows: np.ndarray
    locations: np.ndarray

    def row(self, index: int) -> Tensor:
        """(R, D) float32 of one product."""
        return torch.from_numpy(np.asarray(self.rows[index], dtype=np.float32))

    def location(self, index: int) -> Tensor:
        """(P, 5) float32 of one product."""
        return torch.from_numpy(np.array(self.locations[index]))


def row_count(layout: PatchLayout) -> int:
    """R: with Kaleido-BERT's levels also turned and grey crops are kept."""
    return KALEIDO_ROWS if layout.levels == KALEIDO_LEVELS else layout.count


def product_box(product: Product, width: int, height: int, *, foreground: bool) -> Box:
    """The box of a product's first photo that is cut into patches.

    Args:
        product: Prepared.
        width: Of the photo, pixels.
        height: Of the photo, pixels.
        foreground: The product's box; false: the whole photo.
    """
    if foreground and product.boxes:
        return product.boxes[0]
    return (0, 0, width, height)


def cut_rows(pixels: Tensor, box: Box, layout: PatchLayout, side: int) -> tuple[Tensor, Tensor]:
    """Cut a photo into the crops of its rows.

    Args:
        pixels: (3, H, W) in [0, 1].
        box: Of the product.
        layout: Of the patches.
        side: S of a crop.

    Returns:
        Crops (R, 3, S, S) in [0, 1] and locations (P, 5). Turned crops are the square itself
        turned, so that no padding tells the angle.
    """
    boxes = layout.boxes(box)
    crops = warp_boxes(pixels, boxes, side)
    if layout.levels == KALEIDO_LEVELS:
        turned = [crops[K1].rot90(turns, dims=(2, 3)) for turns in range(1, TURNS)]
        crops = torch.cat([crops, *turned, grey(crops[K4])])
    return crops, locate(boxes, pixels.shape[2], pixels.shape[1])


@torch.no_grad()
def encode_photos(
    photos: Sequence[Tensor], boxes: Sequence[Box], layout: PatchLayout, encoder: CropEncoder
) -> tuple[Tensor, Tensor]:
    """Clean features of photos, without the rows of pretext tasks.

    Args:
        photos: M times (3, H, W) in [0, 1].
        boxes: Of the products.
        layout: Of the patches.
        encoder: The frozen network.

    Returns:
        (M, P, D) and (M, P, 5), on the encoder's device.
    """
    device = encoder.mean.device
    rows, places = [], []
    for pixels, box in zip(photos, boxes, strict=True):
        patches = layout.boxes(box)
        rows.append(encoder.features(warp_boxes(pixels, patches, encoder.side).to(device)))
        places.append(locate(patches, pixels.shape[2], pixels.shape[1]))
    return torch.stack(rows), torch.stack(places).to(device)


def cached_features(
    products: Sequence[Product],
    layout: PatchLayout,
    encoder: CropEncoder,
    folder: str | Path,
    *,
    foreground: bool,
) -> PatchFeatures:
    """Features of products, from the cache or computed now.

    The name of a file is a hash of the network, the photos and the boxes, so that features of
    another network are never read.

    Args:
        products: Prepared.
        layout: Of the patches.
        encoder: The frozen network.
        folder: Of the cache.
        foreground: See `product_box`.

    Raises:
        InputError: A photo cannot be read, or a file of the cache is damaged.
    """
    digest = hashlib.sha256(f"{encoder.digest} {encoder.side} {layout.levels}".encode())
    for product in products:
        box = product.boxes[:1] if foreground else ()
        digest.update(f"{product.image} {photo_version(product.image)} {box}".encode())
    name = digest.hexdigest()[:16]
    rows, places = (Path(folder) / f"{kind}-{name}.npy" for kind in ("patches", "locations"))
    if not (rows.is_file() and places.is_file()):
        with whole_file(rows) as new_rows, whole_file(places) as new_places:
            _compute(products, layout, encoder, foreground, new_rows, new_places)
    try:
        return PatchFeatures(np.load(rows, mmap_mode="r"), np.load(places))
    except (OSError, ValueError) as error:
        raise InputError(f"{rows} is damaged ({error}); delete it, it is made again") from None


def photo_version(image: str) -> str:
    """Size and time of a photo's file, so that a photo replaced under its name is seen."""
    if not os.path.isfile(image):  # a member of a container
        return ""
    found = os.stat(image)
    return f"{found.st_size} {found.st_mtime_ns}"


def _compute(
    products: Sequence[Product],
    layout: PatchLayout,
    encoder: CropEncoder,
    foreground: bool,
    rows_file: Path,
    places_file: Path,
) -> None:
    count, device = row_count(layout), encoder.mean.device
    table = np.lib.format.open_memmap(
        rows_file, "w+", dtype=np.float16, shape=(len(products), count, encoder.width)
    )
    locations = np.zeros((len(products), layout.count, 5), dtype=np.float32)
    at_once = max(1, CROPS_AT_ONCE // count)
    starts = range(0, len(products), at_once)
    for start in tqdm(starts, desc="features of patches", unit="batch", mininterval=2.0):
        crops = []
        for index in range(start, min(start + at_once, len(products))):
            pixels = to_pixels(read_image(products[index].image))
            box = product_box(
                products[index], pixels.shape[2], pixels.shape[1], foreground=foreground
            )
            found, place = cut_rows(pixels, box, layout, encoder.side)
            crops.append(found)
            locations[index] = place.numpy()
        features = encoder.features(torch.cat(crops).to(device)).cpu().half().numpy()
        table[start : start + len(crops)] = features.reshape(len(crops), count, -1)
    table.flush()
    with open(places_file, "wb") as file:
        np.save(file, locations)
