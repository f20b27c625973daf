"""Class-agnostic boxes: the offline proposer of method section 2.1.

It is a whole two-stage detector with one foreground class, trained on boxes of base categories
only. Letters: N boxes of an image, R proposals. Boxes are xyxy in pixels of the images given.
Objectness is in [0, 1].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from urllib.error import URLError

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torchvision.models import ResNet50_Weights
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.image_list import ImageList

from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.resize import DetectorResize
from ovarnet.modeling.resnet_pyramid import ResnetPyramid
from ovarnet.modeling.roi_heads import ROI_SIZE, roi_pool
from ovarnet.modeling.rpn import ANCHOR_RATIOS, StatedStrides
from ovarnet.structures import Proposals

LIMIT = 100
PHOTOS_CHANNELS = 96
"""Width of the pyramid of `photos_proposer`."""
BASE_BOXES_ONLY = "trained on boxes of base categories only"


class DetectorProposer(nn.Module):
    """Faster R-CNN with one foreground class; the defaults are those of method section 2.1.

    Args:
        backbone: normalised pixels (N, 3, H, W) -> dict of maps, with `out_channels`. Its
            BatchNorm layers stay in evaluation mode.
        anchor_sizes: sizes in pixels, for each map.
        anchor_strides: of these maps, finest first; None: image by map, as torchvision takes them,
            which differs where a map was rounded up.
        roi_strides: name -> stride of the maps that regions are pooled from, finest first.
        resize: how images are brought to size, and their mean and std.
        roi_canonical_size: boxes of that side or larger are pooled from stride 16, of half that
            side from stride 8, and so on (224 in the FPN paper).
        head_width: of the two shared layers of the RoI head.
        rpn_pre_nms: regions kept of each map before NMS, in (training, evaluation).
        rpn_post_nms: regions kept of each image after NMS, in (training, evaluation).
        rpn_batch_size: anchors per image in the losses.
        roi_batch_size: regions per image in the losses.
        score_threshold: lowest score that `propose` returns.
        nms_iou: of what `propose` returns, at most `LIMIT` boxes per image.
    """

    provenance = BASE_BOXES_ONLY
    settings: Mapping[str, str | None] = MappingProxyType({})
    """What a checkpoint says of it, `kind` and `clip`; empty where it was not opened from one."""

    def __init__(
        self,
        backbone: nn.Module,
        *,
        anchor_sizes: Sequence[Sequence[float]],
        roi_strides: Mapping[str, int],
        resize: DetectorResize,
        anchor_strides: Sequence[int] | None = None,
        roi_canonical_size: int = 224,
        head_width: int = 1024,
        rpn_pre_nms: tuple[int, int] = (2000, 1000),
        rpn_post_nms: tuple[int, int] = (1000, 1000),
        rpn_batch_size: int = 256,
        roi_batch_size: int = 512,
        score_threshold: float = 0.05,
        nms_iou: float = 0.5,
    ):
        super().__init__()
        channels = backbone.out_channels
        assert isinstance(channels, int)
        self.detector = FasterRCNN(
            backbone,
            rpn_anchor_generator=_anchors(anchor_sizes, anchor_strides),
            rpn_pre_nms_top_n_train=rpn_pre_nms[0],
            rpn_pre_nms_top_n_test=rpn_pre_nms[1],
            rpn_post_nms_top_n_train=rpn_post_nms[0],
            rpn_post_nms_top_n_test=rpn_post_nms[1],
            rpn_batch_size_per_image=rpn_batch_size,
            rpn_positive_fraction=0.5,
            rpn_fg_iou_thresh=0.7,
            rpn_bg_iou_thresh=0.3,
            rpn_nms_thresh=0.7,
            box_roi_pool=roi_pool(roi_strides, roi_canonical_size),
            box_head=TwoMLPHead(channels * ROI_SIZE**2, head_width),
            box_predictor=FastRCNNPredictor(head_width, num_classes=2),
            box_batch_size_per_image=roi_batch_size,
            box_positive_fraction=0.25,
            box_fg_iou_thresh=0.5,
            box_bg_iou_thresh=0.5,
            box_score_thresh=score_threshold,
            box_nms_thresh=nms_iou,
            box_detections_per_img=LIMIT,
        )
        self.detector.transform = resize

    def forward(self, images: Sequence[Tensor], boxes: Sequence[Tensor]) -> dict[str, Tensor]:
        """Losses of a training step; needs training mode.

        Args:
            images: tensors (3, H, W), float in [0, 1].
            boxes: for each image a tensor (N, 4) on its device; N may be 0.

        Returns:
            The scalars loss_objectness, loss_rpn_box_reg, loss_classifier and loss_box_reg.
        """
        return self.detector(list(images), _one_class(boxes))

    def losses_on_maps(
        self, maps: Sequence[Tensor], boxes: Sequence[Tensor], sizes: Sequence[tuple[int, int]]
    ) -> dict[str, Tensor]:
        """Losses of a training step on what the trunk gave for resized images.

        Args:
            maps: (images, C, h, w) of each stage of the pyramid, finest first.
            boxes: for each image a tensor (N, 4), pixels of the resized image; N may be 0.
            sizes: height and width of each resized image without padding.

        Returns:
            As `forward`.
        """
        detector, targets = self.detector, _one_class(boxes)
        features = detector.backbone.pyramid(
            dict(zip(detector.backbone.strides, maps, strict=True))
        )
        # the RPN reads the sizes of this list alone, since the strides of its anchors are stated
        images = ImageList(maps[0], list(sizes))
        proposals, losses = detector.rpn(images, features, targets)
        _, head_losses = detector.roi_heads(features, proposals, images.image_sizes, targets)
        return {**losses, **head_losses}

    @torch.no_grad()
    def propose(
        self,
        images: Sequence[Tensor],
        names: Sequence[str | None] | None = None,  # noqa: ARG002 (read by other proposers)
    ) -> list[Proposals]:
        """See `Proposer.propose`; needs evaluation mode."""
        if self.training:
            raise RuntimeError("propose needs evaluation mode; call .eval() first")
        return detect_independently(self.detector, images)

    def train(self, mode: bool = True) -> DetectorProposer:
        """Set the mode; the backbone's BatchNorm stays in evaluation mode."""
        super().train(mode)
        for module in self.detector.backbone.modules():
            if isinstance(module, _BatchNorm):
                module.eval()
        return self


def _one_class(boxes: Sequence[Tensor]) -> list[dict[str, Tensor]]:
    return [
        {"boxes": rows, "labels": torch.ones(len(rows), dtype=torch.int64, device=rows.device)}
        for rows in boxes
    ]


def _anchors(sizes: Sequence[Sequence[float]], strides: Sequence[int] | None) -> AnchorGenerator:
    if strides is not None:
        return StatedStrides(sizes, strides)
    return AnchorGenerator(tuple(map(tuple, sizes)), (ANCHOR_RATIOS,) * len(sizes))


def scenes_proposer(clip: Clip) -> DetectorProposer:
    """Build a proposer for the generated world: a pyramid on the small CLIP's image tower.

    Its images have about 112 to 208 pixels, its objects 20 to 100. Scenes keep their size and
    photos are shrunk to it. The trunk's BatchNorm keeps CLIP's statistics. More and closer boxes
    are returned than by default, as what follows is a classifier that ranks them.

    Args:
        clip: its image tower is copied.
    """
    backbone = ResnetPyramid(clip, channels=64)
    return DetectorProposer(
        backbone,
        anchor_sizes=((16,), (32,), (64,), (112,)),
        roi_strides=backbone.strides,
        roi_canonical_size=80,
        head_width=128,
        resize=DetectorResize(short_side=(112, 208), long_side=320, mean=clip.mean, std=clip.std),
        rpn_pre_nms=(500, 300),
        rpn_post_nms=(300, 200),
        rpn_batch_size=128,
        roi_batch_size=64,
        score_threshold=0.01,
        nms_iou=0.65,
    )


def photos_proposer(clip: Clip) -> DetectorProposer:
    """Build a proposer for photos on the frozen trunk of a small CLIP, quick enough for a CPU.

    The pyramid leaves out stride 4, where most of the work would be; two anchor sizes a map make up
    for it. A frozen trunk keeps what it learned from ImageNet about objects without a box here.

    Args:
        clip: its image tower is copied.
    """
    backbone = ResnetPyramid(clip, channels=PHOTOS_CHANNELS, finest="c3", coarser=True)
    backbone.trunk.requires_grad_(False)
    return DetectorProposer(
        backbone,
        # as OvarNet has them that takes this detector over: anchor_scales of 1 and 1.41
        anchor_sizes=[[size, size * 1.41] for size in (24, 48, 96, 192)],
        anchor_strides=tuple(backbone.all_strides.values()),
        roi_strides=backbone.strides,
        head_width=256,
        resize=DetectorResize(
            short_side=(336, 336),
            long_side=448,
            mean=clip.mean,
            std=clip.std,
            train_short_sides=range(256, 385, 32),
        ),
        rpn_pre_nms=(500, 400),
        rpn_post_nms=(300, 300),
        rpn_batch_size=128,
        roi_batch_size=128,
        score_threshold=0.01,
        nms_iou=0.6,
    )


def resnet50_proposer(imagenet_weights: bool = False) -> DetectorProposer:
    """Build the full-size proposer of method section 2.1.

    ResNet-50 with FPN, its stem and first stage frozen.

    Args:
        imagenet_weights: initialise the trunk from torchvision's weights, downloaded when they are
            not in its cache; otherwise the trunk is random, to be filled from a checkpoint.

    Raises:
        InputError: the weights cannot be downloaded.
    """
    weights = ResNet50_Weights.IMAGENET1K_V1
    try:
        backbone = resnet_fpn_backbone(
            backbone_name="resnet50",
            weights=weights if imagenet_weights else None,
            norm_layer=nn.BatchNorm2d,
            trainable_layers=3,
        )
    except URLError as error:
        raise InputError(
            f"cannot download {weights.url} ({error.reason}); put that file into {hub_folder()}"
        ) from None
    pixels = weights.transforms()
    return DetectorProposer(
        backbone,
        anchor_sizes=((32,), (64,), (128,), (256,), (512,)),
        roi_strides={"0": 4, "1": 8, "2": 16, "3": 32},
        resize=DetectorResize(
            short_side=(800, 800),
            long_side=1333,
            mean=pixels.mean,
            std=pixels.std,
            train_short_sides=range(640, 801, 32),
        ),
    )


def hub_folder() -> Path:
    """Where torchvision keeps downloaded weights."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def detect_independently(detector: FasterRCNN, images: Sequence[Tensor]) -> list[Proposals]:
    """Detect in each image, whatever images share the call; classes are dropped.

    Args:
        detector: its transform is a `DetectorResize`.
        images: tensors (3, H, W), float in [0, 1].

    Returns:
        For each image boxes and scores on the CPU, best first, in float32 also under autocast.
    """
    device = next(detector.parameters()).device
    proposals: dict[int, Proposals] = {}
    for indices in detector.transform.same_size(images):
        batch = [images[index].to(device) for index in indices]
        with torch.autocast(device.type, enabled=False):
            found = detector(batch)
        for index, one in zip(indices, found, strict=True):
            proposals[index] = Proposals(one["boxes"].cpu(), one["scores"].cpu())
    return [proposals[index] for index in range(len(images))]
