"""Names of settings, choices and protocols, as they stand on the command line and in reports.

The reports of `ovarnet.scenes` look numbers up by them, also in files of earlier runs.
"""

from __future__ import annotations

from typing import Literal, get_args

SETTINGS = GIVEN, FREE = "box-given", "box-free"

Rule = Literal["vaw", "ovad"]
"""Whose rules hold for the rates of attributes: those of VAW's evaluator or of OVAD's."""
RULES: tuple[str, ...] = get_args(Rule)

LabelRule = Literal["argmax", "all"]
"""How detections get their categories (`coco_ovd.labelled_detections`)."""
LABELS = {"argmax": "one label per box", "all": "all labels > 0.05"}

Evaluator = Literal["faster-coco-eval", "pycocotools"]
"""Whose COCOeval computes AP50 (`coco_eval`)."""
EVALUATORS: tuple[str, ...] = get_args(Evaluator)

AUTHORS = "authors: best IoU, no cut"
OVAD = "ovad: one-to-one, IoU >= 0.5"
OVAD_MISSES = "ovad, silent images = misses"
"""How a detection is assigned to an annotated box, box-free (`box_free`)."""
