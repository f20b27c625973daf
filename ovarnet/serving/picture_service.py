"""The model, and the regions of the latest images, which further words are scored on.

Everything here runs in the one thread of the `WorkQueue`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
import torch
from starlette.exceptions import HTTPException

from ovarnet.captions.query import read_query
from ovarnet.modeling.predictor import EmbeddedImage, Predictor
from ovarnet.modeling.region_model import RegionEmbeddings
from ovarnet.modeling.text.word_embeddings import EncodedVocabulary
from ovarnet.serving.attribute_types import attribute_type
from ovarnet.serving.limits import Limits
from ovarnet.serving.recent import Recent
from ovarnet.serving.schema import Box, BoxesAndFormat, DetectQuery, FindQuery
from ovarnet.serving.uploads import check_pixels, decode
from ovarnet.structures import Detections

UNKNOWN = 404
KEPT_VOCABULARIES = 32
KEPT_BOXES = 200
"""Boxes of the user whose embeddings are kept, for each image."""


@dataclass(frozen=True)
class KeptPicture:
    """An image and what the model made of it.

    Args:
        key: its name in requests.
        file: what its owner calls it.
        content: the image file, decoded again where pixels are needed: that is smaller.
        height: in pixels.
        width: in pixels.
        found: its regions.
        given: regions of boxes that the user gave, by box.
    """

    key: str
    file: str
    content: bytes = field(repr=False)
    height: int
    width: int
    found: EmbeddedImage
    given: Recent[Box, RegionEmbeddings] = field(default_factory=lambda: Recent(KEPT_BOXES))

    @property
    def pixels(self) -> np.ndarray:
        """(H, W, 3) uint8 RGB."""
        return decode(self.file, self.content)


@dataclass(frozen=True)
class Answer:
    """Scores of one image.

    Args:
        picture: the image.
        found: N boxes, those found first, best first, then the user's.
        given: how many of them are the user's.
        attribute_types: type of each attribute word.
        unused: words of a phrase that nothing is scored by.
    """

    picture: KeptPicture
    found: Detections
    given: int
    attribute_types: list[str]
    unused: Sequence[str] = ()


class PictureService:
    """Answers queries about images; an image passes through the model once.

    Args:
        predictor: a loaded model.
        limits: `pixels` and `pictures` are applied here.
    """

    def __init__(self, predictor: Predictor, limits: Limits):
        self.predictor, self.limits = predictor, limits
        with torch.no_grad():  # not `encode_vocabulary` of the predictor: a stock CLIP has no words
            self.own_words = predictor.model.classifier.encode_vocabulary(predictor.vocabulary)
        # spaCy takes seconds to import: now, not while the first phrase waits
        read_query("a red mug", self.own_words.words)
        self._pictures: Recent[str, KeptPicture] = Recent(limits.pictures)
        self._vocabularies: Recent[tuple, EncodedVocabulary] = Recent(KEPT_VOCABULARIES)

    def add(self, file: str, content: bytes) -> KeptPicture:
        """Pass an image through the model, unless the same one is kept.

        Args:
            file: its name, for messages and results; never opened.
            content: the image file.

        Raises:
            InputError: not an image that can be read.
            HTTPException: 413, too many pixels.
        """
        key = hashlib.sha256(file.encode(errors="replace") + b"\0" + content).hexdigest()
        kept = self._pictures.get(key)
        if kept is not None:
            return kept
        check_pixels(file, content, self.limits.pixels)
        image = decode(file, content)
        height, width = image.shape[:2]
        found = cast(EmbeddedImage, self.predictor.embed(image))
        picture = KeptPicture(key, file, content, height, width, found)
        self._pictures.put(key, picture)
        return picture

    def picture(self, key: str) -> KeptPicture:
        """An image by the name that `add` gave it.

        Raises:
            HTTPException: 404, it was never sent or is no longer kept.
        """
        kept = self._pictures.get(key)
        if kept is None:
            raise HTTPException(UNKNOWN, "the server does not keep this image; send it again")
        return kept

    def detect(self, picture: KeptPicture, query: DetectQuery) -> Answer:
        """Score words on the boxes found, the boxes given, or both.

        Raises:
            InputError: words or boxes that `Predictor.detect` refuses.
        """
        words = self._encoded(query.categories, query.attributes)
        threshold = query.threshold
        if threshold is None:
            threshold = self.predictor.model.threshold
        regions = self._regions(picture, query)
        parts = self.predictor.score(
            regions, vocabulary=words, threshold=threshold, limit=query.limit
        )
        types = [attribute_type(word) for word in words.words.attributes]
        return Answer(picture, _joined(cast(list, parts)), len(query.boxes), types)

    def find(self, picture: KeptPicture, query: FindQuery) -> Answer:
        """Rank the boxes found, the boxes given, or both by a phrase.

        Raises:
            InputError: a phrase or boxes that `Predictor.find` refuses.
        """
        ranker = self.predictor.encode_phrase(query.phrase, vocabulary=self.own_words)
        regions = self._regions(picture, query)
        parts = self.predictor.rank(
            regions, ranker, threshold=query.threshold or 0.0, limit=query.limit
        )
        named = self.own_words.words.with_words([], ranker.query.attributes).attributes
        types = [attribute_type(word) for word in named]
        return Answer(
            picture, _joined(cast(list, parts)), len(query.boxes), types, ranker.query.unused
        )

    def _encoded(
        self, categories: list[str] | None, attributes: list[str] | None
    ) -> EncodedVocabulary:
        key = tuple(None if words is None else tuple(words) for words in (categories, attributes))
        encoded = self._vocabularies.get(key)
        if encoded is None:
            encoded = self.predictor.encode_vocabulary(categories, attributes)
            self._vocabularies.put(key, encoded)
        return encoded

    def _regions(self, picture: KeptPicture, query: BoxesAndFormat) -> list[EmbeddedImage]:
        """The regions that a query is about; the boxes that the model found come first."""
        regions = [picture.found] if query.looks_for_boxes else []
        return [*regions, self._given(picture, query.boxes)] if query.boxes else regions

    def _given(self, picture: KeptPicture, boxes: list[Box]) -> EmbeddedImage:
        """The regions of the user's boxes; those seen before are not passed again."""
        known = {box: region for box in boxes if (region := picture.given.get(box)) is not None}
        new = [box for box in dict.fromkeys(boxes) if box not in known]
        if new:
            seen = cast(EmbeddedImage, self.predictor.embed(picture.pixels, new)).regions
            for row, box in enumerate(new):
                known[box] = RegionEmbeddings(*(part[row : row + 1] for part in seen))
                picture.given.put(box, known[box])
        rows = [known[box] for box in boxes]
        return EmbeddedImage(
            RegionEmbeddings(*(torch.cat(parts) for parts in zip(*rows, strict=True))),
            boxes_given=True,
        )


def _joined(parts: list[Detections]) -> Detections:
    """One or two sets of detections with the same words, one after the other."""
    boxes, scores, category_scores, attribute_scores = (
        torch.cat([getattr(part, name) for part in parts])
        for name in ("boxes", "scores", "category_scores", "attribute_scores")
    )
    return replace(
        parts[0],
        boxes=boxes,
        scores=scores,
        category_scores=category_scores,
        attribute_scores=attribute_scores,
    )
