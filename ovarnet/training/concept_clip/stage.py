"""Stage "concept_clip": trains the head of a photo CLIP on features of frozen encoders.

The words of the data's base categories become concepts beside ImageNet's classes; base attributes,
captions of whole photos and the classifier's own answers train the rest of the embedding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor

from ovarnet.build import open_clip_tower
from ovarnet.checkpoint import save_checkpoint
from ovarnet.config import ConceptClipTraining
from ovarnet.data.captions import load_captions
from ovarnet.data.datasets import open_dataset
from ovarnet.errors import InputError
from ovarnet.io.images import read_image_size
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.clip.concept_clip import ConceptClip
from ovarnet.modeling.text.prompts import TemplatePrompts
from ovarnet.training.concept_clip.background import background_boxes
from ovarnet.training.concept_clip.crop_features import FeatureTable
from ovarnet.training.concept_clip.data import (
    ATTRIBUTES,
    BACKGROUND,
    CAPTIONS,
    DETECTION,
    ConceptDataset,
)
from ovarnet.training.concept_clip.model import ConceptModel, set_statistics
from ovarnet.training.concept_clip.texts import (
    centre,
    class_texts,
    template_features,
)
from ovarnet.training.data.base_data import BaseData
from ovarnet.training.data.base_novel_check import check_initial_models, clip_checkpoints
from ovarnet.training.data.crops import BoxCropper
from ovarnet.training.data.held_out import best_by_loss, check_held_out, check_same_words
from ovarnet.training.data.image_cache import ImageCache
from ovarnet.training.engine.best_weights import BestWeights
from ovarnet.training.engine.loop import run_stage
from ovarnet.training.engine.sampling import MixedSampler
from ovarnet.vocabulary import Word


def train_concept_clip(
    config: ConceptClipTraining,
    accelerator: Accelerator,
    *,
    resume: bool = False,
) -> Path:
    """Train the head and write the checkpoint folder.

    Args:
        config: Settings of the stage.
        accelerator: Device, precision and processes.
        resume: Continue from the last saved state.

    Returns:
        The checkpoint folder.

    Raises:
        InputError: Another kind of CLIP, more base categories than the head has rows, a template
            without a place for the word, or data that cannot be read.
    """
    output = Path(config.output)
    TemplatePrompts(config.category_templates, config.attribute_templates)  # checks them
    torch.manual_seed(config.seed)
    clip = open_concept_clip(config)
    data = BaseData.open(config.detection, config.attributes, limit=config.limit)
    check_initial_models(
        data.vocabulary, clip_checkpoints(config.clip), (config.detection, config.attributes)
    )
    photos = load_captions(config.captions, config.images)[: config.limit]
    texts = [caption for photo in photos for caption in photo.captions]

    # features of all texts, of which only the learned half of the projection changes
    clip.to(accelerator.device)
    prompts = [config.category_templates[0].replace("{}", text) for text in class_texts()]
    captions = centre(clip, [*prompts, *texts])[len(prompts) :, None]
    concepts = concept_features(clip, config, data.base.categories)
    attributes = template_features(clip, _strings(data.base.attributes), config.attribute_templates)

    # features of all crops, of which only the head changes
    dataset = open_features(config, clip, data, photos, Path(config.features or output))
    head = clip.model.visual.head
    pooled = [dataset.tables[name].parts["pooled"][0] for name in (DETECTION, CAPTIONS)]
    mid = [dataset.tables[name].parts["mid"][0] for name in (DETECTION, CAPTIONS)]
    set_statistics(head.norm, torch.cat(pooled))
    set_statistics(head.mid_norm, torch.cat(mid))
    head.set_concepts(concepts.mean(dim=1))

    model = ConceptModel(
        clip, concepts, attributes, captions, config.loss_weights, config.classifier_share
    )
    trained = run_stage(
        model,
        dataset,
        config,
        accelerator,
        resume=resume,
        make_sampler=partial(MixedSampler, dataset.shares(config.optimisation.batch_size)),
        after_step=ConceptModel.bound_scales,
        best=held_out_choice(config, clip, data, accelerator.is_main_process),
    )
    head.load_state_dict(trained.head.state_dict())
    clip.model.text.proj.load_state_dict(trained.projection.state_dict())
    clip.logit_scale.data.copy_(trained.scale.data)
    accelerator.on_main_process(save_checkpoint)(
        output / "checkpoint",
        model="clip",
        settings={"clip": {"name": clip.name}, "training": asdict(config)},
        vocabulary=data.vocabulary,
        parts={"clip": clip.model.state_dict()},
    )
    return output / "checkpoint"


def open_concept_clip(config: ConceptClipTraining) -> Clip:
    """Open the CLIP that is trained.

    Raises:
        InputError: It is of another kind.
    """
    clip = open_clip_tower(config.clip)
    if not isinstance(clip.model, ConceptClip):
        raise InputError(
            f"stage concept_clip trains a CLIP such as ovarnet-photos; {clip.name} is trained by "
            "the stage clip"
        )
    return clip.eval()


def concept_features(clip: Clip, config: ConceptClipTraining, categories: Sequence[Word]) -> Tensor:
    """Features (K, T, t) of the concepts' names: ImageNet's classes, then base categories.

    Raises:
        InputError: More categories than rows.
    """
    head = clip.model.visual.head
    if len(categories) > head.learned:
        raise InputError(
            f"the data have {len(categories)} base categories and {clip.name} has rows for "
            f"{head.learned}"
        )
    names = [*class_texts(), *_strings(categories)]
    return template_features(clip, names, config.category_templates)


def open_features(
    config: ConceptClipTraining,
    clip: Clip,
    data: BaseData,
    photos: Sequence,
    folder: Path,
) -> ConceptDataset:
    """Features of all sources: boxes, background of the same photos, whole captioned photos."""
    crops = BoxCropper(clip, ImageCache(config.image_cache_mb))
    source = config.detection
    _, annotated = open_dataset(source.dataset, source.root, source.split)
    free_files, free = background_boxes(annotated[: config.limit], config.seed)
    sizes = [read_image_size(photo.file) for photo in photos]
    whole = torch.tensor([[0.0, 0.0, width, height] for height, width in sizes])
    sources = {
        DETECTION: (data.detection.files, data.detection.boxes),
        ATTRIBUTES: (data.attributes.files, data.attributes.boxes),
        BACKGROUND: (free_files, free),
        CAPTIONS: ([photo.file for photo in photos], whole),
    }
    tables = {
        name: FeatureTable(clip, files, boxes, crops, folder, views=config.views, name=name)
        for name, (files, boxes) in sources.items()
    }
    rows, first = [], 0
    for photo in photos:
        rows.append(range(first, first + len(photo.captions)))
        first += len(photo.captions)
    return ConceptDataset(
        tables, data.detection.targets, data.attributes.targets, rows, seed=config.seed
    )


def held_out_choice(
    config: ConceptClipTraining, clip: Clip, data: BaseData, is_main: bool
) -> BestWeights | None:
    """What chooses among the weights by the loss on the validation split; None without one.

    Raises:
        InputError: The split is trained on, or has other base words than the training data.
    """
    settings = config.validation
    if settings.split is None:
        return None
    check_held_out(settings.split, config.detection, config.attributes)
    held_out = BaseData.open(
        config.detection, config.attributes, limit=config.limit, split=settings.split
    )
    check_same_words(settings.split, held_out.base, data.base)
    crops = BoxCropper(clip, ImageCache(config.image_cache_mb))
    folder = Path(config.features or config.output)
    tables = {
        name: FeatureTable(clip, part.files, part.boxes, crops, folder, views=1, name=name)
        for name, part in ((DETECTION, held_out.detection), (ATTRIBUTES, held_out.attributes))
        if len(part)
    }
    dataset = ConceptDataset(
        tables, held_out.detection.targets, held_out.attributes.targets, [], seed=config.seed
    )
    shares = dataset.shares(config.optimisation.batch_size)
    keys = MixedSampler(shares, settings.batches, seed=config.seed)
    return best_by_loss(dataset, keys, settings, Path(config.output), is_main=is_main)


def _strings(words: Sequence[Word]) -> list[str]:
    return [word.name.replace("_", " ") for word in words]
