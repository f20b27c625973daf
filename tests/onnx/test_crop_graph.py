"""The crop encoder of a CLIP-Attr."""

import torch

from ovarnet.onnx.crop_graph import CropGraph


@torch.no_grad()
def test_crops_are_embedded_as_by_the_clip(photo_clip):
    crops = torch.rand(2, 3, photo_clip.image_size, photo_clip.image_size)
    assert torch.equal(CropGraph(photo_clip)(crops), photo_clip.encode_image(crops))
