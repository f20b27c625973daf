"""Names that reports of earlier runs hold."""

from ovarnet.evaluation import protocols


def test_names_in_files_of_earlier_runs_are_still_found():
    assert protocols.SETTINGS == ("box-given", "box-free")
    assert protocols.AUTHORS == "authors: best IoU, no cut"
    assert protocols.OVAD == "ovad: one-to-one, IoU >= 0.5"
    assert protocols.OVAD_MISSES == "ovad, silent images = misses"
    assert protocols.LABELS["argmax"] == "one label per box"


def test_choices_of_the_command_line():
    assert protocols.RULES == ("vaw", "ovad")
    assert tuple(protocols.LABELS) == ("argmax", "all")
    assert protocols.EVALUATORS == ("faster-coco-eval", "pycocotools")
