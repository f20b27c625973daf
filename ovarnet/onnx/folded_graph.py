"""OvarNet with its words and the final NMS in the graph, for a fixed set of words.

N images, R rows of an image (K found, then B given).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ovarnet.modeling.text.word_embeddings import EncodedVocabulary, WordEmbeddings
from ovarnet.onnx.box_rows import UNUSED, kept_by_nms
from ovarnet.onnx.region_graph import RegionGraph, Regions


class FoldedRegions(NamedTuple):
    """The fields of `Regions`, and what the final NMS keeps.

    Args:
        boxes: see `Regions`.
        objectness: see `Regions`.
        embeddings: see `Regions`.
        category_scores: see `Regions`.
        attribute_scores: see `Regions`.
        kept: (N, R) bool; False for unused rows, True for given boxes.
    """

    boxes: Tensor
    objectness: Tensor
    embeddings: Tensor
    category_scores: Tensor
    attribute_scores: Tensor
    kept: Tensor


class FoldedGraph(nn.Module):
    """A `RegionGraph` whose words are constants.

    Args:
        graph: scores any words.
        words: the words; the score of a word with synonyms is its best synonym's.
        nms_iou: of the final NMS, see `kept_rows`.
    """

    category_words: Tensor
    attribute_words: Tensor
    category_strings: Tensor
    attribute_strings: Tensor

    def __init__(self, graph: RegionGraph, words: EncodedVocabulary, nms_iou: float):
        super().__init__()
        # not `graph`: torch.export's GraphModule has a property of that name, which hides it
        self.region_graph, self.nms_iou = graph, nms_iou
        self.register_buffer("category_words", words.categories.matrix)
        self.register_buffer("attribute_words", words.attributes.matrix)
        self.register_buffer("category_strings", strings_of(words.categories))
        self.register_buffer("attribute_strings", strings_of(words.attributes))
        self.eval()

    def forward(self, images: Tensor, sizes: Tensor, given_boxes: Tensor) -> FoldedRegions:
        """One pass, see `RegionGraph.forward`."""
        found: Regions = self.region_graph(
            images, sizes, given_boxes, self.category_words, self.attribute_words
        )
        found = found._replace(
            category_scores=found.category_scores[..., self.category_strings].amax(dim=-1),
            attribute_scores=found.attribute_scores[..., self.attribute_strings].amax(dim=-1),
        )
        return FoldedRegions(*found, kept_rows(found, given_boxes, self.nms_iou))


def kept_rows(found: Regions, given_boxes: Tensor, nms_iou: float) -> Tensor:
    """Mark the rows that NMS among boxes of the same best category keeps.

    Without categories all boxes suppress each other.

    Args:
        found: with the scores of words, not of synonyms.
        given_boxes: (N, B, 4), the last rows of `found`, which take no part and are kept.
        nms_iou: of boxes that overlap by more, the one with the best score is kept.

    Returns:
        (N, R) bool.
    """
    count = found.boxes.shape[1] - given_boxes.shape[1]
    boxes, objectness = found.boxes[:, :count], found.objectness[:, :count]
    scores = objectness.clamp(min=0)
    if found.category_scores.shape[2]:
        best, classes = found.category_scores[:, :count].max(dim=2)
        scores = (scores * best).sqrt()
        # boxes of different classes are moved apart, as in torchvision's batched_nms
        boxes = boxes + (classes.to(boxes) * (boxes.flatten().amax(dim=0) + 1))[..., None]
    kept = kept_by_nms(boxes, torch.where(objectness < 0, UNUSED, scores), nms_iou)
    return torch.cat([kept, torch.ones_like(given_boxes[..., 0], dtype=torch.bool)], dim=1)


def strings_of(words: WordEmbeddings) -> Tensor:
    """Rows of the matrix that belong to each word.

    Args:
        words: W encoded words, with at most M synonyms each.

    Returns:
        (W, M) int64; a word with fewer repeats its first. M is at least 1.
    """
    counts = torch.bincount(words.owner, minlength=len(words))
    starts = counts.cumsum(0) - counts
    places = torch.arange(max([1, *counts.tolist()]))
    return starts[:, None] + torch.where(places < counts[:, None], places, 0)
