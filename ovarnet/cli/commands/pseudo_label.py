"""What the step I model says of every proposal of the caption images, stored once for step II.

example: ovarnet pseudo-label --model runs/scenes/clip_attr/checkpoint --captions
  datasets/scenes/annotations/captions_scenes.json \\
      --images datasets/scenes/images/captions --proposals runs/scenes/proposals --output
      runs/scenes/pseudo_labels

The output holds 00000.safetensors, ...: boxes and logits of the base words and of the novel words
that a caption speaks of. A run that was stopped goes on where it was: whole shards are not made
again.
"""

from __future__ import annotations

import argparse

from ovarnet.cli.argument_types import positive

HELP = (
    "score the proposals of caption images with the step I model, for training with captions "
    "(step II)"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", required=True, help="checkpoint folder of step I, the teacher")
    parser.add_argument(
        "--captions",
        required=True,
        metavar="FILE",
        help='COCO captions, a CC3M or CC12M table, shards ("cc3m/*.tar")',
    )
    parser.add_argument(
        "--images", metavar="FOLDER", help="folder of its images; shards hold theirs"
    )
    parser.add_argument(
        "--proposals", required=True, metavar="FOLDER", help="what ovarnet propose wrote for them"
    )
    parser.add_argument(
        "--output", required=True, metavar="FOLDER", help="where the shards are written"
    )
    parser.add_argument(
        "--most",
        type=positive,
        default=50,
        help="best proposals scored per image, and its largest one",
    )
    parser.add_argument("--shard", type=positive, default=500, help="images per shard")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, ...")


def run(args: argparse.Namespace) -> int:
    from ovarnet.build import load
    from ovarnet.data.captions import load_captions
    from ovarnet.proposals.store import read_proposals
    from ovarnet.training.clip_attr.pseudo_labels import write_pseudo_labels

    images = load_captions(args.captions, args.images)
    proposals = read_proposals(args.proposals)
    words = write_pseudo_labels(
        load(args.model, device=args.device),
        images,
        proposals,
        args.output,
        most=args.most,
        shard=args.shard,
    )
    novel = sum(not word.seen for word in (*words.categories, *words.attributes))
    print(
        f"{args.output}: {len(words.categories)} categories and {len(words.attributes)} "
        "attributes scored; "
        f"{novel} of them are novel words that a caption speaks of"
    )
    return 0
