"""Photos -> patch features, as the models of the catalogue were trained on them.

N photos, P patches, D width of a patch feature.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ovarnet.catalogue.modeling.build import patch_layout
from ovarnet.catalogue.modeling.crop_encoder import open_crop_encoder
from ovarnet.catalogue.modeling.foreground import foreground_box
from ovarnet.catalogue.training.features import encode_photos
from ovarnet.config.catalogue_bert import MatcherDesign
from ovarnet.errors import InputError
from ovarnet.io.images import read_image, to_pixels

if TYPE_CHECKING:
    from ovarnet.io.images import ImageLike


class PhotoPatches:
    """Cuts photos into patches and encodes them with the frozen network of a design.

    Args:
        design: Of a checkpoint.
        source: The checkpoint, for messages.
        device: Where the network runs.

    Raises:
        InputError: The frozen network is missing, or has other weights than in training.
    """

    def __init__(self, design: MatcherDesign, source: str, device: torch.device):
        self.layout = patch_layout(design.patches, design.grid)
        self.foreground, self.device = design.foreground, device
        self.encoder = open_crop_encoder(design.network, design.side).to(device)
        if self.encoder.digest != design.digest:
            raise InputError(
                f"{source} was trained on features of {design.network} with other weights than it "
                "has now; train it again, or put the old weights back"
            )

    def __call__(self, images: Sequence[ImageLike]) -> tuple[Tensor, Tensor]:
        """Encode photos.

        Args:
            images: N photos, as `ovarnet.io.images.read_image` takes them.

        Returns:
            Features (N, P, D) and locations (N, P, 5), on the device.

        Raises:
            InputError: A photo cannot be read.
        """
        if not len(images):
            count = self.layout.count
            features = torch.zeros(0, count, self.encoder.width, device=self.device)
            return features, torch.zeros(0, count, 5, device=self.device)
        photos = [read_image(image) for image in images]
        boxes = [
            foreground_box(photo) if self.foreground else (0, 0, photo.shape[1], photo.shape[0])
            for photo in photos
        ]
        pixels = [to_pixels(photo) for photo in photos]
        return encode_photos(pixels, boxes, self.layout, self.encoder)
