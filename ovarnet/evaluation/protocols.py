"""The names under which a report files its numbers, written by `evaluate` and looked up by the
tables of `reproduce`.
"""

SETTINGS = GIVEN, FREE = "box-given", "box-free"

AUTHORS, OVAD, OVAD_MISSES = (
    "authors: best IoU, no cut",
    "ovad: one-to-one, IoU >= 0.5",
    "ovad, silent images = misses",
)
"""How a detection is found for an annotated box, box-free (`ovarnet.evaluation.box_free`)."""
