"""A CLIP as the encoder of products: photos by their foreground, texts as they are.

N products or texts, D the joint embedding width.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from ovarnet.build.folders import find_checkpoint
from ovarnet.catalogue.modeling.foreground import foreground_box
from ovarnet.catalogue.product import Box, Product
from ovarnet.checkpoint import load_checkpoint, load_weights
from ovarnet.device import pick_device
from ovarnet.errors import InputError
from ovarnet.io.images import read_image, to_pixels
from ovarnet.io.weights_hash import weights_hash
from ovarnet.modeling.clip.clip import Clip, load_clip
from ovarnet.modeling.clip.weights import LOCAL_FOLDER
from ovarnet.modeling.crops import crop_boxes

if TYPE_CHECKING:
    from ovarnet.io.images import ImageLike

STOCK = "clip-attr:"
BATCH = 16


class ProductEncoder:
    """Unit vectors of photos and texts.

    Args:
        clip: In evaluation mode.
        name: What it was opened by, for messages and indices.
        foreground: Photos are cut to the product's box; false: the whole photo.
    """

    def __init__(self, clip: Clip, name: str, *, foreground: bool = True):
        self.clip, self.name, self.foreground = clip, name, foreground
        self.hash = weights_hash(clip.model)

    @torch.no_grad()
    def photos(self, products: Sequence[Product], *, progress: str = "") -> Tensor:
        """The first photo of each product.

        Args:
            products: N products.
            progress: Beside the bar; "" shows none.

        Returns:
            (N, D) float32 unit vectors on the CPU.

        Raises:
            InputError: A photo cannot be read.
        """
        starts = range(0, len(products), BATCH)
        vectors = [torch.zeros(0, self.clip.embed_dim)]
        for start in tqdm(starts, desc=progress, unit="batch", disable=not progress, delay=1.0):
            part = products[start : start + BATCH]
            crops = [
                self.crop(product.image, product.boxes[0] if product.boxes else None)
                for product in part
            ]
            vectors.append(self._encode(torch.cat(crops)))
        return torch.cat(vectors)

    @torch.no_grad()
    def photo(self, image: ImageLike, box: Box | None = None) -> Tensor:
        """One photo, or one box of it.

        Args:
            image: As `ovarnet.io.images.read_image` takes it.
            box: x1, y1, x2, y2 in pixels; None: its foreground.

        Returns:
            (D,) float32 unit vector on the CPU.
        """
        return self._encode(self.crop(image, box))[0]

    def crop(self, image: ImageLike, box: Box | None) -> Tensor:
        """The square (1, 3, S, S) that the image tower is given."""
        rgb = read_image(image)
        height, width = rgb.shape[:2]
        if box is None or not self.foreground:
            box = foreground_box(rgb) if self.foreground else (0, 0, width, height)
        boxes = torch.tensor([box], dtype=torch.float32)
        clip = self.clip
        return crop_boxes(to_pixels(rgb), boxes, clip.image_size, clip.mean, clip.std, enlarge=0.0)

    @torch.no_grad()
    def texts(self, texts: Sequence[str], *, truncate: bool = True) -> Tensor:
        """Texts as they are.

        Args:
            texts: N texts.
            truncate: Cut those that are too long instead of refusing them.

        Returns:
            (N, D) float32 unit vectors on the CPU.

        Raises:
            InputError: A text is too long, unless `truncate`.
        """
        return F.normalize(self.clip.encode_text(texts, truncate=truncate).float(), dim=-1).cpu()

    def _encode(self, crops: Tensor) -> Tensor:
        pixels = crops.to(self.clip.device, memory_format=torch.channels_last)
        return F.normalize(self.clip.encode_image(pixels).float(), dim=-1).cpu()


def load_encoder(
    name: str | Path, *, device: str | torch.device | None = "auto", foreground: bool = True
) -> ProductEncoder:
    """Open the CLIP of a model.

    Args:
        name: A shipped CLIP-Attr, a checkpoint folder of the stages "catalogue_clip", "clip",
            "concept_clip" or of CLIP-Attr, or "clip-attr:ARCH/WEIGHTS" as for `ovarnet.load`.
        device: As for `ovarnet.load`.
        foreground: As for `ProductEncoder`.

    Raises:
        InputError: It holds no image tower for whole photos.
    """
    clip = open_clip(str(name)).to(pick_device(device)).eval()
    clip.model.to(memory_format=torch.channels_last)
    return ProductEncoder(clip, str(name), foreground=foreground)


def open_clip(name: str) -> Clip:
    """The CLIP of a model, on the CPU; see `load_encoder`."""
    if name.startswith(STOCK):
        spec = name.removeprefix(STOCK)
        architecture, _, weights = (
            (spec, "", None) if spec.startswith(LOCAL_FOLDER) else spec.partition("/")
        )
        if weights == "":
            raise InputError(f"{name} names no weights; write clip-attr:ARCH/TAG_OR_FILE")
        return load_clip(architecture, weights)
    checkpoint = load_checkpoint(find_checkpoint(name))
    if checkpoint.model not in ("clip", "clip-attr"):
        raise InputError(
            f"{name} is of kind '{checkpoint.model}' and encodes no whole photos; give a CLIP-Attr "
            "or a CLIP, such as photos-clip-attr"
        )
    clip = load_clip(checkpoint.settings["clip"]["name"], None, random_weights=True)
    load_weights(clip.model, checkpoint.part("clip"), checkpoint.folder / "clip.safetensors")
    return clip
