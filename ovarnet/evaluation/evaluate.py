"""Evaluate a model, or stored predictions, on annotated images: every metric of this room, in one
`Report`.

Letters: N boxes, C categories, A attributes. What is novel is told by the vocabulary's seen flags,
never by position.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ovarnet.errors import InputError
from ovarnet.evaluation.attributes import AttributeMetrics, attribute_metrics
from ovarnet.evaluation.box_free import box_free_rows
from ovarnet.evaluation.box_given import category_metrics
from ovarnet.evaluation.coco_ovd import coco_ovd_ap50
from ovarnet.evaluation.inference import detect_all, propose_all, proposer_of
from ovarnet.evaluation.proposal_recall import box_recall
from ovarnet.evaluation.protocols import AUTHORS, OVAD, OVAD_MISSES, SETTINGS
from ovarnet.evaluation.report import Report
from ovarnet.evaluation.report_rows import (
    attribute_rows,
    attribute_words,
    category_rows,
    category_words,
    coco_rows,
    recall_rows,
    word_groups,
)
from ovarnet.structures import UNKNOWN, Annotations, Detections
from ovarnet.vocabulary import Vocabulary

LABEL_NAMES = {"argmax": "one label per box", "all": "all labels >= 0.05"}
BOX_FREE_PROTOCOLS = {
    "authors": ("authors", "miss", AUTHORS),
    "ovad": ("ovad", "skip", OVAD),
    "ovad-misses": ("ovad", "miss", OVAD_MISSES),
}


def evaluate_model(
    model,
    vocabulary: Vocabulary,
    annotations: Sequence[Annotations],
    settings: Sequence[str] = SETTINGS,
    *,
    rule: str = "vaw",
    labels: str = "argmax",
    about: dict | None = None,
    progress: bool = True,
) -> Report:
    """Run `model.detect` on every image with the words of `vocabulary` and score what it finds.

    Box-given: accuracy and AP of categories, mAP of attributes. Box-free: COCO-OVD AP50, mAP of
    attributes under both protocols, recall of the detections; and, when the model has a `proposer`
    or proposes by itself, R@50 / R@100 and AR of its proposals (a second pass). rule: "vaw" or
    "ovad", see `attribute_metrics`. labels: "argmax" or "all", see `coco_ovd_ap50`. about: printed
    above the table. An image that cannot be read ends the evaluation with an InputError: a result
    over fewer images would be another result.
    """
    predictions = {setting: [] for setting in check_settings(settings)}
    for setting, found in predictions.items():
        for _, detections in detect_all(
            model, vocabulary, annotations, box_given=setting == "box-given", progress=progress
        ):
            found.append(detections)
    report = evaluate_predictions(
        predictions, vocabulary, annotations, rule=rule, labels=labels, about=about
    )
    report.notes += _not_novel(vocabulary, getattr(model, "vocabulary", Vocabulary()))
    if "box-free" in predictions and hasattr(proposer_of(model), "propose"):
        pairs = zip(annotations, propose_all(model, annotations, progress=progress), strict=True)
        report.rows += recall_rows(
            "box-free", "proposals", box_recall(pairs, vocabulary.category_seen, ks=(50, 100))
        )
    return report


def evaluate_predictions(
    predictions: dict[str, Sequence[Detections]],
    vocabulary: Vocabulary,
    annotations: Sequence[Annotations],
    *,
    rule: str = "vaw",
    labels: str = "argmax",
    about: dict | None = None,
) -> Report:
    """Score predictions that exist: {"box-given" | "box-free": one Detections per image of
    `annotations`}.

    Columns are in the order of `vocabulary`; Detections without columns of a kind are not scored on
    that kind. Box-given rows are the annotated boxes in their order.
    """
    if not annotations:
        raise InputError("nothing to evaluate: the dataset has no annotated image")
    report = Report(
        {**(about or {}), "images": len(annotations), "boxes": sum(map(len, annotations))},
        predictions=predictions,
    )
    for setting in check_settings(predictions):
        found = predictions[setting]
        if len(found) != len(annotations):
            raise InputError(
                f"{setting}: predictions for {len(found)} images but annotations for "
                f"{len(annotations)}"
            )
        score = _score_box_given if setting == "box-given" else _score_box_free
        score(report, list(zip(annotations, found, strict=True)), vocabulary, rule, labels)
    return report


def _not_novel(vocabulary: Vocabulary, known: Vocabulary) -> list[str]:
    """The note on words that count as novel here and had labels in the training of the model, whose
    words are `known`.
    """
    taught = vocabulary.novel_seen_by(known)
    return (
        [
            f"NOT open-vocabulary: the model was trained with labels of {len(taught)} of the "
            f"novel words, such as '{taught[0]}'; train it "
            "with the base / novel division of this dataset"
        ]
        if taught
        else []
    )


def check_settings(settings) -> list[str]:
    for setting in settings:
        if setting not in SETTINGS:
            raise InputError(f"setting {setting!r} is unknown; choose from {', '.join(SETTINGS)}")
    return list(settings)


def _score_box_given(
    report: Report, pairs: list, vocabulary: Vocabulary, rule: str, labels: str
) -> None:
    seen, (_, first) = vocabulary.category_seen.numpy(), pairs[0]
    if first.categories:
        objects = [
            (~truth.is_crowd, truth, found) for truth, found in pairs
        ]  # a crowd is no single object
        metrics = category_metrics(
            torch.cat([found.category_scores[kept] for kept, _, found in objects]),
            torch.cat([truth.categories[kept] for kept, truth, _ in objects]),
        )
        report.rows += category_rows("box-given", metrics, seen)
        report.words += category_words(
            "box-given",
            "arg-max kept",
            vocabulary.categories,
            metrics.boxes,
            ap=metrics.ap,
            chance=metrics.chance,
            accuracy=metrics.correct / np.where(metrics.boxes, metrics.boxes, np.nan),
        )
    if first.attributes:
        labelled = [(is_attribute_truth(truth, rule), truth, found) for truth, found in pairs]
        metrics = attribute_metrics(
            torch.cat([found.attribute_scores[kept] for kept, _, found in labelled]),
            torch.cat([truth.attributes[kept] for kept, truth, _ in labelled]),
            rule=rule,
            threshold="ceil" if rule == "ovad" else None,
            groups=word_groups(vocabulary.attributes, synonyms=rule == "ovad"),
        )
        _add_attributes(report, "box-given", f"{rule} rule", metrics, vocabulary)


def _score_box_free(
    report: Report, pairs: list, vocabulary: Vocabulary, rule: str, labels: str
) -> None:
    _, first = pairs[0]
    if first.categories:
        result = coco_ovd_ap50(
            [truth for truth, _ in pairs], [found for _, found in pairs], vocabulary, labels=labels
        )
        report.rows += coco_rows("box-free", LABEL_NAMES[labels], result)
        report.words += category_words(
            "box-free", LABEL_NAMES[labels], vocabulary.categories, result.boxes, ap50=result.ap50
        )
    if first.attributes:
        labelled = [(truth[is_attribute_truth(truth, rule)], found) for truth, found in pairs]
        for name, (protocol, silent, title) in BOX_FREE_PROTOCOLS.items():
            rows = box_free_rows(labelled, protocol, silent=silent)
            metrics = attribute_metrics(
                rows.scores, rows.labels, rule=rule, groups=word_groups(vocabulary.attributes)
            )
            _add_attributes(
                report, "box-free", title, metrics, vocabulary, brief=name == "ovad-misses"
            )
            if name == "ovad-misses":
                report.notes.append(
                    f"box-free: {rows.images_without_predictions} of {rows.images} images have no "
                    "detection; plain 'ovad' leaves their "
                    f"{rows.boxes_without_predictions} boxes out, the other protocols count them "
                    "as misses; "
                    f"{rows.unmatched} of {len(rows.scores)} boxes have no detection one-to-one "
                    "at IoU >= 0.5"
                )
    report.rows += recall_rows(
        "box-free", "detections", box_recall(pairs, vocabulary.category_seen, ks=(100,))
    )


def is_attribute_truth(truth: Annotations, rule: str) -> torch.Tensor:
    """(N,) bool: boxes with a known attribute; a COCO box in a merged dataset has none. By OVAD's
    rule all objects: they take part in its one-to-one matching, known attributes or not.
    """
    described = (truth.attributes != UNKNOWN).any(dim=1)
    return described | ~truth.is_crowd if rule == "ovad" else described


def _add_attributes(
    report: Report,
    setting: str,
    protocol: str,
    metrics: AttributeMetrics,
    vocabulary: Vocabulary,
    *,
    brief: bool = False,
) -> None:
    report.rows += attribute_rows(setting, protocol, metrics, brief=brief)
    report.words += attribute_words(setting, protocol, metrics, vocabulary.attributes)
    report.notes.append(
        f"{setting}, {protocol}: {metrics.rows} boxes; threshold {metrics.threshold:g}, K "
        f"{metrics.top_k}"
    )
