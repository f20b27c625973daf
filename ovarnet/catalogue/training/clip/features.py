"""What the frozen trunk of a photo CLIP gives for every product, computed once and kept.

R products, F and M widths of the pooled and of the mid-level features.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from tqdm import tqdm

from ovarnet.errors import InputError
from ovarnet.io.files import whole_file
from ovarnet.io.images import read_image, to_pixels
from ovarnet.io.weights_hash import weights_hash
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.crops import crop_boxes

BATCH = 16


def photo_features(clip: Clip, files: Sequence[str], boxes: Tensor, folder: Path) -> Tensor:
    """Features of the crops that inference takes.

    The name of the file they are kept in is a hash of the trunk's weights, the files and the boxes.

    Args:
        clip: Its image tower is a `ConceptTower`.
        files: R places of photos.
        boxes: (R, 4) float32 xyxy in pixels of the photo.
        folder: Where the file is kept.

    Returns:
        (R, F + M) float16, pooled features before mid-level ones.

    Raises:
        InputError: A photo cannot be read, or a stored file is damaged.
    """
    trunk = weights_hash(clip.model.visual.trunk)
    what = f"{list(files)} {trunk}".encode() + boxes.numpy().tobytes()
    path = folder / f"photos-{hashlib.sha256(what).hexdigest()[:16]}.safetensors"
    if not path.is_file():
        features = _compute(clip, files, boxes)
        with whole_file(path) as unfinished:
            save_file({"features": features}, unfinished)
        return features
    try:
        return load_file(path)["features"]
    except (SafetensorError, OSError, KeyError) as error:
        raise InputError(f"{path} is damaged ({error}); delete it, it is computed again") from None


@torch.no_grad()
def _compute(clip: Clip, files: Sequence[str], boxes: Tensor) -> Tensor:
    parts = []
    starts = range(0, len(files), BATCH)
    for start in tqdm(starts, desc="features", unit="batch", mininterval=2.0):
        crops = [
            crop_boxes(
                to_pixels(read_image(file)),
                box[None],
                clip.image_size,
                clip.mean,
                clip.std,
                enlarge=0.0,
            )
            for file, box in zip(
                files[start : start + BATCH], boxes[start : start + BATCH], strict=True
            )
        ]
        pixels = torch.cat(crops).to(clip.device, memory_format=torch.channels_last)
        parts.append(torch.cat(clip.model.visual.crop_features(pixels), dim=1).half().cpu())
    return torch.cat(parts)
