"""Stage "catalogue_clip": continued training of a CLIP on the training split of a catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor

from ovarnet.catalogue.data.prepared import open_catalogue
from ovarnet.catalogue.modeling.concepts import concept_vocabulary, mentions
from ovarnet.catalogue.modeling.encoder import open_clip
from ovarnet.catalogue.product import Catalogue, Product
from ovarnet.catalogue.training.clip.data import (
    FeaturePhotos,
    PhotoSource,
    PixelPhotos,
    ProductDataset,
)
from ovarnet.catalogue.training.clip.features import photo_features
from ovarnet.catalogue.training.clip.model import CatalogueClipModel, PhotoHead, WholeClip
from ovarnet.checkpoint import save_checkpoint
from ovarnet.config import CatalogueClipTraining
from ovarnet.errors import InputError
from ovarnet.io.files import write_json
from ovarnet.io.images import read_image_size
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.clip.concept_clip import ConceptClip
from ovarnet.training.data.crops import BoxCropper
from ovarnet.training.data.image_cache import ImageCache
from ovarnet.training.engine.loop import run_stage
from ovarnet.vocabulary import Vocabulary, Word

CONCEPTS = "concepts.json"
FEATURES = "features"


def train_catalogue_clip(
    config: CatalogueClipTraining, accelerator: Accelerator, *, resume: bool = False
) -> Path:
    """Train a CLIP further and write its checkpoint folder.

    The concepts are written to `config.output`; features that are computed once are kept in
    ROOT/prepared/features, for all runs.

    Args:
        config: Settings of the stage.
        accelerator: Device and precision; one process.
        resume: Continue from the last saved state.

    Returns:
        The checkpoint folder.

    Raises:
        InputError: Several processes, no concept, or a photo that cannot be read.
    """
    if accelerator.num_processes > 1:
        raise InputError(
            "stage catalogue_clip keeps its queues in one process; start it without torchrun"
        )
    output = Path(config.output)
    torch.manual_seed(config.seed)
    catalogue = open_catalogue(config.data.root)
    products = catalogue.split("train").products[: config.limit]
    concepts = concept_vocabulary(products)
    if config.prototypes and not concepts:
        raise InputError(
            f"{config.data.root}: no label or phrase that at least 5 and at most 20 % of the "
            "training products share; give prototypes=0"
        )
    clip = open_clip(config.model).to(accelerator.device)
    photos = open_photos(config, clip, products)
    dataset = ProductDataset(
        products,
        photos,
        mentions(products, concepts),
        seed=config.seed,
        label_texts=config.label_texts,
    )
    encoders = (PhotoHead if isinstance(photos, FeaturePhotos) else WholeClip)(clip, dataset.texts)
    model = CatalogueClipModel(
        encoders,
        concepts=len(concepts),
        width=clip.embed_dim,
        prototypes=config.prototypes,
        neighbours=config.neighbours,
        queue=config.queue,
    )
    run_stage(
        model,
        dataset,
        config,
        accelerator,
        resume=resume,
        after_step=CatalogueClipModel.bound_scale,
    )
    write_json(output / CONCEPTS, concepts)
    return save_checkpoint(
        output / "checkpoint",
        model="clip",
        settings={"clip": {"name": clip.name}, "training": asdict(config)},
        vocabulary=label_vocabulary(catalogue),
        parts={"clip": clip.model.state_dict()},
    )


def open_photos(
    config: CatalogueClipTraining, clip: Clip, products: Sequence[Product]
) -> PhotoSource:
    """Stored features of a photo CLIP, whose encoders are frozen; pixels for any other."""
    files = [product.image for product in products]
    boxes = product_boxes(products, foreground=config.data.foreground)
    if not isinstance(clip.model, ConceptClip):
        return PixelPhotos(files, boxes, BoxCropper(clip, ImageCache(config.image_cache_mb)))
    folder = Path(config.data.root) / "prepared" / FEATURES
    return FeaturePhotos(photo_features(clip, files, boxes, folder))


def product_boxes(products: Sequence[Product], *, foreground: bool) -> Tensor:
    """Boxes (R, 4) float32 of the first photos: their foreground, or the whole photo."""
    if foreground:
        return torch.tensor([product.boxes[0] for product in products], dtype=torch.float32)
    sizes = [read_image_size(product.image) for product in products]
    return torch.tensor([[0, 0, width, height] for height, width in sizes], dtype=torch.float32)


def label_vocabulary(catalogue: Catalogue) -> Vocabulary:
    """Subcategories as categories, values of the other labels as attributes of their column."""
    categories = {
        product.subcategory: product.category for product in catalogue if product.subcategory
    }
    attributes = {
        value: column for product in catalogue for column, value in product.labels.items()
    }
    return Vocabulary(
        categories=tuple(
            Word(name, parent=parent) if parent else Word(name)
            for name, parent in categories.items()
        ),
        attributes=tuple(Word(name, parent=column) for name, column in attributes.items()),
    )
