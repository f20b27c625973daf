"""The JSON in an ONNX file's metadata."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ovarnet.errors import InputError
from ovarnet.onnx.settings import KEY, GraphSettings, TextSettings, read_settings, text_file
from ovarnet.vocabulary import Vocabulary, Word

SETTINGS = GraphSettings(
    model="ovarnet",
    clip="ovarnet-scenes",
    embed_dim=128,
    calibration={"category": (25.0, -10.5)},
    logit_scale=3.5,
    prompts={"category": ["a {}."], "attribute": ["{}"]},
    threshold=0.65,
    nms_iou=0.35,
    vocabulary=Vocabulary.of([Word("mug", parent="kitchen", seen=True)], ["木"]),
    image={"short_side": [32, 96], "long_side": 128},
    text=TextSettings((1,), (2,), 77, 0, False, 96, 49408),
)


def test_what_is_written_is_read_again():
    read = read_settings({KEY: SETTINGS.to_json()}, "a.onnx")
    assert read.vocabulary == SETTINGS.vocabulary
    assert (read.threshold, read.nms_iou) == (0.65, 0.35)
    assert list(read.calibration["category"]) == [25.0, -10.5]
    assert read.text is not None
    assert list(read.text.start) == [1]
    assert read.text.tokens == 49408
    folded = replace(SETTINGS, folded=True, text=None)
    assert read_settings({KEY: folded.to_json()}, "a.onnx").text is None


def test_other_files_are_refused():
    with pytest.raises(InputError, match=r"^a\.onnx was not written by ovarnet export; "):
        read_settings({}, "a.onnx")
    newer = json.dumps({**json.loads(SETTINGS.to_json()), "format": "ovarnet-onnx/2"})
    for text in (newer, '{"format": "ovarnet-onnx/1"}', "no JSON"):
        with pytest.raises(InputError, match="another version of ovarnet"):
            read_settings({KEY: text}, "a.onnx")


def test_the_text_tower_lies_beside_the_graph():
    assert text_file("out/photos.v2.onnx") == Path("out/photos.v2.text.onnx")
