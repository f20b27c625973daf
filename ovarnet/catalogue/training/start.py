"""What the stages that fine-tune a matcher begin with: its network, and the training products."""

from __future__ import annotations

from dataclasses import dataclass

from accelerate import Accelerator

from ovarnet.catalogue.data.prepared import open_catalogue
from ovarnet.catalogue.matcher import load_network
from ovarnet.catalogue.modeling.build import patch_layout
from ovarnet.catalogue.modeling.crop_encoder import open_crop_encoder
from ovarnet.catalogue.modeling.matcher import MatcherNetwork
from ovarnet.catalogue.modeling.wordpiece import TOKENIZER_FILE, WordPiece
from ovarnet.catalogue.product import Product
from ovarnet.catalogue.training.features import PatchFeatures, cached_features
from ovarnet.config.catalogue_bert import LabelTraining, MatcherDesign, TitleTraining


@dataclass(frozen=True)
class Start:
    """An opened matcher and M products with their patches.

    Attributes:
        products: M of the training split.
        network: Frozen; a stage chooses what it trains.
        design: Of the matcher.
        tokenizer: Of the titles.
        patches: P.
        features: Of the photos, cut as the matcher reads them.
    """

    products: tuple[Product, ...]
    network: MatcherNetwork
    design: MatcherDesign
    tokenizer: WordPiece
    patches: int
    features: PatchFeatures


def open_start(config: LabelTraining | TitleTraining, accelerator: Accelerator) -> Start:
    """Open the matcher of a config; the main process fills the cache of features.

    Raises:
        InputError: It is no matcher, or the catalogue is not prepared.
    """
    products = open_catalogue(config.data.root).split("train")[: config.limit]
    network, design, checkpoint = load_network(config.init_from)
    layout = patch_layout(design.patches, design.grid)
    encoder = open_crop_encoder(design.network, design.side).to(accelerator.device)
    with accelerator.main_process_first():
        features = cached_features(
            products, layout, encoder, config.cache, foreground=design.foreground
        )
    tokenizer = WordPiece.read(checkpoint.folder / TOKENIZER_FILE)
    return Start(products, network, design, tokenizer, layout.count, features)
