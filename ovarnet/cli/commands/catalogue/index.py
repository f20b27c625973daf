"""Make the search index of a prepared catalogue: one vector per product, from photo and title.

Up to 200,000 products are compared one by one in a search; more get a faiss HNSW graph
(pip install "ovarnet[catalogue]").

Examples:
  ovarnet catalogue index --root shop --output shop/index
  ovarnet catalogue index --root shop --output shop/index --model runs/catalogue/clip/checkpoint
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ovarnet.cli.argument_types import fraction
from ovarnet.cli.model_arguments import add_device_argument
from ovarnet.shipped import DEFAULT_MODEL

HELP = "make the search index of a catalogue"
TITLE_WEIGHT = 0.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ovarnet catalogue index`."""
    parser.add_argument("--root", type=Path, required=True, help="a prepared catalogue")
    parser.add_argument("--output", type=Path, required=True, help="folder of the index")
    add_encoder_arguments(parser)
    parser.add_argument(
        "--title-weight",
        type=fraction,
        default=TITLE_WEIGHT,
        metavar="SHARE",
        help="share of the title in a product's vector; the rest is its photo",
    )


def add_encoder_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --model, --whole-photos and --device."""
    parser.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        help="a shipped CLIP-Attr, a checkpoint folder, or clip-attr:ARCHITECTURE/TAG_OR_FILE",
    )
    parser.add_argument(
        "--whole-photos",
        action="store_true",
        help="encode whole photos, not the product's foreground",
    )
    add_device_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Run `ovarnet catalogue index`; returns the exit code."""
    from tqdm import tqdm

    from ovarnet.catalogue.data.prepared import open_catalogue
    from ovarnet.catalogue.modeling.encoder import load_encoder
    from ovarnet.catalogue.search.hnsw import Hnsw
    from ovarnet.catalogue.search.index import (
        EXACT,
        IndexSettings,
        SearchIndex,
        product_vectors,
        save_index,
    )
    from ovarnet.io.files import check_folder

    check_folder(args.output)
    catalogue = open_catalogue(args.root)
    encoder = load_encoder(args.model, device=args.device, foreground=not args.whole_photos)
    images = encoder.photos(catalogue.products, progress="photos").numpy()
    titles = encoder.texts([product.title for product in catalogue]).numpy()
    vectors = product_vectors(images, titles, args.title_weight)
    graph = None
    if len(catalogue) > EXACT:
        with tqdm(total=len(catalogue), desc="graph", unit="product") as bar:
            graph = Hnsw.build(vectors, bar.update)
    settings = IndexSettings(args.model, encoder.hash, args.title_weight, not args.whole_photos)
    index = SearchIndex(catalogue, vectors, settings, graph)
    folder = save_index(args.output, index)
    print(f"{len(index):,} products, {vectors.shape[1]} numbers each, written to {folder}")
    return 0
