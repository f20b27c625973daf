"""How long models take for one image, part by part, with the same image, the same boxes and the
same words: CLIP-Attr and OvarNet on one image tower, and torchvision's detector as a peer.

Weights are random: time does not depend on them, once BatchNorm is calibrated so that numbers stay
of a usual size. A random RPN proposes nonsense, so all models pool the same boxes, drawn at random;
the RPN and the proposer run, and are timed, all the same.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torchvision.models.detection import FasterRCNN, fasterrcnn_resnet50_fpn
from torchvision.models.detection.transform import resize_boxes

from ovarnet.build import build_ovarnet
from ovarnet.config import OvarnetDesign
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.clip_attr import ClipAttr, encode_boxes
from ovarnet.modeling.ovarnet import OvarNet
from ovarnet.modeling.predictor import best_detections
from ovarnet.modeling.region_model import RegionEmbeddings
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.prompts import TemplatePrompts
from ovarnet.modeling.text.word_embeddings import WordEmbeddings
from ovarnet.proposals.detector import DetectorProposer
from ovarnet.structures import Detections
from ovarnet.vocabulary import KINDS, Vocabulary

SMALLEST_BOX, LARGEST_BOX = 0.05, 0.5
"""Sides of the boxes that are pooled, as shares of the image's."""


class Stopwatch:
    """Seconds of named parts over several runs. Waits for the GPU, where there is one, before it
    looks at the clock.
    """

    def __init__(self, device: torch.device):
        self.device, self.runs = device, []

    @contextmanager
    def run(self) -> Iterator[None]:
        self.runs.append({})
        yield

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        started = self._now()
        yield
        passed = self._now() - started
        self.runs[-1][name] = self.runs[-1].get(name, 0.0) + passed

    def medians(self, warm: int) -> dict[str, float]:
        """Median seconds of each part, and "total": the median of the runs' sums. The first `warm`
        runs do not count.
        """
        runs = self.runs[warm:]
        return {name: statistics.median(run[name] for run in runs) for name in runs[0]} | {
            "total": statistics.median(sum(run.values()) for run in runs)
        }

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()


def random_boxes(count: int, height: int, width: int) -> Tensor:
    """(count, 4) boxes within the image, always the same ones."""
    draw = torch.rand(4, count, generator=torch.Generator().manual_seed(0))
    sides = SMALLEST_BOX + (LARGEST_BOX - SMALLEST_BOX) * draw[:2]
    x, y = draw[2] * (1 - sides[0]) * width, draw[3] * (1 - sides[1]) * height
    return torch.stack([x, y, x + sides[0] * width, y + sides[1] * height], dim=1)


@torch.no_grad()
def calibrate(modules: list[nn.Module], forward: Callable[[], object]) -> None:
    """Set the running statistics of all BatchNorm layers to those of one pass."""
    layers = [
        layer for module in modules for layer in module.modules() if isinstance(layer, _BatchNorm)
    ]
    for layer in layers:
        layer.train()
        layer.momentum, layer.num_batches_tracked = (
            None,
            torch.zeros_like(layer.num_batches_tracked),
        )
    forward()
    for layer in layers:
        layer.eval()


def untrained_pair(
    clip: Clip, proposer: DetectorProposer, vocabulary: Vocabulary, design: OvarnetDesign
) -> tuple[ClipAttr, OvarNet]:
    """CLIP-Attr and OvarNet with the image tower of `clip`, both and the proposer calibrated."""

    def templates(_: Clip | None = None) -> TemplatePrompts:
        return TemplatePrompts(["a photo of a {}"], ["a photo of a {} object"])

    size = clip.image_size
    calibrate([proposer], lambda: proposer.propose([torch.rand(3, size, size)], [None]))
    calibrate(
        [clip.model.visual], lambda: clip.encode_image(clip.normalise(torch.rand(2, 3, size, size)))
    )
    one_pass = build_ovarnet(clip, templates, clip, vocabulary, design)
    for kind in KINDS:
        one_pass.classifier.calibrate(kind, 10.0, -2.0)
    two_stage = ClipAttr(clip, TextClassifier(clip, templates()), proposer, vocabulary)
    two_stage.classifier.calibration.copy_(one_pass.classifier.calibration)
    return two_stage, one_pass


def peer_detector(height: int, width: int, boxes: int) -> FasterRCNN:
    """Torchvision's fasterrcnn_resnet50_fpn, untrained and calibrated, that leaves an image of
    `height` x `width` as it is.
    """
    short, long = sorted((height, width))
    detector = fasterrcnn_resnet50_fpn(
        weights=None,
        weights_backbone=None,
        min_size=short,
        max_size=long,
        rpn_post_nms_top_n_test=boxes,
        box_detections_per_img=boxes,
    ).eval()
    calibrate([detector], lambda: detector.backbone(torch.rand(1, 3, 224, 224)))
    return detector


def random_words(count: int, width: int, kind: str, device: torch.device) -> WordEmbeddings:
    """Embeddings of `count` words, as the text tower would have left them in the cache."""
    matrix = torch.nn.functional.normalize(
        torch.randn(count, width, generator=torch.Generator().manual_seed(1)), dim=1
    )
    return WordEmbeddings(matrix.to(device), torch.arange(count, device=device), count, kind)


class Timer:
    """Runs the models on one image, part by part. image: (3, H, W) in [0, 1]. boxes: (R, 4). words:
    category and attribute embeddings.
    """

    def __init__(self, image: Tensor, boxes: Tensor, words: tuple[WordEmbeddings, WordEmbeddings]):
        self.image, self.boxes, self.words = image, boxes, words

    @torch.no_grad()
    def two_stage(self, model: ClipAttr, watch: Stopwatch) -> Detections:
        with watch.part("proposer"):
            model.proposer.propose([self.image], [None])
        with watch.part("crops and encoder"):
            embeddings = encode_boxes(
                model.clip, [self.image], [self.boxes], batch=model.crop_batch
            )[0]
        return self._finish(
            model, RegionEmbeddings(self.boxes, torch.rand(len(self.boxes)), embeddings), watch
        )

    @torch.no_grad()
    def one_pass(self, model: OvarNet, watch: Stopwatch) -> Detections:
        with watch.part("resize"):
            pixels, sizes, original = model.preprocess([self.image])
        with watch.part("backbone"):
            features = model.extract_features(pixels)
        with watch.part("RPN"):
            model.select_proposals(features, sizes)
        with watch.part("pooling"):
            boxes = [resize_boxes(self.boxes.to(model.device), original[0], sizes[0])]
            embeddings, _ = model.pool(features, boxes, sizes)
        return self._finish(
            model, RegionEmbeddings(self.boxes, torch.rand(len(self.boxes)), embeddings[0]), watch
        )

    @torch.no_grad()
    def peer(self, model: FasterRCNN, watch: Stopwatch) -> object:
        with watch.part("resize"):
            batch, _ = model.transform([self.image])
        with watch.part("backbone"):
            features = model.backbone(batch.tensors)
        with watch.part("RPN"):
            model.rpn(batch, features)
        with watch.part("box head"):
            boxes = resize_boxes(
                self.boxes.to(self.image.device), tuple(self.image.shape[1:]), batch.image_sizes[0]
            )
            return model.roi_heads(features, [boxes], batch.image_sizes)

    def _finish(
        self, model: ClipAttr | OvarNet, regions: RegionEmbeddings, watch: Stopwatch
    ) -> Detections:
        with watch.part("scoring"):
            scores = [
                model.classifier(regions.embeddings, words).sigmoid().cpu() for words in self.words
            ]
        with watch.part("post-processing"):
            best = (regions.objectness * scores[0].amax(dim=1)).sqrt()
            names = [[str(column) for column in range(part.shape[1])] for part in scores]
            return best_detections(Detections(regions.boxes, best, *scores, *names), 0.5, 100)


def compare(
    contenders: Mapping[str, Callable[[Stopwatch], object]],
    device: torch.device,
    *,
    runs: int,
    warm: int = 1,
) -> dict[str, dict[str, float]]:
    """Median seconds of the parts of each contender, run by turns so that a busy machine slows all
    alike.
    """
    watches = {name: Stopwatch(device) for name in contenders}
    for _ in range(warm + runs):
        for name, go in contenders.items():
            with watches[name].run():
                go(watches[name])
    return {name: watch.medians(warm) for name, watch in watches.items()}


@torch.no_grad()
def scoring_cost(
    classifier: TextClassifier, width: int, regions: int, counts: list[int], *, runs: int
) -> dict[int, float]:
    """Median seconds to score `regions` embeddings against so many words."""
    device = classifier.clip.device
    embeddings = torch.randn(regions, width, device=device)
    cost = {}
    for count in counts:
        words, watch = random_words(count, width, "category", device), Stopwatch(device)
        for _ in range(runs + 1):
            with watch.run(), watch.part("scoring"):
                classifier(embeddings, words).sigmoid()
        cost[count] = watch.medians(1)["total"]
    return cost
