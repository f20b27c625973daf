"""Evaluate a model, or stored predictions, on annotated images: every metric in one `Report`.

Letters: C categories, A attributes. Base and novel words are told apart by the vocabulary's `seen`
flags, never by position.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ovarnet.errors import InputError
from ovarnet.evaluation.attributes import AttributeMetrics, attribute_metrics
from ovarnet.evaluation.box_free import box_free_rows
from ovarnet.evaluation.box_given import category_metrics
from ovarnet.evaluation.coco_ovd import coco_ovd_ap50
from ovarnet.evaluation.inference import detect_all, propose_all, proposer_of
from ovarnet.evaluation.official import official_scores
from ovarnet.evaluation.proposal_recall import box_recall
from ovarnet.evaluation.protocols import (
    AUTHORS,
    FREE,
    GIVEN,
    LABELS,
    OVAD,
    OVAD_MISSES,
    SETTINGS,
    Evaluator,
    LabelRule,
    Rule,
)
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
from ovarnet.structures import Annotations, Detections
from ovarnet.vocabulary import Vocabulary

BOX_FREE_PROTOCOLS = {
    AUTHORS: ("authors", "miss"),
    OVAD: ("ovad", "skip"),
    OVAD_MISSES: ("ovad", "miss"),
}
"""Title -> protocol and treatment of silent images (`box_free_rows`)."""
DETECTIONS_KEPT = 100
PROPOSALS_KEPT = (50, 100)

Pairs = list[tuple[Annotations, Detections]]


def evaluate_model(
    model: Any,
    vocabulary: Vocabulary,
    annotations: Sequence[Annotations],
    settings: Iterable[str] = SETTINGS,
    *,
    rule: Rule = "vaw",
    labels: LabelRule = "argmax",
    evaluator: Evaluator = "faster-coco-eval",
    about: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> Report:
    """Run `model.detect` on every image with all words of the dataset, and score what it finds.

    Box-given: accuracy and AP of categories, mAP of attributes. Box-free: COCO-OVD AP50, mAP of
    attributes by both protocols, recall of the detections and, if the model has a proposer or
    proposes boxes itself, of its proposals (a second pass).

    Args:
        model: anything with `detect`, see `ovarnet.load`.
        vocabulary: the words of the dataset.
        annotations: its images.
        settings: "box-given", "box-free" or both.
        rule: see `attribute_metrics`.
        labels: see `coco_ovd_ap50`.
        evaluator: see `ap50_of_categories`.
        about: printed above the table, name -> value.
        progress: show progress bars.

    Raises:
        InputError: unknown setting, no image, or an image that cannot be read: numbers over fewer
            images would be other numbers.
    """
    predictions: dict[str, list[Detections]] = {}
    for setting in _checked_settings(settings):
        found = detect_all(
            model, vocabulary, annotations, box_given=setting == GIVEN, progress=progress
        )
        predictions[setting] = [detections for _, detections in found]
    report = evaluate_predictions(
        predictions,
        vocabulary,
        annotations,
        rule=rule,
        labels=labels,
        evaluator=evaluator,
        about=about,
    )
    report.notes += _not_novel(vocabulary, getattr(model, "vocabulary", Vocabulary()))
    if FREE in predictions and hasattr(proposer_of(model), "propose"):
        pairs = zip(annotations, propose_all(model, annotations, progress=progress), strict=True)
        recall = box_recall(pairs, vocabulary.category_seen, ks=PROPOSALS_KEPT)
        report.rows += recall_rows(FREE, "proposals", recall)
    return report


def evaluate_predictions(
    predictions: Mapping[str, Sequence[Detections]],
    vocabulary: Vocabulary,
    annotations: Sequence[Annotations],
    *,
    rule: Rule = "vaw",
    labels: LabelRule = "argmax",
    evaluator: Evaluator = "faster-coco-eval",
    about: Mapping[str, Any] | None = None,
) -> Report:
    """Score predictions that exist.

    Args:
        predictions: {"box-given" | "box-free": one Detections per image}, columns in the order of
            `vocabulary`; without columns of a kind, that kind is not scored. Box-given rows are the
            annotated boxes in their order.
        vocabulary: see `evaluate_model`.
        annotations: see `evaluate_model`.
        rule: see `evaluate_model`.
        labels: see `evaluate_model`.
        evaluator: see `evaluate_model`.
        about: see `evaluate_model`.

    Raises:
        InputError: unknown setting, no image, or another number of predictions than images.
    """
    if not annotations:
        raise InputError("nothing to evaluate: the dataset has no annotated image")
    report = Report(
        {**(about or {}), "images": len(annotations), "boxes": sum(map(len, annotations))},
        predictions=dict(predictions),
    )
    for setting in _checked_settings(predictions):
        found = predictions[setting]
        if len(found) != len(annotations):
            raise InputError(
                f"{setting}: predictions for {len(found)} images but annotations for "
                f"{len(annotations)}"
            )
        pairs = list(zip(annotations, found, strict=True))
        if setting == GIVEN:
            _score_given_categories(report, pairs, vocabulary)
            _score_given_attributes(report, pairs, vocabulary, rule)
        else:
            _score_found_categories(report, pairs, vocabulary, labels, evaluator)
            _score_found_attributes(report, pairs, vocabulary, rule)
            recall = box_recall(pairs, vocabulary.category_seen, ks=(DETECTIONS_KEPT,))
            report.rows += recall_rows(FREE, "detections", recall)
    return report


def add_official(report: Report, vocabulary: Vocabulary) -> None:
    """Add to `report.official` what the official VAW or OVAD tool reports for the same rows.

    VAW's tool scores given boxes; OVAD has one for given boxes and one for detections, which leaves
    images without detections out.
    """
    for (setting, protocol), metrics in report.attribute_metrics.items():
        if setting == GIVEN or (metrics.rule == "ovad" and protocol == OVAD):
            synonyms = metrics.rule == "ovad" and setting == GIVEN
            report.official[setting] = official_scores(
                metrics, vocabulary.attributes, synonyms=synonyms
            )


def _checked_settings(settings: Iterable[str]) -> list[str]:
    settings = list(settings)
    for setting in settings:
        if setting not in SETTINGS:
            raise InputError(f"setting {setting!r} is unknown; choose from {', '.join(SETTINGS)}")
    return settings


def _not_novel(vocabulary: Vocabulary, known: Vocabulary) -> list[str]:
    """A note if novel words of `vocabulary` had labels in the training of the model (`known`)."""
    supervised = vocabulary.novel_seen_by(known)
    if not supervised:
        return []
    return [
        f"NOT open-vocabulary: the model was trained with labels of {len(supervised)} of the novel "
        f"words, such as '{supervised[0]}'; train it with the base / novel division of this dataset"
    ]


def _score_given_categories(report: Report, pairs: Pairs, vocabulary: Vocabulary) -> None:
    if not pairs[0][1].categories:
        return
    # Crowd regions are no objects, and difficult ones do not count.
    objects = [(~truth.is_ignored, truth, found) for truth, found in pairs]
    metrics = category_metrics(
        torch.cat([found.category_scores[is_object] for is_object, _, found in objects]),
        torch.cat([truth.categories[is_object] for is_object, truth, _ in objects]),
    )
    report.rows += category_rows(GIVEN, metrics, vocabulary.category_seen.numpy())
    report.words += category_words(
        GIVEN,
        "arg-max kept",
        vocabulary.categories,
        metrics.boxes,
        ap=metrics.ap,
        chance=metrics.chance,
        accuracy=metrics.correct / np.where(metrics.boxes, metrics.boxes, np.nan),
    )


def _score_given_attributes(
    report: Report, pairs: Pairs, vocabulary: Vocabulary, rule: Rule
) -> None:
    if not pairs[0][1].attributes:
        return
    metrics = attribute_metrics(
        torch.cat([found.attribute_scores for _, found in pairs]),
        torch.cat([truth.attributes for truth, _ in pairs]),
        rule=rule,
        threshold="ceil" if rule == "ovad" else None,
        groups=word_groups(vocabulary.attributes, synonyms=rule == "ovad"),
    )
    _add_attributes(report, GIVEN, f"{rule} rule", metrics, vocabulary)


def _score_found_categories(
    report: Report, pairs: Pairs, vocabulary: Vocabulary, labels: LabelRule, evaluator: Evaluator
) -> None:
    if not pairs[0][1].categories:
        return
    annotations, predictions = zip(*pairs, strict=True)
    result = coco_ovd_ap50(annotations, predictions, vocabulary, labels=labels, evaluator=evaluator)
    report.rows += coco_rows(FREE, LABELS[labels], result)
    report.words += category_words(
        FREE, LABELS[labels], vocabulary.categories, result.boxes, ap50=result.ap50
    )
    report.notes.append(f"COCO-OVD AP50: COCOeval of {evaluator}")
    background = sum(len(found) > 0 for truth, found in pairs if not len(truth))
    if background:
        report.notes.append(
            f"COCO-OVD AP50: {background} images without an annotated box have detections, which "
            "are false positives"
        )


def _score_found_attributes(
    report: Report, pairs: Pairs, vocabulary: Vocabulary, rule: Rule
) -> None:
    if not pairs[0][1].attributes:
        return
    groups = word_groups(vocabulary.attributes)
    for title, (protocol, silent) in BOX_FREE_PROTOCOLS.items():
        rows = box_free_rows(pairs, protocol, silent=silent)
        metrics = attribute_metrics(rows.scores, rows.labels, rule=rule, groups=groups)
        _add_attributes(report, FREE, title, metrics, vocabulary, brief=title == OVAD_MISSES)
        if title == OVAD_MISSES:
            report.notes.append(
                f"box-free: {rows.images_without_predictions} of {rows.images} images have no "
                f"detection; plain 'ovad' leaves their {rows.boxes_without_predictions} boxes out, "
                f"the other protocols count them as misses; {rows.unmatched} of "
                f"{len(rows.scores)} boxes have no detection one-to-one at IoU >= 0.5"
            )


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
    report.attribute_metrics[setting, protocol] = metrics
    report.notes.append(
        f"{setting}, {protocol}: {metrics.rows} boxes; threshold {metrics.threshold:g}, K "
        f"{metrics.top_k}"
    )
