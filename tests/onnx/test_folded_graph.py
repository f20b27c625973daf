"""Words as constants of the graph."""

import torch
from torch import nn

from ovarnet.modeling.text.word_embeddings import EncodedVocabulary, WordEmbeddings
from ovarnet.onnx.folded_graph import FoldedGraph, kept_rows, strings_of
from ovarnet.onnx.region_graph import Regions
from ovarnet.vocabulary import Vocabulary


def words(owner, length, kind):
    matrix = torch.eye(max(4, len(owner)))[: len(owner)]
    return WordEmbeddings(matrix, torch.tensor(owner, dtype=torch.long), length, kind)


class Echo(nn.Module):
    """Finds one box in each image; the score of the words' rows is 1, 2, 3, ..."""

    def forward(self, images, sizes, boxes, category_words, attribute_words):
        scores = [
            torch.arange(1.0, len(matrix) + 1).expand(1, 1, -1)
            for matrix in (category_words, attribute_words)
        ]
        boxes = torch.cat([torch.ones(1, 1, 4), boxes], dim=1)
        return Regions(boxes, boxes[..., 0], boxes, *scores)


def test_rows_of_each_word():
    assert strings_of(words([0, 1, 1, 1, 2, 2], 3, "category")).tolist() == [
        [0, 0, 0],
        [1, 2, 3],
        [4, 5, 4],
    ]
    assert strings_of(words([0, 1], 2, "category")).tolist() == [[0], [1]]
    assert strings_of(words([], 0, "attribute")).shape == (0, 1)


def test_the_best_synonym_counts():
    vocabulary = EncodedVocabulary(
        Vocabulary.of(["mug", "car"]),
        words([0, 0, 1, 1], 2, "category"),
        words([], 0, "attribute"),
    )
    found = FoldedGraph(Echo(), vocabulary, 0.5)(None, None, torch.ones(1, 0, 4))
    assert found.category_scores.tolist() == [[[2.0, 4.0]]]
    assert found.attribute_scores.shape == (1, 1, 0)
    assert found.boxes.tolist() == [[[1, 1, 1, 1]]]
    assert found.kept.tolist() == [[True]]


def regions(boxes, objectness, categories):
    boxes = torch.tensor([boxes], dtype=torch.float32)
    categories = torch.tensor([categories])
    return Regions(boxes, torch.tensor([objectness]), boxes, categories, categories)


def test_nms_is_among_boxes_of_the_same_best_category():
    # the second overlaps the first by 9 / 11, the third too but is of another category
    boxes = [[0, 0, 10, 10], [1, 0, 11, 10], [1, 0, 11, 10], [0, 0, 0, 0], [0, 0, 10, 10]]
    objectness = [0.9, 0.8, 0.8, -1.0, 1.0]
    categories = [[0.9, 0.1], [0.8, 0.1], [0.1, 0.8], [0.9, 0.1], [0.9, 0.1]]
    given = torch.tensor([[[0.0, 0, 10, 10]]])
    kept = kept_rows(regions(boxes, objectness, categories), given, 0.5)
    assert kept.tolist() == [[True, False, True, False, True]]
    # the best category decides too: a high objectness alone does not
    categories[0] = [0.3, 0.1]
    kept = kept_rows(regions(boxes, objectness, categories), given, 0.5)
    assert kept.tolist() == [[False, True, True, False, True]]
    kept = kept_rows(regions(boxes, objectness, [[]] * 5), given, 0.5)
    assert kept.tolist() == [[True, False, False, False, True]]
