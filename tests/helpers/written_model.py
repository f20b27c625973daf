"""A world of three tiny images, and a model whose answers are written down here."""

import torch

from ovarnet.structures import Annotations, Detections
from ovarnet.vocabulary import Vocabulary, Word

# Novel first, so that nothing can go by position.
WORDS = Vocabulary.of(
    [Word("dog"), Word("cat", seen=True)],
    [
        Word("big", parent="size", group="tail"),
        Word("red", parent="red things", seen=True, family="color", group="head"),
        Word("odd", parent="size", seen=True),
    ],
)
NAMES = (WORDS.category_names, WORDS.attribute_names)


def spans(*pairs):
    return torch.tensor(
        [[left, 0, right, 10] for left, right in pairs], dtype=torch.float32
    ).reshape(-1, 4)


# big: one positive, one negative. red: three positives, one negative. odd: two negatives. The crowd
# box has no attribute.
IMAGES = [
    Annotations(
        "1.jpg",
        "1",
        10,
        100,
        spans((0, 10), (20, 30), (60, 100)),
        [1, 0, 1],
        [[1, 1, 0], [0, 1, 2], [2, 2, 2]],
        [False, False, True],
    ),
    Annotations("2.jpg", "2", 10, 100, spans((0, 10)), [0], [[2, 1, 0]]),
    Annotations("3.jpg", "3", 10, 100, spans((0, 10)), [1], [[2, 0, 2]]),
]


def answer(boxes, scores, categories, attributes):
    count = len(boxes)
    return Detections(
        boxes,
        torch.tensor(scores),
        torch.tensor(categories).reshape(count, 2),
        torch.tensor(attributes).reshape(count, 3),
        *NAMES,
    )


GIVEN = {
    "1.jpg": answer(
        IMAGES[0].boxes,
        [1.0, 1, 1],
        [[0.1, 0.9], [0.2, 0.8], [0.9, 0.1]],
        [[0.9, 0.6, 0.5], [0.4, 0.2, 0.5], [0, 0, 0]],
    ),
    "2.jpg": answer(IMAGES[1].boxes, [1.0], [[0.7, 0.3]], [[0.5, 0.4, 0.4]]),
    "3.jpg": answer(IMAGES[2].boxes, [1.0], [[0.4, 0.6]], [[0.5, 0.5, 0.5]]),
}
FREE = {
    "1.jpg": answer(
        spans((20, 30), (0, 10)),
        [0.9, 0.8],
        [[0.9, 0.1], [0.2, 0.8]],
        [[0.1, 0.7, 0.5], [0.8, 0.3, 0.5]],
    ),
    "2.jpg": answer(spans(), [], [], []),
    "3.jpg": answer(spans((50, 60)), [0.85], [[0.1, 0.9]], [[1.0, 1, 1]]),
}


class WrittenModel:
    """A predictor that answers what is written above and notes its queries."""

    def __init__(self):
        self.queries, self.model = [], None

    def encode_vocabulary(self, categories, attributes):
        return [word.name for word in categories], [word.name for word in attributes]

    def detect(self, images, vocabulary, boxes=None, **_post_processing):
        self.queries.append((images, *vocabulary, boxes))
        return [(FREE if boxes is None else GIVEN)[image] for image in images]
