r"""Scores of the proposals of caption images by the step I model, stored once for step II.

example: ovarnet pseudo-label --model runs/scenes/clip_attr/checkpoint \
      --captions datasets/scenes/annotations/captions_scenes.json \
      --images datasets/scenes/images/captions --proposals runs/scenes/proposals \
      --output runs/scenes/pseudo_labels

The output holds 00000.safetensors, ...: boxes and logits of the base words and of the novel words
that a caption mentions. A run that was stopped is continued: what is stored is not computed again.
Images that cannot be read are left out and listed at the end (exit code 2); a later run tries them
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
    """Declare the options of `ovarnet pseudo-label`."""
    parser.add_argument(
        "--model", required=True, help="CLIP-Attr of step I: a checkpoint folder or a shipped name"
    )
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
    """Write the pseudo-labels; returns the exit code."""
    from ovarnet.build import load_model
    from ovarnet.cli.console import print_skipped
    from ovarnet.data.captions import load_captions
    from ovarnet.errors import InputError
    from ovarnet.io.files import check_folder
    from ovarnet.io.skipped import Skipped
    from ovarnet.modeling.clip_attr import ClipAttr
    from ovarnet.proposals.store import read_proposals
    from ovarnet.training.clip_attr.pseudo_labels import write_pseudo_labels

    check_folder(args.output)
    images = load_captions(args.captions, args.images)
    proposals = read_proposals(args.proposals)
    teacher = load_model(args.model, device=args.device)
    if not isinstance(teacher, ClipAttr):
        raise InputError(
            f"{args.model} is an OvarNet; pseudo-labels come from CLIP-Attr, the model of step I"
        )

    skipped = Skipped()
    words = write_pseudo_labels(
        teacher,
        images,
        proposals,
        args.output,
        most=args.most,
        shard=args.shard,
        skipped=skipped,
    )
    novel = sum(not word.seen for word in (*words.categories, *words.attributes))
    print(
        f"{args.output}: {len(words.categories)} categories and {len(words.attributes)} "
        "attributes scored; "
        f"{novel} of them are novel words that a caption mentions"
    )
    return print_skipped(skipped, len(images))
