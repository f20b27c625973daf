"""Data of step II: images with a caption, and proposals with pseudo-labels.

Method section 4.3. N images, R proposals used beside the largest, C and A words of
`caption_vocabulary`, S side of the image tower's input.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ovarnet.captions import CaptionParser, ParsedCaption
from ovarnet.captions.pipelines import RULES
from ovarnet.config import PseudoLabelSelection
from ovarnet.data.captions import CaptionedImage, load_captions
from ovarnet.errors import InputError
from ovarnet.training.clip_attr.pseudo_labels import PseudoLabels, ScoredProposals, parse_images
from ovarnet.training.clip_attr.region_labels import (
    LabelledRegions,
    MentionedWords,
    label_regions,
    largest_region,
)
from ovarnet.training.data.base_dataset import BaseBoxBatch, BaseBoxDataset
from ovarnet.training.data.batch import TensorBatch
from ovarnet.training.data.crops import BoxCropper
from ovarnet.training.engine.seeds import seeded
from ovarnet.vocabulary import Vocabulary

logger = logging.getLogger(__name__)
CAPTIONS = "captions"
MOST_PHRASES = 5


@dataclass
class CaptionData:
    """Image-caption pairs with scored proposals.

    Attributes:
        images: The images.
        parsed: The captions of each image, at least one.
        scored: File name -> proposals of the image, scored by the step I model.
        words: Columns of the scores: base words, and novel words that a caption mentions.
        scored_by: `model_hash` of the step I model; None where it is not known.
    """

    images: list[CaptionedImage]
    parsed: list[list[ParsedCaption]]
    scored: Mapping[str, ScoredProposals]
    words: Vocabulary
    scored_by: str | None = None

    @classmethod
    def open(
        cls,
        captions: str | Path,
        folder: str | Path | None,
        pseudo_labels: str | Path,
        vocabulary: Vocabulary,
        *,
        require_known_words: bool = False,
        limit: int | None = None,
    ) -> CaptionData:
        """Read captions and pseudo-labels.

        Args:
            captions: As `load_captions` takes them.
            folder: Of their images; None with shards, which hold theirs.
            pseudo_labels: Folder that `write_pseudo_labels` wrote. Images that it does not have are
                left out and counted.
            vocabulary: Of the step I model; it knows the parent type of each word.
            require_known_words: Leave out captions that mention no word of the vocabulary, and
                images without another one.
            limit: Images that are kept; None: all.

        Raises:
            InputError: No image or no caption can be used, or the pseudo-labels have a word that
                the vocabulary has not.
        """
        scored = PseudoLabels.open(pseudo_labels)
        _check_words(scored, vocabulary, pseudo_labels)
        words = vocabulary.select(categories=scored.categories, attributes=scored.attributes)
        images = _images_with_labels(load_captions(captions, folder), scored, captions)[:limit]

        parsed = [
            [
                caption
                for caption in of_image
                if caption.text and (caption.known_words or not require_known_words)
            ]
            for of_image in parse_images(CaptionParser(vocabulary, RULES), images)
        ]
        images = [image for image, kept in zip(images, parsed, strict=True) if kept]
        if not images:
            raise InputError(
                f"no caption of {captions} can be used: none names a word that the step I model "
                "knows; set require_known_words=false"
            )
        return cls(images, list(filter(None, parsed)), scored, words, scored.model)


def _check_words(scored: PseudoLabels, vocabulary: Vocabulary, folder: str | Path) -> None:
    unknown = set(scored.categories) - set(vocabulary.category_names)
    unknown |= set(scored.attributes) - set(vocabulary.attribute_names)
    if unknown:
        raise InputError(
            f"{folder} has the word '{min(unknown)}', which the step I model does not know; make "
            "pseudo-labels with that model"
        )


def _images_with_labels(
    images: Sequence[CaptionedImage], scored: PseudoLabels, captions: str | Path
) -> list[CaptionedImage]:
    kept = [image for image in images if Path(image.file).name in scored]
    if not kept:
        raise InputError(
            f"none of the {len(images)} images of {captions} is among the pseudo-labels"
        )
    if len(kept) < len(images):
        logger.warning(
            "%s: left out: %d images without pseudo-labels", captions, len(images) - len(kept)
        )
    return kept


@dataclass
class CaptionBatch(TensorBatch):
    """Image-caption pairs of one iteration.

    Attributes:
        crops: (N + R, 3, S, S) float32: the largest proposal of each image (none of them where no
            term needs it), then the others.
        captions: N texts.
        phrases: Noun phrases of each image, up to 5; the first is the one of the term
            `image_phrase`.
        image_categories: (N, C) bool, words of the caption.
        image_attributes: (N, A) bool, words of the caption.
        region_categories: (R, C) bool, pseudo-labels.
        region_attributes: (R, A) bool, pseudo-labels.
        region_mentioned: (R, A) bool, attributes that the caption gives to the region.
        region_named: (R,) bool, the caption names the region's category.
        teacher_categories: (R, C) float32 logits of the step I model.
        teacher_attributes: (R, A) float32 logits of the step I model.
        base: Boxes of step I, for the base losses; None: captions only.
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
    base: BaseBoxBatch | None = None


@dataclass
class CaptionSample:
    """One image at one visit; fields as in `CaptionBatch`."""

    largest_crop: Tensor
    region_crops: Tensor
    caption: str
    phrases: list[str]
    mentioned: MentionedWords
    regions: LabelledRegions


class CaptionDataset(Dataset):
    """Batches of step II.

    Args:
        data: The pairs.
        crops: Cuts the proposals.
        selection: Which proposals are used.
        seed: Of the run; what is drawn at a visit depends on it, the iteration and the image.
        base: Boxes of step I that every batch has too; None: captions only.
        with_largest: False: no crops of the largest proposals, where no term needs them.
    """

    def __init__(
        self,
        data: CaptionData,
        crops: BoxCropper,
        selection: PseudoLabelSelection,
        *,
        seed: int,
        base: BaseBoxDataset | None = None,
        with_largest: bool = True,
    ):
        self.data, self.crops, self.selection, self.seed = data, crops, selection, seed
        self.base, self.with_largest = base, with_largest

    def __len__(self) -> int:
        return len(self.data.images)

    def __getitems__(self, keys: Sequence[tuple[int, str, int]]) -> CaptionBatch:
        """Batch of (iteration, source, index) keys, captions first."""
        samples = [
            self._sample(iteration, index)
            for iteration, source, index in keys
            if source == CAPTIONS
        ]
        base_keys = [key for key in keys if key[1] != CAPTIONS]
        regions = [sample.regions for sample in samples]
        crops = [sample.largest_crop for sample in samples]
        crops += [sample.region_crops for sample in samples]
        return CaptionBatch(
            crops=self.crops.concatenate(crops),
            captions=[sample.caption for sample in samples],
            phrases=[sample.phrases for sample in samples],
            image_categories=torch.stack([sample.mentioned.categories for sample in samples]),
            image_attributes=torch.stack([sample.mentioned.attributes for sample in samples]),
            region_categories=torch.cat([one.categories for one in regions]),
            region_attributes=torch.cat([one.attributes for one in regions]),
            region_mentioned=torch.cat([one.mentioned_attributes for one in regions]),
            region_named=torch.cat([one.is_named for one in regions]),
            teacher_categories=torch.cat([one.category_logits for one in regions]),
            teacher_attributes=torch.cat([one.attribute_logits for one in regions]),
            base=self.base.__getitems__(base_keys) if self.base and base_keys else None,
        )

    def _sample(self, iteration: int, index: int) -> CaptionSample:
        image = self.data.images[index]
        scored = self.data.scored[Path(image.file).name]

        # drawn in this order from one generator, so that a resumed run draws the same: caption,
        # proposals, phrases, crops
        draw = seeded(self.seed, 3, iteration, index)
        captions = self.data.parsed[index]
        caption = captions[int(torch.randint(len(captions), (1,), generator=draw))]
        mentioned = mentioned_words(caption, self.data.words)
        regions = label_regions(scored, mentioned, self.data.words, self.selection, draw)
        phrases = list(caption.phrases) or [caption.text]
        order = torch.randperm(len(phrases), generator=draw).tolist()[:MOST_PHRASES]
        largest = largest_region(scored)[: self.with_largest]
        return CaptionSample(
            largest_crop=self.crops.random(image.file, largest, draw, enlarge=0.01, keep=1.0),
            region_crops=self.crops.random(image.file, regions.boxes, draw, enlarge=0.1),
            caption=caption.text,
            phrases=[phrases[row] for row in order],
            mentioned=mentioned,
            regions=regions,
        )


def mentioned_words(caption: ParsedCaption, words: Vocabulary) -> MentionedWords:
    """Words of a caption, in the columns of a vocabulary.

    An attribute counts for the categories of its nouns, and for no other: "a red jacket" says
    nothing of the man.
    """
    categories = [name in caption.categories for name in words.category_names]
    attributes = [name in caption.attributes for name in words.attribute_names]
    attributes_of = torch.zeros(len(categories), len(attributes), dtype=torch.bool)
    for pair in caption.pairs:
        if pair.category in words.category_index and pair.attribute in caption.attributes:
            column = words.attribute_index.get(pair.attribute)
            if column is not None:
                attributes_of[words.category_index[pair.category], column] = True
    return MentionedWords(
        torch.tensor(categories, dtype=torch.bool),
        torch.tensor(attributes, dtype=torch.bool),
        attributes_of,
    )
