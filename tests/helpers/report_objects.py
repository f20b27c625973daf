"""Two annotated objects, detections, and a metrics.json for the tests of the report."""

import torch

from ovarnet.evaluation.protocols import AUTHORS, OVAD
from ovarnet.evaluation.report import Report, Row
from ovarnet.scenes.report.numbers import Metrics
from ovarnet.structures import NEGATIVE, POSITIVE, UNKNOWN, Annotations, Detections
from ovarnet.vocabulary import Vocabulary, Word

WORDS = Vocabulary(
    (Word("mug", "household", seen=True), Word("key", "tool")),
    (Word("red", "color", seen=True), Word("gray", "color"), Word("striped", "pattern", seen=True)),
)
P, N, U = POSITIVE, NEGATIVE, UNKNOWN


def annotated(boxes, categories, attributes, file="a.jpg"):
    return Annotations(
        file,
        file,
        100,
        120,
        torch.tensor(boxes, dtype=torch.float32),
        categories,
        torch.tensor(attributes),
    )


def detected(boxes, scores, categories, attributes):
    return Detections(
        boxes,
        torch.tensor(scores),
        torch.tensor(categories).reshape(-1, 2),
        torch.tensor(attributes).reshape(-1, 3),
        ["mug", "key"],
        ["red", "gray", "striped"],
    )


TRUTH = annotated([[0, 0, 40, 40], [60, 0, 100, 40]], [0, 1], [[P, N, U], [N, P, P]])


def written_metrics(path, accuracy, novel, ap50=0.25):
    """A metrics.json as `ovarnet evaluate` writes it, read again."""
    rows = [
        Row("box-given", "category accuracy", "arg-max", "base", accuracy, 0.025),
        Row("box-given", "attribute mAP", "vaw rule", "novel", novel, 0.172),
        Row("box-given", "attribute mAP", "vaw rule", "type color", 0.6, 0.09),
        Row("box-free", "attribute mAP", AUTHORS, "novel", 0.31, 0.172),
        Row("box-free", "attribute mAP", OVAD, "novel", 0.3, 0.172),
        Row("box-free", "COCO-OVD AP50", "one label per box", "novel", ap50),
        *(
            Row("box-free", f"proposals {measure}", "one-to-one", "base", 0.987)
            for measure in ("R@50", "R@100", "AR@100")
        ),
    ]
    words = [
        {
            "setting": "box-given",
            "protocol": "vaw rule",
            "attribute": "red",
            "ap": 0.5,
            "chance": 0.1,
        },
        {
            "setting": "box-free",
            "protocol": AUTHORS,
            "attribute": "red",
            "ap": 0.4,
            "chance": 0.1,
        },
        {
            "setting": "box-free",
            "protocol": "one label per box",
            "category": "mug",
            "ap50": float("nan"),
        },
    ]
    Report({}, rows, words).write(path)
    return Metrics.read(path)
