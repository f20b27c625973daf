"""Time CLIP-Attr, OvarNet and torchvision's fasterrcnn_resnet50_fpn on one image, part by part.

The models get the same image tower, boxes and words, run by turns after one run that warms up, and
the median counts. Weights are random (time does not depend on them), the boxes that are pooled too;
the proposer of CLIP-Attr is a ResNet-50 FPN detector.

Examples:
  ovarnet benchmark --towers RN50 --size 800 1088 --runs 3
  ovarnet benchmark --towers RN50 ViT-B-16 --window 14 --output out
  ovarnet benchmark --towers RN50 --onnx          OvarNet by ONNX Runtime too
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from ovarnet.config import OvarnetDesign
    from ovarnet.evaluation.speed import Stopwatch
    from ovarnet.modeling.clip_attr import ClipAttr
    from ovarnet.modeling.ovarnet import OvarNet
    from ovarnet.modeling.text.word_embeddings import WordEmbeddings
    from ovarnet.onnx.model import OnnxOvarNet

HELP = "time CLIP-Attr against OvarNet, part by part"
PEER = "torchvision fasterrcnn_resnet50_fpn"
WORD_COUNTS = (80, 700, 5_000, 50_000)
"""Vocabulary sizes whose scoring is timed."""
RESULTS = "benchmark.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ovarnet benchmark`."""
    parser.add_argument(
        "--towers",
        nargs="+",
        default=["RN50", "ViT-B-16"],
        metavar="NAME",
        help="CLIP image towers (RN50, ViT-B-16, ...)",
    )
    parser.add_argument(
        "--size",
        nargs=2,
        type=int,
        default=[800, 1088],
        metavar=("HEIGHT", "WIDTH"),
        help="pixels of the image",
    )
    parser.add_argument("--boxes", type=int, default=100, help="boxes pooled per image")
    parser.add_argument(
        "--words",
        nargs=2,
        type=int,
        default=[80, 620],
        metavar=("CATEGORIES", "ATTRIBUTES"),
        help="words queried",
    )
    parser.add_argument(
        "--window",
        type=int,
        default=14,
        help="ViT: patches per side of an attention window; 0: attention over the whole image",
    )
    parser.add_argument(
        "--finest-stride",
        type=int,
        choices=(4, 8),
        default=8,
        help="stride the feature pyramid starts from: 8 as in the full-size configs, 4 as in the "
        "paper",
    )
    parser.add_argument(
        "--layers", type=int, default=4, help="transformer layers of the attentional pooling"
    )
    parser.add_argument(
        "--onnx",
        action="store_true",
        help="export OvarNet and time it with ONNX Runtime on the CPU too",
    )
    parser.add_argument("--runs", type=int, default=5, help="timed runs after one that warms up")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, ...")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="write benchmark.json here")


def run(args: argparse.Namespace) -> int:
    """Time, print and write; returns the exit code."""
    import torch

    from ovarnet.device import pick_device
    from ovarnet.errors import InputError
    from ovarnet.io.files import check_folder, write_json
    from ovarnet.onnx.packages import require_exporter

    if args.output:
        check_folder(args.output)
    if min(args.runs, args.boxes, *args.size, *args.words) < 1:
        raise InputError("--runs, --boxes, --size and --words must be at least 1")
    device = pick_device(args.device)
    print(
        f"{args.size[0]} x {args.size[1]} pixels, {args.boxes} boxes, {args.words[0]} + "
        f"{args.words[1]} words, {device}, {torch.get_num_threads()} threads, median of "
        f"{args.runs} runs"
    )
    if args.onnx:
        require_exporter()
    with tempfile.TemporaryDirectory() as exported:
        results = time_all(args, device, Path(exported))
    print(table(results, args.towers))
    if args.output:
        args.output.mkdir(parents=True, exist_ok=True)
        write_json(args.output / RESULTS, results)
        print(f"written to {args.output}")
    return 0


def time_all(args: argparse.Namespace, device: torch.device, exported: Path) -> dict:
    """Time every model.

    Args:
        args: The parsed command line.
        device: Of the models.
        exported: A folder for ONNX files.

    Returns:
        {"parts": {model: seconds by part}, "scoring": {tower: {number of words: seconds}}}.
    """
    from functools import partial

    import torch

    from ovarnet.evaluation.speed import Timer, compare, scoring_seconds
    from ovarnet.evaluation.untrained import random_boxes, untrained_faster_rcnn

    height, width = args.size
    image = torch.rand(3, height, width).to(device)
    boxes = random_boxes(args.boxes, height, width)
    contenders: dict[str, Callable[[Stopwatch], object]] = {}
    scoring = {}
    for tower in args.towers:
        clip_attr, ovarnet, words = models(args, tower, device)
        timer = Timer(image, boxes, words)
        contenders[f"CLIP-Attr {tower}"] = partial(timer.clip_attr, clip_attr)
        contenders[f"OvarNet {tower}"] = partial(timer.ovarnet, ovarnet)
        if args.onnx:
            session = exported_model(ovarnet, exported / f"{tower}.onnx", (height, width))
            contenders[f"OvarNet {tower}, ONNX Runtime"] = partial(timer.onnx, session)
        scoring[tower] = scoring_seconds(
            ovarnet.classifier, ovarnet.clip.embed_dim, args.boxes, WORD_COUNTS, runs=args.runs
        )
    peer = untrained_faster_rcnn(height, width, args.boxes).to(device)
    contenders[PEER] = partial(timer.faster_rcnn, peer)
    return {"parts": compare(contenders, device, runs=args.runs), "scoring": scoring}


def models(
    args: argparse.Namespace, tower: str, device: torch.device
) -> tuple[ClipAttr, OvarNet, tuple[WordEmbeddings, WordEmbeddings]]:
    """Both models on one image tower, and the words queried."""
    import torch

    from ovarnet.evaluation.untrained import random_words, untrained_pair
    from ovarnet.modeling.clip.clip import load_clip
    from ovarnet.proposals.detector import resnet50_proposer
    from ovarnet.vocabulary import Vocabulary

    torch.manual_seed(0)
    clip = load_clip(tower, None, random_weights=True)
    proposer = resnet50_proposer().eval()
    clip_attr, ovarnet = untrained_pair(clip, proposer, Vocabulary(), design(args, tower))
    categories, attributes = args.words
    words = (
        random_words(categories, clip.embed_dim, "category", device),
        random_words(attributes, clip.embed_dim, "attribute", device),
    )
    return clip_attr.to(device), ovarnet.to(device), words


def exported_model(ovarnet: OvarNet, path: Path, size: tuple[int, int]) -> OnnxOvarNet:
    """Export a model for images of one size, padded to multiples of 32, and open it again."""
    import copy

    import torch

    from ovarnet.onnx.export import export
    from ovarnet.onnx.model import OnnxOvarNet, open_onnx

    padded = ovarnet.resize.padded(*size)
    export(copy.deepcopy(ovarnet).cpu(), path, size=padded)
    model = open_onnx(path, torch.device("cpu"))
    assert isinstance(model, OnnxOvarNet)
    return model


def design(args: argparse.Namespace, tower: str) -> OvarnetDesign:
    """The full-size design, for images of the size given."""
    from ovarnet.config import OvarnetDesign

    short, long = sorted(args.size)
    settings = OvarnetDesign(
        short_side=(short, short),
        long_side=long,
        finest_stride=args.finest_stride,
        layers=args.layers,
        window=args.window if tower.startswith("ViT") else 0,
        proposals=args.boxes,
    )
    if args.finest_stride == 8:
        settings.anchor_sizes, settings.anchor_scales = [32, 72, 160, 360], [1.0, 1.41]
    return settings


def table(results: dict, towers: list[str]) -> str:
    """Seconds of every model, how many times as fast OvarNet is, and the seconds of scoring."""
    parts = results["parts"]
    width = max(map(len, parts))
    lines = [
        f"  {model:{width}} {seconds['total']:8.3f} s   "
        + "  ".join(f"{name} {value:.3f}" for name, value in seconds.items() if name != "total")
        for model, seconds in parts.items()
    ]
    for tower in towers:
        own = parts[f"OvarNet {tower}"]["total"]
        others = (
            *(f"CLIP-Attr {other}" for other in towers),
            PEER,
            f"OvarNet {tower}, ONNX Runtime",
        )
        times = [
            f"{parts[other]['total'] / own:.2f} times as fast as {other}"
            for other in others
            if other in parts
        ]
        lines.append(f"OvarNet {tower}: {', '.join(times)}")
    lines += [
        f"scoring, {tower}: "
        + ", ".join(f"{count:,} words {1000 * value:.1f} ms" for count, value in seconds.items())
        for tower, seconds in results["scoring"].items()
    ]
    return "\n".join(lines)
