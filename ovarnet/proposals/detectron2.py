"""Any detector of detectron2 as a class-agnostic proposer: a config and its weights.

Boxes come from its inference as detectron2's own `DefaultPredictor` runs it. Its classes are
dropped; the score of a box, or the sigmoid of its objectness logit, is the objectness.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
import yaml
from torch import Tensor, nn
from torchvision.ops import nms

from ovarnet.errors import InputError
from ovarnet.proposals.detector import BASE_BOXES_ONLY, LIMIT
from ovarnet.structures import Proposals

INSTALL = (
    'pip install "ovarnet[detectron2]" && pip install --no-deps --no-build-isolation '
    "git+https://github.com/facebookresearch/detectron2.git"
)
NMS_IOU = 0.7
"""Between boxes of whatever class."""
BASE_ONLY = "base-only"
PREFIX = "detectron2:"
UNREADABLE = (
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    KeyError,
    AssertionError,
    UnpicklingError,
)
FORM = "detectron2:CONFIG,WEIGHTS or detectron2:CONFIG,WEIGHTS,base-only"


class Detectron2Proposer(nn.Module):
    """A detectron2 model without its classes; always in evaluation mode.

    Args:
        config: A YAML config of detectron2 (whole, or with its `_BASE_`), or a LazyConfig (.py)
            with ``model`` and ``dataloader.test.mapper``.
        weights: A file that detectron2's checkpointer reads.
        base_boxes_only: Whether it was trained on boxes of base categories only, as training with
            its proposals requires. detectron2's files do not say.

    Raises:
        InputError: detectron2 is not installed, or a file is missing or cannot be used.
    """

    def __init__(self, config: str | Path, weights: str | Path, *, base_boxes_only: bool = False):
        super().__init__()
        config, weights = Path(config), Path(weights)
        for file in (config, weights):
            if not file.is_file():
                raise InputError(f"{file}: no such file; a detectron2 proposer is {FORM}")
        self.provenance = (
            BASE_BOXES_ONLY if base_boxes_only else f"detectron2 {config.name}, data unknown"
        )
        try:
            read = _read_lazy if config.suffix == ".py" else _read_yaml
            self.detector, self.input_format, self.resize = read(config)
            _load(self.detector, weights)
        except ImportError as error:
            raise InputError(
                f"a detectron2 proposer needs detectron2 ({error}): {INSTALL}"
            ) from None
        self.eval()

    @torch.no_grad()
    def propose(
        self,
        images: Sequence[Tensor],
        names: Sequence[str | None] | None = None,  # noqa: ARG002 (read by other proposers)
    ) -> list[Proposals]:
        """See `Proposer.propose`."""
        return [self._propose(image) for image in images]

    def _propose(self, image: Tensor) -> Proposals:
        pixels = (image * 255).round().byte().permute(1, 2, 0).cpu().numpy()
        height, width = pixels.shape[:2]
        if self.input_format == "BGR":
            pixels = pixels[:, :, ::-1]
        resized = np.ascontiguousarray(self.resize(pixels).transpose(2, 0, 1))
        record = {"image": torch.from_numpy(resized), "height": height, "width": width}
        return _class_agnostic(self.detector([record])[0])

    def train(self, mode: bool = True) -> Detectron2Proposer:  # noqa: ARG002
        """Stay in evaluation mode."""
        return super().train(False)


def open_detectron2_proposer(source: str) -> Detectron2Proposer:
    """Open the proposer that a name stands for.

    Args:
        source: "detectron2:CONFIG,WEIGHTS"; ",base-only" after it states that the detector was
            trained on boxes of base categories only.

    Raises:
        InputError: Another form, or what `Detectron2Proposer` raises.
    """
    config, *others = source.removeprefix(PREFIX).split(",")
    if len(others) not in (1, 2) or others[1:] not in ([], [BASE_ONLY]):
        raise InputError(f"proposer '{source:.80}': write {FORM}")
    return Detectron2Proposer(config, others[0], base_boxes_only=len(others) == 2)


def _class_agnostic(output: dict[str, Any]) -> Proposals:
    """The boxes of one output, best first."""
    if "instances" in output:
        found = output["instances"]
        boxes, scores = found.pred_boxes.tensor, found.scores
    elif "proposals" in output:
        found = output["proposals"]
        boxes, scores = found.proposal_boxes.tensor, found.objectness_logits.sigmoid()
    else:
        raise InputError(
            f"the detectron2 model returns {', '.join(output)} and no boxes; give a detector or a "
            "ProposalNetwork"
        )
    boxes, scores = boxes.float().cpu(), scores.float().cpu()
    kept = nms(boxes, scores, NMS_IOU)[:LIMIT]
    return Proposals(boxes[kept], scores[kept])


def _read_yaml(config: Path) -> tuple[nn.Module, str, Callable[[np.ndarray], np.ndarray]]:
    """Untrained model, channel order, and how images are resized."""
    from detectron2.config import get_cfg
    from detectron2.data import transforms
    from detectron2.modeling import build_model

    cfg = get_cfg()
    try:
        cfg.merge_from_file(str(config))
    except (KeyError, ValueError, AssertionError, yaml.YAMLError) as error:
        raise InputError(f"{config} is no config of detectron2: {error}") from None
    cfg.MODEL.DEVICE = "cpu"
    resize = transforms.ResizeShortestEdge(
        [cfg.INPUT.MIN_SIZE_TEST, cfg.INPUT.MIN_SIZE_TEST], cfg.INPUT.MAX_SIZE_TEST
    )
    return (
        build_model(cfg),
        cfg.INPUT.FORMAT,
        lambda pixels: resize.get_transform(pixels).apply_image(pixels),
    )


def _read_lazy(config: Path) -> tuple[nn.Module, str, Callable[[np.ndarray], np.ndarray]]:
    """As `_read_yaml` for a LazyConfig."""
    from detectron2.config import LazyConfig, instantiate
    from detectron2.data import transforms

    cfg = LazyConfig.load(str(config))
    mapper = cfg.dataloader.test.mapper
    augmentations = transforms.AugmentationList(instantiate(mapper.augmentations))

    def resize(pixels: np.ndarray) -> np.ndarray:
        augmented = transforms.AugInput(pixels)
        augmentations(augmented)
        return augmented.image

    return instantiate(cfg.model), mapper.image_format, resize


def _load(detector: nn.Module, weights: Path) -> None:
    """Load weights with detectron2's checkpointer, which itself only warns of what is missing.

    Raises:
        InputError: The file cannot be read, or leaves weights of the detector unset.
    """
    from detectron2.checkpoint import DetectionCheckpointer

    for parameter in detector.parameters():
        nn.init.constant_(parameter, math.nan)
    try:
        DetectionCheckpointer(detector).load(str(weights))
    except UNREADABLE as error:
        raise InputError(
            f"{weights} cannot be read as weights of a detectron2 model: {error}"
        ) from None
    unset = [name for name, value in detector.named_parameters() if value.isnan().any()]
    if unset:
        raise InputError(
            f"{weights} does not fit the config: it lacks {len(unset)} weights, such as "
            f"{unset[0]}, or holds them as NaN"
        )
