"""The data of step II: images with a caption, their largest proposal, and a few proposals with
pseudo-labels (method section 4.3).

N images, R proposals used beside the largest, C and A words of `caption_vocabulary`, S side of the
image tower's input.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ovarnet.captions import CaptionParser, ParsedCaption
from ovarnet.config import PseudoLabelSelection
from ovarnet.data.captions import CaptionedImage, load_captions
from ovarnet.errors import InputError
from ovarnet.training.clip_attr.pseudo_labels import PseudoLabels, ScoredProposals, parse_images
from ovarnet.training.clip_attr.region_labels import label_regions, largest_region
from ovarnet.training.data.base_boxes import BaseBoxDataset
from ovarnet.training.data.crops import CropRule, seeded, stack
from ovarnet.vocabulary import Vocabulary

logger = logging.getLogger(__name__)
CAPTIONS = "captions"
MOST_PHRASES = 5


@dataclass
class CaptionData:
    """images and parsed (their captions) have one entry per image. taught: file name -> its
    proposals. words: the columns of step II.
    """

    images: list[CaptionedImage]
    parsed: list[list[ParsedCaption]]
    taught: Mapping[str, ScoredProposals]
    words: Vocabulary

    @classmethod
    def open(
        cls,
        captions: str | Path,
        folder: str | Path,
        pseudo_labels: str | Path,
        vocabulary: Vocabulary,
        *,
        require_known_words: bool = False,
        limit: int | None = None,
    ) -> CaptionData:
        """vocabulary: of the step I model; it tells the type of each word. Images without
        pseudo-labels are left out and counted. require_known_words: captions without a word of the
        vocabulary, and images with no other, are left out too. limit: images that are kept.
        """
        taught = PseudoLabels.open(pseudo_labels)
        categories, attributes = taught.categories, taught.attributes
        unknown = (set(categories) - set(vocabulary.category_names)) | (
            set(attributes) - set(vocabulary.attribute_names)
        )
        if unknown:
            raise InputError(
                f"{pseudo_labels} has the word '{min(unknown)}', which the step I model does not "
                "know; "
                "make pseudo-labels with that model"
            )
        every = load_captions(captions, folder)
        images = [image for image in every if Path(image.file).name in taught]
        if not images:
            raise InputError(
                f"none of the {len(every)} images of {captions} is among the pseudo-labels of "
                f"{pseudo_labels}"
            )
        if len(images) < len(every):
            logger.warning(
                "%s: left out: %d images without pseudo-labels", captions, len(every) - len(images)
            )
        images = images[:limit]
        parsed = [
            [
                caption
                for caption in captions
                if caption.text and (caption.known_words or not require_known_words)
            ]
            for captions in parse_images(CaptionParser(vocabulary), images)
        ]
        images, parsed = (
            [image for image, captions_of in zip(images, parsed, strict=True) if captions_of],
            list(filter(None, parsed)),
        )
        if not images:
            raise InputError(
                f"no caption of {captions} can be used: none names a word that the step I model "
                "knows; set require_known_words=false"
            )
        return cls(
            images, parsed, taught, vocabulary.select(categories=categories, attributes=attributes)
        )


@dataclass
class CaptionBatch:
    """One iteration's image-caption pairs.

    crops: (N + R, 3, S, S), the largest proposal of each image (or of none), then the others.
    captions: N texts. phrases: noun phrases of each image, up to 5, the first one drawn for the
    term of one phrase. image_categories (N, C), image_attributes (N, A): bool, the caption's words.
    region_categories (R, C), region_attributes (R, A): bool, pseudo-labels. region_mentioned (R,
    A): bool, attributes that the caption says of the region. region_named: (R,) bool, whether it
    names the region's category. teacher_categories, teacher_attributes: logits, same shapes. base:
    a batch of `BaseBoxDataset`, or None.
    """

    crops: Tensor
    captions: list[str]
    phrases: list[list[str]]
    image_categories: Tensor
    image_attributes: Tensor
    region_categories: Tensor
    region_attributes: Tensor
    region_mentioned: Tensor
    region_named: Tensor
    teacher_categories: Tensor
    teacher_attributes: Tensor
    base: dict[str, Tensor] | None = None

    def to(self, device, non_blocking: bool = False) -> CaptionBatch:
        """For accelerate, which moves whatever has this method."""
        moved = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, dict):
                value = {
                    key: tensor.to(device, non_blocking=non_blocking)
                    for key, tensor in value.items()
                }
            moved[field.name] = (
                value.to(device, non_blocking=non_blocking) if isinstance(value, Tensor) else value
            )
        return CaptionBatch(**moved)


class CaptionDataset(Dataset):
    """Batches of step II; with `base`, boxes of step I come along in every batch. with_largest
    False: no crops of the largest proposals, where no term asks for them.
    """

    def __init__(
        self,
        data: CaptionData,
        crops: CropRule,
        rules: PseudoLabelSelection,
        *,
        seed: int,
        base: BaseBoxDataset | None = None,
        with_largest: bool = True,
    ):
        self.data, self.crops, self.rules, self.seed, self.base, self.with_largest = (
            data,
            crops,
            rules,
            seed,
            base,
            with_largest,
        )
        self.base_words = data.words.category_seen, data.words.attribute_seen

    def __len__(self) -> int:
        return len(self.data.images)

    def __getitems__(self, keys: list[tuple[int, str, int]]) -> CaptionBatch:
        """Batch of (iteration, source, index) keys, captions first."""
        rows = [
            self._sample(iteration, index)
            for iteration, source, index in keys
            if source == CAPTIONS
        ]
        base_keys = [key for key in keys if key[1] != CAPTIONS]
        largest, others, captions, phrases, *targets = zip(*rows, strict=True)
        image_categories, image_attributes, *region_targets = targets
        return CaptionBatch(
            stack([*largest, *others], self.crops),
            list(captions),
            list(phrases),
            torch.stack(image_categories),
            torch.stack(image_attributes),
            *(torch.cat(part) for part in region_targets),
            base=self.base.__getitems__(base_keys) if base_keys else None,
        )

    def _sample(self, iteration: int, index: int) -> tuple:
        """One visit: a caption drawn, proposals drawn and labelled, crops cut."""
        draw = seeded(self.seed, 3, iteration, index)
        image = self.data.images[index]
        taught = self.data.taught[Path(image.file).name]
        parsed = _pick(self.data.parsed[index], draw)
        told = self._mentioned(parsed)
        labelled = label_regions(
            taught, told[0], self._mentioned_of(parsed, told[1]), *self.base_words, self.rules, draw
        )
        biggest = largest_region(taught, self.rules)[: self.with_largest]
        phrases = list(parsed.phrases) or [parsed.text]
        phrases = [
            phrases[i] for i in torch.randperm(len(phrases), generator=draw).tolist()[:MOST_PHRASES]
        ]
        return (
            self.crops.random(image.file, biggest, draw, enlarge=0.01, keep=1.0),
            self.crops.random(image.file, labelled.boxes, draw, enlarge=0.1),
            parsed.text,
            phrases,
            *told,
            labelled.categories,
            labelled.attributes,
            labelled.mentioned_attributes,
            labelled.is_named,
            labelled.category_logits,
            labelled.attribute_logits,
        )

    def _mentioned(self, parsed: ParsedCaption) -> tuple[Tensor, Tensor]:
        """(C,) and (A,) bool: the words of the caption."""
        return (
            torch.tensor(
                [name in parsed.categories for name in self.data.words.category_names],
                dtype=torch.bool,
            ),
            torch.tensor(
                [name in parsed.attributes for name in self.data.words.attribute_names],
                dtype=torch.bool,
            ),
        )

    def _mentioned_of(self, parsed: ParsedCaption, told: Tensor) -> Tensor:
        """(C, A) bool: what the caption says of a thing of each category: an attribute counts for
        its nouns' categories, and for no other ("a red jacket" says nothing of the man). told: (A,),
        the caption's attributes.
        """
        told_of = told.repeat(len(self.data.words.categories), 1)
        categories, attributes = self.data.words.category_index, self.data.words.attribute_index
        said = torch.zeros_like(told_of)
        for pair in parsed.pairs:
            if pair.category in categories and pair.attribute in attributes:
                said[categories[pair.category], attributes[pair.attribute]] = True
        return told_of & said


def _pick(options: list, draw: torch.Generator):
    return options[int(torch.randint(len(options), (1,), generator=draw))]
