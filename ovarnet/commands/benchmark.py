"""Time CLIP-Attr against OvarNet on one image: same image tower, boxes and words, warm, median over runs, part by part.

example: ovarnet benchmark --towers RN50 --size 800 1088 --runs 3
example: ovarnet benchmark --towers RN50 ViT-B-16 --window 14 --output out

Weights are random (time does not depend on them); both models pool the same random boxes; the proposer is a ResNet-50 FPN detector.
"""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "time CLIP-Attr against OvarNet, part by part"
WORD_COUNTS = (80, 700, 5_000, 50_000)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--towers", nargs="+", default=["RN50", "ViT-B-16"], metavar="NAME", help="CLIP image towers (RN50, ViT-B-16, ...)")
    parser.add_argument("--size", nargs=2, type=int, default=[800, 1088], metavar=("HEIGHT", "WIDTH"), help="pixels of the image")
    parser.add_argument("--boxes", type=int, default=100, help="regions pooled per image")
    parser.add_argument("--words", nargs=2, type=int, default=[80, 620], metavar=("CATEGORIES", "ATTRIBUTES"), help="words asked")
    parser.add_argument("--window", type=int, default=14, help="ViT: attention windows of so many patches; 0: whole-image attention")
    parser.add_argument("--finest-stride", type=int, choices=(4, 8), default=4, help="stride the feature pyramid starts from")
    parser.add_argument("--layers", type=int, default=4, help="transformer layers of the attentional pooling")
    parser.add_argument("--runs", type=int, default=5, help="timed runs after one that warms up")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, ...")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="write benchmark.json here")


def run(args: argparse.Namespace) -> int:
    import torch

    from ovarnet.build import pick_device
    from ovarnet.errors import InputError
    from ovarnet.files import write_json

    if min(args.runs, args.boxes, *args.size, *args.words) < 1:
        raise InputError("--runs, --boxes, --size and --words must be at least 1")
    device = pick_device(args.device)
    print(f"{args.size[0]} x {args.size[1]} pixels, {args.boxes} boxes, {args.words[0]} + {args.words[1]} words, {device}, "
          f"{torch.get_num_threads()} threads, median of {args.runs} runs")
    results = {}
    for tower in args.towers:
        results[tower] = time_tower(args, tower, device)
        print(table(tower, results[tower]))
    if args.output:
        args.output.mkdir(parents=True, exist_ok=True)
        write_json(args.output / "benchmark.json", results)
        print(f"written to {args.output}")
    return 0


def time_tower(args: argparse.Namespace, tower: str, device) -> dict:
    """Seconds of both models' parts, and of scoring alone for vocabularies of several sizes."""
    import torch

    from ovarnet.evaluation.speed import Timer, compare, random_boxes, random_words, scoring_cost, untrained_pair
    from ovarnet.modeling.clip import load_clip
    from ovarnet.modeling.proposer import resnet50_proposer
    from ovarnet.vocabulary import Vocabulary

    torch.manual_seed(0)
    clip = load_clip(tower, None, random_weights=True)
    pair = untrained_pair(clip, resnet50_proposer().eval(), Vocabulary(), design(args, tower))
    for model in pair:
        model.to(device)
    categories, attributes = args.words
    words = (random_words(categories, clip.embed_dim, "category", device), random_words(attributes, clip.embed_dim, "attribute", device))
    timer = Timer(torch.rand(3, *args.size).to(device), random_boxes(args.boxes, *args.size), words)
    return {"parts": compare(pair, timer, runs=args.runs),
            "scoring": scoring_cost(pair[1].classifier, clip.embed_dim, args.boxes, list(WORD_COUNTS), runs=args.runs)}


def design(args: argparse.Namespace, tower: str):
    """The full-size design, the image kept at the size given."""
    from ovarnet.config import OvarnetDesign

    sides = sorted(args.size)
    settings = OvarnetDesign(short_side=(sides[0], sides[0]), long_side=sides[1], finest_stride=args.finest_stride, layers=args.layers,
                             window=args.window if tower.startswith("ViT") else 0, proposals=args.boxes)
    if args.finest_stride == 8:
        settings.anchor_sizes = settings.anchor_sizes[1:]
    return settings


def table(tower: str, result: dict) -> str:
    """Seconds, one column per model, and how many times OvarNet is faster."""
    parts = result["parts"]
    lines = [f"\n{tower}"]
    for model, seconds in parts.items():
        lines.append(f"  {model:10} {seconds['total']:8.3f} s   " + "  ".join(f"{name} {value:.3f}" for name, value in seconds.items()
                                                                          if name != "total"))
    before, after = (parts[name] for name in ("CLIP-Attr", "OvarNet"))
    lines.append(f"  OvarNet is {before['total'] / after['total']:.1f} times as fast; "
                 f"{(before['total'] - before['proposer']) / after['total']:.1f} times without the proposer's time")
    lines.append("  scoring: " + ", ".join(f"{count:,} words {1000 * seconds:.1f} ms" for count, seconds in result["scoring"].items()))
    return "\n".join(lines)
