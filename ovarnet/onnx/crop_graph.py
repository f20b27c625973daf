"""CLIP-Attr's crop encoder as a function of a batch of crops, for `torch.export` and ONNX."""

from __future__ import annotations

from torch import Tensor, nn

from ovarnet.modeling.clip.clip import Clip


class CropGraph(nn.Module):
    """The image tower of a CLIP.

    Args:
        clip: it is used, not copied.
    """

    def __init__(self, clip: Clip):
        super().__init__()
        self.model = clip.model
        self.eval()

    def forward(self, crops: Tensor) -> Tensor:
        """Embed crops.

        Args:
            crops: (R, 3, S, S) float32, as `ovarnet.modeling.crops.crop_boxes` makes them.

        Returns:
            (R, D), not L2-normalised.
        """
        return self.model.encode_image(crops)
