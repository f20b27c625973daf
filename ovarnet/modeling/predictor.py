"""From images and words to detections: geometry, batching and scores, the same for every model of
this package.

Letters: N detections, R regions of an image, C category words, A attribute words, D embedding
width. Boxes are xyxy in pixels of the original image. `Predictor` is a base class: it knows no
model, and a model knows only how to embed regions.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torchvision.ops import batched_nms, nms

from ovarnet.errors import InputError
from ovarnet.io.images import read_image, to_pixels
from ovarnet.structures import Detections, as_boxes
from ovarnet.vocabulary import Vocabulary

ACTIVATIONS = ("sigmoid", "softmax")
BATCH_IMAGES = 8
BATCH_PIXELS = 24_000_000  # 24 Mpx are 288 MB as float32 RGB


class RegionEmbeddings(NamedTuple):
    """What a model sees in one image. boxes: (R, 4). objectness: (R,) in [0, 1]. embeddings: (R,
    D), of any length. R may be 0.
    """

    boxes: Tensor
    objectness: Tensor
    embeddings: Tensor


class Batch(NamedTuple):
    """A few images of any sizes. images: (3, H, W) float RGB in [0, 1]. names: file of each, None
    where it has none. boxes: (R, 4) for each image, checked and clipped, or None when boxes are to
    be found.
    """

    images: list[Tensor]
    names: list[str | None]
    boxes: list[Tensor] | None


class Predictor(nn.Module):
    """`detect` and `find` for a model that embeds regions.

    classifier: a `TextClassifier`. vocabulary: the words asked when the user names none; it also
    tells the parent types of known words. nms_iou, limit: of box-free detection; at most `limit`
    boxes per image are returned.
    """

    def __init__(
        self,
        classifier: nn.Module,
        vocabulary: Vocabulary,
        *,
        nms_iou: float = 0.5,
        limit: int = 100,
    ):
        super().__init__()
        self.classifier, self.vocabulary, self.nms_iou, self.limit = (
            classifier,
            vocabulary,
            nms_iou,
            limit,
        )
        self.activate_categories("sigmoid")

    def activate_categories(self, how: str) -> None:
        """From now on category scores are "sigmoid" (each word by itself) or "softmax" (over the
        category words asked).

        InputError: anything else.
        """
        if how not in ACTIVATIONS:
            raise InputError(
                f"category activation {how!r} is not known; choose {' or '.join(ACTIVATIONS)}"
            )
        self.category_activation = how

    def regions(self, batch: Batch) -> list[RegionEmbeddings]:
        """Embed the given boxes of each image (all of them, in order, objectness 1), or find boxes
        where `batch.boxes` is None.
        """
        raise NotImplementedError

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    @torch.no_grad()
    def detect(
        self,
        image,
        categories: Sequence[str] | None = None,
        attributes: Sequence[str] | None = None,
        boxes=None,
    ) -> Detections | list[Detections]:
        """Find objects and score the words; or score the words for the boxes given.

        image: a path, a PIL image, an array (H, W, 3) uint8 RGB, or a list of these: then a list
        comes back, each image as if alone. categories, attributes: words of any kind; None asks the
        model's own words, [] asks none of that kind. boxes: (N, 4) for one image, a list of such
        for a list. Each box gives one row, in the same order, clipped to the image. `scores` =
        sqrt(objectness * best category probability), or objectness when no category is asked; a
        given box has objectness 1. Without boxes, those found come best first; of boxes with the
        same best category that overlap (IoU > `nms_iou`) the best is kept; at most `limit` remain;
        N may be 0. Nothing is thresholded. The returned tensors are on the CPU. Raises InputError:
        an image that cannot be read; no words at all, empty or double words; boxes that are not
        finite, inverted, of no size, or outside the image.
        """
        self._check_mode("detect")
        single, images, given = _as_lists(image, boxes)
        words = self._words(categories, attributes)
        embedded = (
            self.classifier.embed(words.categories, "category"),
            self.classifier.embed(words.attributes, "attribute"),
        )
        found = []
        for batch in self._batches(images, given):
            for regions in self.regions(batch):
                found.append(self._detections(regions, words, embedded, keep_all=given is not None))
        return found[0] if single else found

    @torch.no_grad()
    def find(self, image, phrase: str, boxes=None) -> Detections | list[Detections]:
        """Rank boxes by a phrase such as "a small red striped mug": how well its category and its
        attributes fit together.

        image, boxes: as in `detect`. phrase: any words, see `captions.query.read_query`; its
        category becomes the only category column of the result (none for "red" or "the red thing")
        and its attributes the attribute columns, with probabilities as the rule takes them.
        `scores` = geometric mean of objectness (1 for a given box), p(category), p(attribute) of
        each attribute, and p(phrase), the phrase as one text; the probabilities are weighed against
        the other words of the model's vocabulary (`finding.PhraseRanker` states how). Scores of the
        same phrase can be compared over images. Boxes that are found come best first; of boxes that
        overlap (IoU > `nms_iou`) the best is kept; at most `limit` remain; N may be 0. Given boxes
        keep their order: the best is `found.scores.argmax()`. The returned tensors are on the CPU.
        Raises InputError: a phrase that is empty, says only what is not wanted or is too long for
        the model; image or boxes as in `detect`.
        """
        from ovarnet.modeling.phrase_ranking import (
            PhraseRanker,  # here, because it imports spaCy, which `detect` does not need
        )

        self._check_mode("find")
        single, images, given = _as_lists(image, boxes)
        finder = PhraseRanker(self.classifier, self.vocabulary, phrase)
        found = []
        for batch in self._batches(images, given):
            found += [finder(regions) for regions in self.regions(batch)]
        if given is None:
            found = [one[nms(one.boxes, one.scores, self.nms_iou)[: self.limit]] for one in found]
        return found[0] if single else found

    def _check_mode(self, method: str) -> None:
        if self.training:
            raise RuntimeError(f"{method} needs evaluation mode; call .eval() first")

    def _words(
        self, categories: Sequence[str] | None, attributes: Sequence[str] | None
    ) -> Vocabulary:
        words = self.vocabulary.with_words(categories, attributes)
        if not words.categories and not words.attributes:
            raise InputError("no words to look for; give category words, attribute words, or both")
        return words

    def _batches(self, images: list, boxes: list | None) -> Iterator[Batch]:
        """Read images a few at a time, so that a long list of large photos does not fill the
        memory.
        """
        batch, pixels = Batch([], [], None if boxes is None else []), 0
        for index, image in enumerate(images):
            name = _name(image)
            array = _read(image, index, len(images))
            height, width = array.shape[:2]
            if batch.images and (
                len(batch.images) == BATCH_IMAGES or pixels + height * width > BATCH_PIXELS
            ):
                yield batch
                batch, pixels = Batch([], [], None if boxes is None else []), 0
            batch.images.append(to_pixels(array, self.device))
            batch.names.append(name)
            if boxes is not None:
                owner = name or (f"image {index}" if len(images) > 1 else "image")
                batch.boxes.append(checked_boxes(boxes[index], height, width, owner))
            pixels += height * width
        if batch.images:
            yield batch

    def _detections(
        self, regions: RegionEmbeddings, words: Vocabulary, embedded: tuple, keep_all: bool
    ) -> Detections:
        category_logits, attribute_logits = (
            self.classifier(regions.embeddings, kind) for kind in embedded
        )
        softmax = self.category_activation == "softmax"
        category_scores = (
            category_logits.softmax(dim=1) if softmax else category_logits.sigmoid()
        ).cpu()
        scores = regions.objectness.cpu()
        if words.categories:
            scores = (scores * category_scores.amax(dim=1)).sqrt()
        found = Detections(
            regions.boxes.cpu(),
            scores,
            category_scores,
            attribute_logits.sigmoid().cpu(),
            words.category_names,
            words.attribute_names,
        )
        return found if keep_all else self._best(found)

    def _best(self, found: Detections) -> Detections:
        """Class-aware suppression of overlapping boxes; class-agnostic when no category was
        asked.
        """
        classes = (
            found.category_scores.argmax(dim=1)
            if found.categories
            else torch.zeros(len(found), dtype=torch.int64)
        )
        return found[batched_nms(found.boxes, found.scores, classes, self.nms_iou)[: self.limit]]


def checked_boxes(boxes, height: int, width: int, owner: str) -> Tensor:
    """The user's boxes as (N, 4) float32, clipped to the image of `height` x `width` pixels; same
    order, same count.

    InputError naming `owner` and the index: a box that is not finite, inverted, of no size, or
    wholly outside.
    """
    if (
        isinstance(boxes, (list, tuple))
        and boxes
        and all(isinstance(box, Tensor) and box.shape == (4,) for box in boxes)
    ):
        boxes = torch.stack(list(boxes))
    try:
        boxes = as_boxes(boxes, f"{owner}: boxes").cpu()
    except InputError:
        raise
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise InputError(f"{owner}: boxes must be numbers of shape (N, 4): {error}") from None
    x1, y1, x2, y2 = boxes.unbind(dim=1)
    faults = {
        "is inverted; write x1, y1 (upper left), x2, y2 (lower right)": (x2 < x1) | (y2 < y1),
        "has no size; x2 must exceed x1 and y2 must exceed y1": (x2 == x1) | (y2 == y1),
        f"lies outside the image of {width} x {height} pixels": (x2 <= 0)
        | (y2 <= 0)
        | (x1 >= width)
        | (y1 >= height),
    }
    for fault, wrong in faults.items():
        if wrong.any():
            index = int(wrong.nonzero()[0])
            raise InputError(f"{owner}: box {index} {boxes[index].tolist()} {fault}")
    return torch.minimum(boxes.clamp(min=0), torch.tensor([width, height, width, height]))


def _as_lists(image, boxes) -> tuple[bool, list, list | None]:
    """Whether one image was given, the images, and the boxes of each (None: they are to be
    found).
    """
    if isinstance(image, (list, tuple)):
        return False, list(image), _one_each(boxes, len(image))
    return True, [image], None if boxes is None else [boxes]


def _one_each(boxes: Iterable | None, images: int) -> list | None:
    if boxes is None:
        return None
    boxes = list(boxes)
    if len(boxes) != images:
        raise InputError(
            f"{images} images but {len(boxes)} sets of boxes; give one (N, 4) array of boxes for "
            "each image"
        )
    return boxes


def _name(image) -> str | None:
    """A path as given, or the file a PIL image was opened from."""
    return (
        str(image)
        if isinstance(image, (str, os.PathLike))
        else getattr(image, "filename", None) or None
    )


def _read(image, index: int, images: int):
    try:
        return read_image(image)
    except InputError as error:
        if images == 1 or isinstance(image, (str, os.PathLike)):
            raise
        raise InputError(f"image {index} of the list: {error}") from None
