"""Write a model as ONNX, for ONNX Runtime and other engines.

An OvarNet becomes FILE.onnx: images in; boxes, objectness, embeddings and scores out, with the word
embeddings as inputs. FILE.text.onnx beside it encodes words. With --words the words are part of
the graph and there is no second file. Of a CLIP-Attr the crop encoder is exported. Such a file can
be the --model of every command.

Examples:
  ovarnet export photos --output photos.onnx
  ovarnet export photos --words words.json --output photos-80.onnx      these words only
  ovarnet export photos --int8 --output photos-int8.onnx                smaller
  ovarnet detect photo.jpg --model photos.onnx --categories "mug, chair"
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ovarnet.cli.argument_types import positive
from ovarnet.errors import InputError

if TYPE_CHECKING:
    from ovarnet.modeling.predictor import Predictor
    from ovarnet.modeling.text.word_embeddings import EncodedVocabulary

HELP = "write a model as ONNX, for ONNX Runtime and other engines"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ovarnet export`."""
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="shipped weights, a checkpoint folder, hf:ORGANISATION/NAME, or "
        "clip-attr:ARCHITECTURE/TAG_OR_FILE",
    )
    parser.add_argument("--format", choices=("onnx",), default="onnx", help="of the file")
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FILE", help="the graph, such as photos.onnx"
    )
    parser.add_argument(
        "--words",
        type=Path,
        metavar="FILE",
        help="make these words part of the graph: a .json or .yaml file with the lists "
        "'categories' and 'attributes'",
    )
    parser.add_argument(
        "--size",
        nargs=2,
        type=positive,
        metavar=("HEIGHT", "WIDTH"),
        help="images of this size only, others resized and padded: for engines that need it, and "
        "for a ViT; multiples of 32 (default: images of any size)",
    )
    parser.add_argument(
        "--int8",
        action="store_true",
        help="store matrices in 8 bits, and multiply them in 8 bits (dynamic quantisation)",
    )


def run(args: argparse.Namespace) -> int:
    """Export; returns the exit code."""
    import ovarnet
    from ovarnet.io.files import check_folder
    from ovarnet.onnx.export import export
    from ovarnet.onnx.int8 import quantise
    from ovarnet.onnx.packages import require_exporter

    if args.output.suffix != ".onnx":
        raise InputError(f"--output {args.output}: the name of the file must end in .onnx")
    if args.model.endswith(".onnx"):
        raise InputError(f"{args.model} is exported already; give the model it was made from")
    check_folder(args.output.parent)
    require_exporter()
    model = ovarnet.load_model(args.model, device="cpu")
    words = None if args.words is None else encoded(ovarnet.Predictor(model), args.words)
    size = None if args.size is None else (args.size[0], args.size[1])
    print("exporting ...", flush=True)
    for file in export(model, args.output, words=words, size=size):
        if args.int8:
            quantise(file, file)
        print(f"written: {file} ({file.stat().st_size / 1e6:.1f} MB)")
    return 0


def encoded(predictor: Predictor, path: Path) -> EncodedVocabulary:
    """The words of a file, with the parent types that the model knows of them."""
    from ovarnet.io.word_files import read_vocabulary

    if path.suffix.lower() == ".txt":
        raise InputError(
            f"{path}: --words takes a .json or .yaml file with the lists 'categories' and "
            "'attributes'; a .txt file does not say which its words are"
        )
    words = read_vocabulary(path)
    return predictor.encode_vocabulary(list(words.categories), list(words.attributes))
