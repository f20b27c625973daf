"""From images and words to detections: geometry, batching, words and scores for any `RegionModel`.

Letters: N detections, R regions of an image, C category words, A attribute words, D embedding
width. Boxes are xyxy in pixels of the original image.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ovarnet.device import pick_device
from ovarnet.errors import InputError
from ovarnet.io.pixel_arrays import ChannelOrder
from ovarnet.modeling.image_input import ImageBatch, image_batches, is_many
from ovarnet.modeling.model_checks import check_finite, check_ready
from ovarnet.modeling.post_processing import PostProcessing, PostProcessingOptions
from ovarnet.modeling.region_model import RegionEmbeddings, RegionModel
from ovarnet.modeling.text.stored_words import encode_missing, load_words, save_words
from ovarnet.modeling.text.word_embeddings import EncodedVocabulary
from ovarnet.structures import Detections
from ovarnet.vocabulary import Vocabulary, Word

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ovarnet.captions.query import Query
    from ovarnet.modeling.phrase_ranking import PhraseRanker

ACTIVATIONS = ("sigmoid", "softmax")
ROUNDING = 1e-5
"""Scores are float32; a box that just reaches the threshold must not be left out."""
DTYPES = (torch.float32, torch.float16, torch.bfloat16)


@dataclass(frozen=True)
class EmbeddedImage:
    """The costly half of a detection: one image's regions, ready for any words.

    Args:
        regions: as the model gave them, on its device.
        boxes_given: whether the boxes are the user's; given boxes all come back, in their order.
    """

    regions: RegionEmbeddings
    boxes_given: bool


class Predictor:
    """Detects objects and scores words with a model that embeds regions.

    ``detect`` does everything at once. Its two halves can be kept: ``embed`` passes an image
    through the model once, ``score`` scores the result against any words; ``encode_vocabulary``
    encodes words once for any number of images.

    Args:
        model: put into evaluation mode by `ovarnet.load`; used where it is.
        vocabulary: the words scored when the user names none, which also give the parent types of
            known words; None: the model's own.
        category_activation: "sigmoid", each category by itself, or "softmax", over the categories
            queried.
        post_processing: which of the boxes found are returned where a call does not say: threshold,
            nms_iou, class_agnostic, containment and limit of
            `ovarnet.modeling.post_processing.PostProcessing`. nms_iou is the model's where it is
            not given.

    Raises:
        InputError: an unknown activation, or an option outside its range.
    """

    def __init__(
        self,
        model: RegionModel,
        *,
        vocabulary: Vocabulary | None = None,
        category_activation: str = "sigmoid",
        **post_processing: Unpack[PostProcessingOptions],
    ):
        if category_activation not in ACTIVATIONS:
            raise InputError(
                f"category activation {category_activation!r} is not known; choose "
                f"{' or '.join(ACTIVATIONS)}"
            )
        self.model = model
        self.vocabulary = model.vocabulary if vocabulary is None else vocabulary
        self.post_processing = PostProcessing(nms_iou=model.nms_iou).updated(**post_processing)
        self.category_activation = category_activation
        self.dtype = torch.float32

    # Device and precision

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.model.device

    def to(
        self,
        device: str | torch.device | torch.dtype | None = None,
        dtype: torch.dtype | None = None,
    ) -> Predictor:
        """Move the model, or choose the precision of its passes; returns the predictor itself.

        Args:
            device: a device, its name, or "auto"; None: unchanged. A dtype is taken as `dtype`.
            dtype: float32, float16 or bfloat16; None: unchanged. The weights stay float32: the
                passes run under autocast, boxes and scores are computed in float32.

        Raises:
            InputError: no such device here, or another dtype.
        """
        if isinstance(device, torch.dtype):
            device, dtype = None, device
        if dtype is not None and dtype not in DTYPES:
            raise InputError(f"{dtype} is not supported; choose float32, float16 or bfloat16")
        if device is not None:
            self.model.to(pick_device(device))
        if dtype is not None:
            self.dtype = dtype
        return self

    def half(self) -> Predictor:
        """Run the passes in float16, see `to`."""
        return self.to(dtype=torch.float16)

    def bfloat16(self) -> Predictor:
        """Run the passes in bfloat16, see `to`."""
        return self.to(dtype=torch.bfloat16)

    def float(self) -> Predictor:
        """Run the passes in float32, the default."""
        return self.to(dtype=torch.float32)

    # Words

    @torch.no_grad()
    def encode_vocabulary(
        self,
        categories: Sequence[str | Word] | None = None,
        attributes: Sequence[str | Word] | None = None,
        *,
        stored: EncodedVocabulary | None = None,
    ) -> EncodedVocabulary:
        """Encode words once, for ``detect``, ``score`` and ``find``.

        Args:
            categories: words of any kind, C of them; None: those of `vocabulary`; []: none.
            attributes: the same, A of them.
            stored: words that this model has encoded before, such as those of `load_words`; they
                are not encoded again.

        Returns:
            The words and their embeddings. Encode again when the model's weights have changed.

        Raises:
            InputError: no words at all, or words that are empty, duplicates or too long.
        """
        check_ready(self.model)
        words = self.vocabulary.with_words(categories, attributes)
        if not words.categories and not words.attributes:
            raise InputError("no words to look for; give category words, attribute words, or both")
        with self._precision():
            if stored is not None:
                return encode_missing(self.model.classifier, words, stored)
            return self.model.classifier.encode_vocabulary(words)

    def save_words(self, vocabulary: EncodedVocabulary, path: str | Path) -> None:
        """Write encoded words to a file, for `load_words` and the word options of the commands.

        Args:
            vocabulary: what `encode_vocabulary` returned.
            path: a name that ends in .safetensors.
        """
        save_words(path, vocabulary, self.model.classifier)

    def load_words(self, path: str | Path) -> EncodedVocabulary:
        """Read encoded words from a file.

        Args:
            path: written by `save_words` or ``ovarnet encode-words``.

        Returns:
            What `encode_vocabulary` returned when the file was made. Several can be merged:
            ``model.load_words(a).merge(model.load_words(b))``.

        Raises:
            InputError: no such file, a damaged one, or words that another model encoded.
        """
        return load_words(path, self.model.classifier)

    @torch.no_grad()
    def encode_phrase(
        self, phrase: str | Query, *, vocabulary: EncodedVocabulary | None = None
    ) -> PhraseRanker:
        """Parse and encode a phrase once, for ``find`` and ``rank``.

        Args:
            phrase: such as "a small red striped mug"; see `captions.query.read_query`. Or
                `captions.query.named_query`, which names category and attributes.
            vocabulary: the competing words; None: those of the predictor's vocabulary.

        Raises:
            InputError: a phrase that is empty, says only what is not wanted, or is too long.
        """
        # here, because it imports spaCy, which `detect` does not need
        from ovarnet.modeling.phrase_ranking import PhraseRanker

        check_ready(self.model)
        with self._precision():
            if vocabulary is None:
                vocabulary = self.model.classifier.encode_vocabulary(self.vocabulary)
            return PhraseRanker(self.model.classifier, vocabulary, phrase)

    # Images

    def embed(
        self,
        image: Any,
        boxes: Any = None,
        *,
        channel_order: ChannelOrder = "RGB",
        batch_size: int | None = None,
    ) -> EmbeddedImage | list[EmbeddedImage]:
        """Pass images through the model, for ``score`` and ``rank``.

        Args:
            image: as in `detect`.
            boxes: as in `detect`.
            channel_order: as in `detect`.
            batch_size: as in `detect`.

        Returns:
            One `EmbeddedImage`, or a list of them for several images.

        Raises:
            InputError: as in `detect`.
        """
        seen = list(self._embed(image, boxes, channel_order, batch_size))
        return seen if is_many(image) else seen[0]

    # Scores

    def __call__(self, image: Any, *args: Any, **options: Any) -> Detections | list[Detections]:
        """The same as `detect`."""
        return self.detect(image, *args, **options)

    def detect(
        self,
        image: Any,
        categories: Sequence[str | Word] | None = None,
        attributes: Sequence[str | Word] | None = None,
        boxes: Any = None,
        *,
        vocabulary: EncodedVocabulary | None = None,
        channel_order: ChannelOrder = "RGB",
        batch_size: int | None = None,
        **post_processing: Unpack[PostProcessingOptions],
    ) -> Detections | list[Detections]:
        """Find objects and score the words; or score the words for the boxes given.

        Args:
            image: what `ovarnet.io.images.read_image` takes, such as a path, a PIL image, an array
                or a tensor; or a list of these, or an array with a batch dimension, for which a
                list comes back, each image as if alone.
            categories: words of any kind; None: those of the predictor's vocabulary; []: none.
            attributes: the same.
            boxes: (N, 4) xyxy in pixels for one image, a list of such for several; None: boxes are
                found. Each given box gives one row, in the same order, clipped to the image.
            vocabulary: words already encoded, in place of `categories` and `attributes`.
            channel_order: "RGB" or "BGR", of arrays and tensors; files and PIL images know theirs.
            batch_size: images per pass; None: up to 8, fewer where they are large.
            post_processing: threshold, nms_iou, class_agnostic, containment, limit and
                word_thresholds of `PostProcessing`, in place of the predictor's; given boxes all
                come back. A higher threshold is faster: boxes whose objectness alone keeps them
                below it are not embedded.

        Returns:
            Detections on the CPU. `scores` = sqrt(objectness * best category probability), or
            objectness when no category is queried; a given box has objectness 1. Of found boxes
            with a category, the score goes through the model's `ScoreCalibration`. They come best
            first, without those that `PostProcessing` suppresses; N may be 0. Nothing is
            thresholded by default.

        Raises:
            InputError: an image that cannot be read; no words at all, empty words or duplicates;
                boxes that are not finite, inverted, of no size, outside the image or normalised;
                an option outside its range.
        """
        select = self.post_processing.updated(**post_processing)
        encoded = self._encoded(categories, attributes, vocabulary)
        least = least_objectness(self.model, select, encoded)
        found = [
            self._score(seen, encoded, select)
            for seen in self._embed(image, boxes, channel_order, batch_size, least)
        ]
        return found if is_many(image) else found[0]

    def score(
        self,
        seen: EmbeddedImage | Sequence[EmbeddedImage],
        categories: Sequence[str | Word] | None = None,
        attributes: Sequence[str | Word] | None = None,
        *,
        vocabulary: EncodedVocabulary | None = None,
        **post_processing: Unpack[PostProcessingOptions],
    ) -> Detections | list[Detections]:
        """Score words on images that ``embed`` has passed through the model.

        Args:
            seen: what `embed` returned.
            categories: as in `detect`.
            attributes: as in `detect`.
            vocabulary: as in `detect`.
            post_processing: as in `detect`.

        Returns:
            What `detect` returns for the same image, boxes and words.

        Raises:
            InputError: words and options as in `detect`.
        """
        select = self.post_processing.updated(**post_processing)
        encoded = self._encoded(categories, attributes, vocabulary)
        if isinstance(seen, EmbeddedImage):
            return self._score(seen, encoded, select)
        return [self._score(one, encoded, select) for one in seen]

    def find(
        self,
        image: Any,
        phrase: str | Query | PhraseRanker,
        boxes: Any = None,
        *,
        vocabulary: EncodedVocabulary | None = None,
        channel_order: ChannelOrder = "RGB",
        batch_size: int | None = None,
        **post_processing: Unpack[PostProcessingOptions],
    ) -> Detections | list[Detections]:
        """Rank boxes by a phrase: how well its category and its attributes fit together.

        The phrase's category becomes the only category column of the result (none for "red" or
        "the red thing") and its attributes the attribute columns. `scores` = geometric mean of
        objectness (1 for a given box), p(category), p(attribute) of each attribute, and p(phrase),
        the phrase as one text; probabilities are relative to the competing words of the vocabulary
        (`PhraseRanker` states how). Scores of the same phrase can be compared over images.

        Args:
            image: as in `detect`.
            phrase: such as "a small red striped mug"; category and attributes by name, as
                `captions.query.named_query` returns them; or what `encode_phrase` returned.
            boxes: as in `detect`.
            vocabulary: the competing words, encoded; None: those of the predictor's vocabulary.
            channel_order: as in `detect`.
            batch_size: as in `detect`.
            post_processing: as in `detect`; all boxes count as of the phrase's category.

        Returns:
            Detections on the CPU. Found boxes come best first, as in `detect`; N may be 0. Given
            boxes keep their order: the best is ``found.scores.argmax()``.

        Raises:
            InputError: a phrase that is empty, says only what is not wanted, or is too long;
                image, boxes or options as in `detect`.
        """
        select = self.post_processing.updated(**post_processing)
        ranker = self._ranker(phrase, vocabulary)
        found = [
            self._rank(seen, ranker, select)
            for seen in self._embed(image, boxes, channel_order, batch_size)
        ]
        return found if is_many(image) else found[0]

    def rank(
        self,
        seen: EmbeddedImage | Sequence[EmbeddedImage],
        phrase: str | Query | PhraseRanker,
        *,
        vocabulary: EncodedVocabulary | None = None,
        **post_processing: Unpack[PostProcessingOptions],
    ) -> Detections | list[Detections]:
        """Rank the boxes of images that ``embed`` has passed through the model by a phrase.

        Args:
            seen: what `embed` returned.
            phrase: as in `find`.
            vocabulary: as in `find`.
            post_processing: as in `find`.

        Returns:
            What `find` returns for the same image, boxes and phrase.

        Raises:
            InputError: a phrase or options as in `find`.
        """
        select = self.post_processing.updated(**post_processing)
        ranker = self._ranker(phrase, vocabulary)
        if isinstance(seen, EmbeddedImage):
            return self._rank(seen, ranker, select)
        return [self._rank(one, ranker, select) for one in seen]

    def _embed(
        self,
        image: Any,
        boxes: Any,
        channel_order: ChannelOrder,
        batch_size: int | None,
        min_objectness: builtins.float = 0.0,
    ) -> Iterator[EmbeddedImage]:
        """The embedded images, in order, a batch at a time."""
        check_ready(self.model)
        for batch in image_batches(
            image, boxes, device=self.device, channel_order=channel_order, batch_size=batch_size
        ):
            yield from self._pass(batch, min_objectness)

    @torch.no_grad()
    def _pass(self, batch: ImageBatch, min_objectness: builtins.float) -> list[EmbeddedImage]:
        with self._precision():
            found = self.model(batch.images, batch.boxes, batch.names, min_objectness)
        for regions, name in zip(found, batch.names, strict=True):
            check_finite(regions.embeddings, name, self.dtype)
        return [EmbeddedImage(regions, batch.boxes is not None) for regions in found]

    @torch.no_grad()
    def _score(
        self, seen: EmbeddedImage, vocabulary: EncodedVocabulary, select: PostProcessing
    ) -> Detections:
        regions = seen.regions
        embeddings = regions.embeddings.to(self.device)
        category_logits, attribute_logits = self.model.classifier.logits(embeddings, vocabulary)
        softmax = self.category_activation == "softmax"
        category_scores = (
            category_logits.softmax(dim=1) if softmax else category_logits.sigmoid()
        ).cpu()
        scores = regions.objectness.cpu()
        if len(vocabulary.categories):
            scores = (scores * category_scores.amax(dim=1)).sqrt()
            if not seen.boxes_given:
                scores = self.model.score_calibration(scores)
        found = Detections(
            regions.boxes.cpu(),
            scores,
            category_scores,
            attribute_logits.sigmoid().cpu(),
            vocabulary.words.category_names,
            vocabulary.words.attribute_names,
        )
        return found if seen.boxes_given else select(found)

    @torch.no_grad()
    def _rank(
        self, seen: EmbeddedImage, ranker: PhraseRanker, select: PostProcessing
    ) -> Detections:
        found = ranker(seen.regions)
        return found if seen.boxes_given else select(found)

    def _encoded(
        self,
        categories: Sequence[str | Word] | None,
        attributes: Sequence[str | Word] | None,
        vocabulary: EncodedVocabulary | None,
    ) -> EncodedVocabulary:
        if vocabulary is None:
            return self.encode_vocabulary(categories, attributes)
        if categories is not None or attributes is not None:
            raise InputError("give words or an encoded vocabulary, not both")
        if isinstance(vocabulary, Vocabulary):
            raise InputError("the vocabulary is not encoded; give what encode_vocabulary returns")
        return vocabulary

    def _ranker(
        self, phrase: str | Query | PhraseRanker, vocabulary: EncodedVocabulary | None
    ) -> PhraseRanker:
        from ovarnet.modeling.phrase_ranking import PhraseRanker

        if isinstance(phrase, PhraseRanker):
            return phrase
        return self.encode_phrase(phrase, vocabulary=vocabulary)

    def _precision(self) -> torch.autocast:
        return torch.autocast(
            self.device.type, dtype=self.dtype, enabled=self.dtype != torch.float32
        )


def least_objectness(
    model: RegionModel, select: PostProcessing, vocabulary: EncodedVocabulary
) -> float:
    """A box of less objectness stays below every threshold, even if a category is certain."""
    score = select.lowest_threshold
    if len(vocabulary.categories):
        score = model.score_calibration.inverse(score) ** 2
    return score - ROUNDING
