"""Time CLIP-Attr against OvarNet on one image: same image tower, boxes and words, by turns, warm,
median over runs, part by part; and torchvision's fasterrcnn_resnet50_fpn beside them, with as many
proposals at the same size.

example: ovarnet benchmark --towers RN50 --size 800 1088 --runs 3
example: ovarnet benchmark --towers RN50 ViT-B-16 --window 14 --output out

Weights are random (time does not depend on them); all models pool the same random boxes; the
proposer is a ResNet-50 FPN detector.
"""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "time CLIP-Attr against OvarNet, part by part"
PEER = "torchvision fasterrcnn_resnet50_fpn"
WORD_COUNTS = (80, 700, 5_000, 50_000)


def add_arguments(parser: argparse.ArgumentParser) -> None:
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
    parser.add_argument("--boxes", type=int, default=100, help="regions pooled per image")
    parser.add_argument(
        "--words",
        nargs=2,
        type=int,
        default=[80, 620],
        metavar=("CATEGORIES", "ATTRIBUTES"),
        help="words asked",
    )
    parser.add_argument(
        "--window",
        type=int,
        default=14,
        help="ViT: attention windows of so many patches; 0: whole-image attention",
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
    parser.add_argument("--runs", type=int, default=5, help="timed runs after one that warms up")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, ...")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="write benchmark.json here")


def run(args: argparse.Namespace) -> int:
    import torch

    from ovarnet.device import pick_device
    from ovarnet.errors import InputError
    from ovarnet.io.files import check_folder, write_json

    if args.output:
        check_folder(args.output)
    if min(args.runs, args.boxes, *args.size, *args.words) < 1:
        raise InputError("--runs, --boxes, --size and --words must be at least 1")
    device = pick_device(args.device)
    print(
        f"{args.size[0]} x {args.size[1]} pixels, {args.boxes} boxes, {args.words[0]} + "
        f"{args.words[1]} words, {device}, "
        f"{torch.get_num_threads()} threads, median of {args.runs} runs"
    )
    results = time_all(args, device)
    print(table(results, args.towers))
    if args.output:
        args.output.mkdir(parents=True, exist_ok=True)
        write_json(args.output / "benchmark.json", results)
        print(f"written to {args.output}")
    return 0


def time_all(args: argparse.Namespace, device) -> dict:
    """parts: seconds of every model, by part. scoring: seconds of scoring alone for vocabularies of
    several sizes, by tower.
    """
    from functools import partial

    import torch

    from ovarnet.evaluation.speed import Timer, compare, peer_detector, random_boxes, scoring_cost

    image, boxes = torch.rand(3, *args.size).to(device), random_boxes(args.boxes, *args.size)
    contenders, scoring = {}, {}
    for tower in args.towers:
        two_stage, one_pass, words = models(args, tower, device)
        timer = Timer(image, boxes, words)
        contenders[f"CLIP-Attr {tower}"] = partial(timer.two_stage, two_stage)
        contenders[f"OvarNet {tower}"] = partial(timer.one_pass, one_pass)
        scoring[tower] = scoring_cost(
            one_pass.classifier,
            one_pass.clip.embed_dim,
            args.boxes,
            list(WORD_COUNTS),
            runs=args.runs,
        )
    contenders[PEER] = partial(timer.peer, peer_detector(*args.size, args.boxes).to(device))
    return {"parts": compare(contenders, device, runs=args.runs), "scoring": scoring}


def models(args: argparse.Namespace, tower: str, device) -> tuple:
    """Both models on one tower, and the words they are asked."""
    import torch

    from ovarnet.evaluation.speed import random_words, untrained_pair
    from ovarnet.modeling.clip.clip import load_clip
    from ovarnet.proposals.detector import resnet50_proposer
    from ovarnet.vocabulary import Vocabulary

    torch.manual_seed(0)
    clip = load_clip(tower, None, random_weights=True)
    pair = untrained_pair(clip, resnet50_proposer().eval(), Vocabulary(), design(args, tower))
    for model in pair:
        model.to(device)
    categories, attributes = args.words
    words = (
        random_words(categories, clip.embed_dim, "category", device),
        random_words(attributes, clip.embed_dim, "attribute", device),
    )
    return *pair, words


def design(args: argparse.Namespace, tower: str):
    """The full-size design, the image kept at the size given."""
    from ovarnet.config import OvarnetDesign

    sides = sorted(args.size)
    settings = OvarnetDesign(
        short_side=(sides[0], sides[0]),
        long_side=sides[1],
        finest_stride=args.finest_stride,
        layers=args.layers,
        window=args.window if tower.startswith("ViT") else 0,
        proposals=args.boxes,
    )
    if args.finest_stride == 8:
        settings.anchor_sizes, settings.anchor_scales = [32, 72, 160, 360], [1.0, 1.41]
    return settings


def table(results: dict, towers: list[str]) -> str:
    """Seconds of every model, how many times OvarNet is as fast as each CLIP-Attr and as the peer,
    and the cost of scoring.
    """
    parts = results["parts"]
    width = max(map(len, parts))
    lines = [
        f"  {model:{width}} {seconds['total']:8.3f} s   "
        + "  ".join(f"{name} {value:.3f}" for name, value in seconds.items() if name != "total")
        for model, seconds in parts.items()
    ]
    for tower in towers:
        own = parts[f"OvarNet {tower}"]["total"]
        times = [
            f"{parts[other]['total'] / own:.2f} times as fast as {other}"
            for other in (*(f"CLIP-Attr {other}" for other in towers), PEER)
        ]
        lines.append(f"OvarNet {tower}: {', '.join(times)}")
    lines += [
        f"scoring, {tower}: "
        + ", ".join(f"{count:,} words {1000 * seconds:.1f} ms" for count, seconds in cost.items())
        for tower, cost in results["scoring"].items()
    ]
    return "\n".join(lines)
