"""`ovarnet.load("model.onnx")`: exported models behind the interface of all models.

No network of PyTorch is built. N images, R regions of an image. The "batch frame" is the image
resized for the graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torchvision.models.detection.transform import resize_boxes

from ovarnet.errors import InputError
from ovarnet.modeling.clip_attr import ClipAttr
from ovarnet.modeling.proposer import Proposer
from ovarnet.modeling.region_model import RegionEmbeddings, RegionModel
from ovarnet.modeling.resize import DetectorResize
from ovarnet.modeling.score_calibration import ScoreCalibration
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.onnx.fixed_resize import FixedResize
from ovarnet.onnx.folded_words import FoldedClassifier, joined_scores
from ovarnet.onnx.region_graph import Regions
from ovarnet.onnx.session import Session
from ovarnet.onnx.settings import text_file
from ovarnet.onnx.words import OnnxClip, open_classifier, open_tower
from ovarnet.structures import Proposals


class OnnxOvarNet(RegionModel):
    """An exported OvarNet.

    Args:
        session: of the graph.
        clip: of the text side.
        classifier: scores what `forward` returns.
    """

    def __init__(self, session: Session, clip: OnnxClip, classifier: TextClassifier):
        settings = session.settings
        super().__init__(classifier, settings.vocabulary)
        self.clip, self.session = clip, session
        self.threshold, self.nms_iou = settings.threshold, settings.nms_iou
        self.score_calibration = ScoreCalibration(*settings.score_calibration)
        self.resize = resize_of(settings.image)
        self.eval()

    def forward(
        self,
        images: Sequence[Tensor],
        boxes: Sequence[Tensor] | None = None,
        names: Sequence[str | None] | None = None,  # noqa: ARG002 (read by other models)
        min_objectness: float = 0.0,
    ) -> list[RegionEmbeddings]:
        """See `OvarNet.forward`; on the CPU. The graph embeds every box that it finds."""
        found: dict[int, RegionEmbeddings] = {}
        for indices in self.resize.same_size(images):
            batch = [images[i].cpu() for i in indices]
            given = None if boxes is None else [boxes[i].cpu() for i in indices]
            found |= zip(indices, self._regions(batch, given, min_objectness), strict=True)
        return [found[index] for index in range(len(images))]

    def run(self, images: Sequence[Tensor], boxes: Sequence[Tensor] | None = None) -> Regions:
        """Run the graph.

        Args:
            images: N tensors (3, H, W) in [0, 1], padded to the same size by `resize`.
            boxes: N tensors (R, 4) to embed, in pixels of the images; R may differ.

        Returns:
            Its outputs; boxes in the batch frame. Rows of given boxes are padded to the most.
        """
        batch, _ = self.resize(list(images))
        sizes = batch.image_sizes
        rows = boxes if boxes is not None else [torch.zeros(0, 4)] * len(images)
        frames = [
            resize_boxes(one, image.shape[1:], size)
            for one, image, size in zip(rows, images, sizes, strict=True)
        ]
        inputs = {
            "images": batch.tensors,
            "sizes": torch.tensor(sizes),
            "given_boxes": pad_sequence(frames, batch_first=True),
        }
        if not self.session.settings.folded:
            # scores are computed by the classifier, which knows synonyms
            nothing = torch.zeros(0, self.session.settings.embed_dim)
            inputs |= {"category_words": nothing, "attribute_words": nothing}
        return Regions(*self.session(Regions._fields, inputs))

    def _regions(
        self, images: list[Tensor], boxes: list[Tensor] | None, min_objectness: float
    ) -> list[RegionEmbeddings]:
        found = self.run(images, boxes)
        folded = self.session.settings.folded
        embeddings = (
            joined_scores(found.category_scores, found.attribute_scores)
            if folded
            else found.embeddings
        )
        if boxes is not None:
            first = found.boxes.shape[1] - max(map(len, boxes))
            return [
                RegionEmbeddings(rows, torch.ones(len(rows)), one[first : first + len(rows)])
                for rows, one in zip(boxes, embeddings, strict=True)
            ]
        regions = []
        for index, image in enumerate(images):
            used = found.objectness[index] >= min_objectness  # -1 fills up the batch
            size = self.resize.resized(*image.shape[1:])
            regions.append(
                RegionEmbeddings(
                    resize_boxes(found.boxes[index, used], size, image.shape[1:]),
                    found.objectness[index, used],
                    embeddings[index, used],
                )
            )
        return regions


def resize_of(image: Mapping[str, Any]) -> DetectorResize:
    """How images are brought to size for a graph, which normalises them itself.

    Args:
        image: the field of `GraphSettings`.
    """
    if "height" in image:
        return FixedResize(image["height"], image["width"])
    return DetectorResize(tuple(image["short_side"]), image["long_side"], (0.0,) * 3, (1.0,) * 3)


class NoProposer:
    """In place of a proposer, for an exported crop encoder.

    Args:
        path: of the ONNX file.
    """

    provenance = "none"

    def __init__(self, path: Path):
        self.path = path

    def propose(
        self,
        images: Sequence[Tensor],  # noqa: ARG002
        names: Sequence[str | None] | None = None,  # noqa: ARG002
    ) -> list[Proposals]:
        """Refuse.

        Raises:
            InputError: always.
        """
        raise InputError(
            f"{self.path} encodes crops and finds no boxes; give boxes (--boxes) or a proposer "
            "(--proposer)"
        )


def open_onnx(
    path: str | Path, device: torch.device, proposer: Proposer | None = None
) -> OnnxOvarNet | ClipAttr:
    """Open a file that `ovarnet export` wrote.

    Args:
        path: of the graph; its text tower is `text_file(path)`.
        device: where ONNX Runtime runs it, if it can.
        proposer: where boxes come from, for a crop encoder.

    Raises:
        InputError: a file is missing or damaged, or a proposer for an OvarNet.
    """
    session = Session(path, device)
    settings = session.settings
    if settings.model == "clip-attr":
        clip = OnnxClip(settings, open_tower(_text_session(session, device)), session)
        model = ClipAttr(
            clip,
            open_classifier(clip, settings),
            NoProposer(session.path) if proposer is None else proposer,
            settings.vocabulary,
            proposals=settings.image["proposals"],
        )
        model.threshold, model.nms_iou = settings.threshold, settings.nms_iou
        model.score_calibration = ScoreCalibration(*settings.score_calibration)
        return model
    if proposer is not None:
        raise InputError(
            f"{path} is an OvarNet, which finds its boxes itself; leave the proposer out"
        )
    if settings.folded:
        clip = OnnxClip(settings, None)
        return OnnxOvarNet(session, clip, FoldedClassifier(clip, settings.vocabulary))
    clip = OnnxClip(settings, open_tower(_text_session(session, device)))
    return OnnxOvarNet(session, clip, open_classifier(clip, settings))


def _text_session(graph: Session, device: torch.device) -> Session:
    file = text_file(graph.path)
    if not file.is_file():
        raise InputError(
            f"{file}, the text tower of {graph.path}, is missing; copy it there, or export the "
            "model with --words"
        )
    session = Session(file, device)
    if session.settings.text_key != graph.settings.text_key:
        raise InputError(
            f"{file} is the text tower of another model than {graph.path}; export the model again"
        )
    return session
