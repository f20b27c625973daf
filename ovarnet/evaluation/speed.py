"""Seconds per image, part by part, of CLIP-Attr, OvarNet and torchvision's Faster R-CNN.

All models get the same image, the same boxes and the same words. The RPN and the proposer run, and
are timed, although the boxes that are pooled are given. Letters: R boxes.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.transform import resize_boxes

from ovarnet.evaluation.untrained import random_words
from ovarnet.modeling.clip_attr import ClipAttr, encode_boxes
from ovarnet.modeling.ovarnet import OvarNet
from ovarnet.modeling.post_processing import best_detections
from ovarnet.modeling.region_model import RegionEmbeddings
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.word_embeddings import WordEmbeddings
from ovarnet.onnx.model import OnnxOvarNet
from ovarnet.structures import Detections

NMS_IOU, DETECTIONS_KEPT = 0.5, 100
"""As of `ovarnet.modeling.predictor.Predictor`."""


class Stopwatch:
    """Seconds of named parts over several runs.

    Args:
        device: a GPU is waited for before the clock is read.
    """

    def __init__(self, device: torch.device):
        self.device = device
        self.runs: list[dict[str, float]] = []

    @contextmanager
    def run(self) -> Iterator[None]:
        """One run, whose parts are timed inside."""
        self.runs.append({})
        yield

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Time one part of the current run; parts of one name add up."""
        started = self._now()
        yield
        passed = self._now() - started
        self.runs[-1][name] = self.runs[-1].get(name, 0.0) + passed

    def medians(self, warm_up: int) -> dict[str, float]:
        """Median seconds of each part, and "total": the median of the runs' sums.

        Args:
            warm_up: how many runs at the start do not count.
        """
        runs = self.runs[warm_up:]
        medians = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
        return {**medians, "total": statistics.median(sum(run.values()) for run in runs)}

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()


class Timer:
    """Runs models on one image, part by part.

    Args:
        image: (3, H, W) in [0, 1], on the device of the models.
        boxes: (R, 4) xyxy in pixels, to pool.
        words: embeddings of the category words and of the attribute words.
    """

    def __init__(self, image: Tensor, boxes: Tensor, words: tuple[WordEmbeddings, WordEmbeddings]):
        self.image, self.boxes, self.words = image, boxes, words

    @torch.no_grad()
    def clip_attr(self, model: ClipAttr, watch: Stopwatch) -> Detections:
        """One run of CLIP-Attr: the proposer, then one encoder pass per crop."""
        if model.proposer is None:
            raise ValueError("CLIP-Attr without a proposer cannot be timed")
        with watch.part("proposer"):
            model.proposer.propose([self.image], [None])
        with watch.part("crops and encoder"):
            embeddings = encode_boxes(
                model.clip, [self.image], [self.boxes], batch=model.crop_batch
            )
        return self._detections(model.classifier, embeddings[0], watch)

    @torch.no_grad()
    def ovarnet(self, model: OvarNet, watch: Stopwatch) -> Detections:
        """One run of OvarNet: one pass, then pooling."""
        with watch.part("resize"):
            pixels, sizes, original = model.preprocess([self.image])
        with watch.part("backbone"):
            features = model.extract_features(pixels)
        with watch.part("RPN"):
            model.select_proposals(features, sizes)
        with watch.part("pooling"):
            boxes = [resize_boxes(self.boxes.to(model.device), original[0], sizes[0])]
            embeddings, _ = model.pool(features, boxes, sizes)
        return self._detections(model.classifier, embeddings[0], watch)

    @torch.no_grad()
    def onnx(self, model: OnnxOvarNet, watch: Stopwatch) -> Detections:
        """One run of an exported OvarNet, which pools as many boxes as there are to pool."""
        with watch.part("resize and graph"):
            found = model.run([self.image.cpu()])
        return self._detections(model.classifier, found.embeddings[0], watch)

    @torch.no_grad()
    def faster_rcnn(self, model: FasterRCNN, watch: Stopwatch) -> object:
        """One run of torchvision's detector."""
        with watch.part("resize"):
            batch, _ = model.transform([self.image])
        with watch.part("backbone"):
            features = model.backbone(batch.tensors)
        with watch.part("RPN"):
            model.rpn(batch, features)
        with watch.part("box head"):
            height, width = self.image.shape[1:]
            boxes = resize_boxes(
                self.boxes.to(self.image.device), (height, width), batch.image_sizes[0]
            )
            return model.roi_heads(features, [boxes], batch.image_sizes)

    def _detections(
        self, classifier: TextClassifier, embeddings: Tensor, watch: Stopwatch
    ) -> Detections:
        regions = RegionEmbeddings(self.boxes, torch.rand(len(self.boxes)), embeddings)
        with watch.part("scoring"):
            categories, attributes = (
                classifier(regions.embeddings, words).sigmoid().cpu() for words in self.words
            )
        with watch.part("post-processing"):
            scores = (regions.objectness * categories.amax(dim=1)).sqrt()
            names = [[str(column) for column in range(len(words))] for words in self.words]
            found = Detections(regions.boxes, scores, categories, attributes, *names)
            return best_detections(found, NMS_IOU, DETECTIONS_KEPT)


def compare(
    contenders: Mapping[str, Callable[[Stopwatch], object]],
    device: torch.device,
    *,
    runs: int,
    warm_up: int = 1,
) -> dict[str, dict[str, float]]:
    """Time contenders by turns, so that a busy machine slows all alike.

    Args:
        contenders: {name: one run, timed by the stopwatch given}.
        device: of the models.
        runs: timed runs of each.
        warm_up: runs before them.

    Returns:
        {name: median seconds of its parts, and "total"}.
    """
    watches = {name: Stopwatch(device) for name in contenders}
    for _ in range(warm_up + runs):
        for name, run_once in contenders.items():
            with watches[name].run():
                run_once(watches[name])
    return {name: watch.medians(warm_up) for name, watch in watches.items()}


@torch.no_grad()
def scoring_seconds(
    classifier: TextClassifier, width: int, boxes: int, counts: Sequence[int], *, runs: int
) -> dict[int, float]:
    """Time the scores of R region embeddings against vocabularies of several sizes.

    Args:
        classifier: scores them.
        width: of the embeddings.
        boxes: R.
        counts: numbers of words.
        runs: timed runs after one that warms up.

    Returns:
        {number of words: median seconds}.
    """
    device = classifier.clip.device
    embeddings = torch.randn(boxes, width, device=device)
    seconds = {}
    for count in counts:
        words, watch = random_words(count, width, "category", device), Stopwatch(device)
        for _ in range(1 + runs):
            with watch.run(), watch.part("scoring"):
                classifier(embeddings, words).sigmoid()
        seconds[count] = watch.medians(warm_up=1)["total"]
    return seconds
