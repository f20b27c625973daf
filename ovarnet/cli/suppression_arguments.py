"""Arguments that say which overlapping boxes of an image are kept."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, cast

from ovarnet.cli.argument_types import share

if TYPE_CHECKING:
    from ovarnet.modeling.post_processing import PostProcessingOptions

OPTIONS = ("nms_iou", "class_agnostic", "containment", "limit")


def add_suppression_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --nms-iou and --containment."""
    parser.add_argument(
        "--nms-iou",
        type=share,
        metavar="IOU",
        help="of boxes of a category that overlap by more, the best is kept; 1 keeps all "
        "(default: the model's, 0.5 where none was chosen for it)",
    )
    parser.add_argument(
        "--containment",
        type=share,
        metavar="SHARE",
        help="a box is dropped where more than this of it lies in a better one of its category; 1 "
        "keeps all (default: 0.9)",
    )


def suppression_options(args: argparse.Namespace) -> PostProcessingOptions:
    """What was set on the command line, for `detect` or `find` of a predictor."""
    given = {name: getattr(args, name, None) for name in OPTIONS}
    return cast(
        "PostProcessingOptions", {name: value for name, value in given.items() if value is not None}
    )
