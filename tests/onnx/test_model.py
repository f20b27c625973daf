"""Exported models behind the interface of all models: the same detections as by PyTorch."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from exporter import needs_exporter
from onnx_graphs import matrix_product
from PIL import Image
from small_ovarnet import WORDS, picture, small_clip, small_ovarnet

import ovarnet
from ovarnet.cli.main import main
from ovarnet.errors import InputError
from ovarnet.modeling.clip_attr import ClipAttr
from ovarnet.modeling.predictor import Predictor
from ovarnet.modeling.score_calibration import ScoreCalibration
from ovarnet.onnx.export import export
from ovarnet.onnx.model import NoProposer, OnnxOvarNet, open_onnx
from ovarnet.onnx.region_graph import Regions
from ovarnet.onnx.settings import GraphSettings
from ovarnet.onnx.words import OnnxClip, open_classifier
from ovarnet.proposals.detector import scenes_proposer
from ovarnet.vocabulary import Vocabulary

CPU = torch.device("cpu")
SIZE = (64, 96)
"""Of all images. An export takes half a minute, so there is one of OvarNet here; images of other
sizes: tools/benchmark_onnx.py, and tests/onnx/test_region_graph.py for torch.export."""
IMAGES = [picture(*SIZE, seed) for seed in range(3)]
SETTINGS = GraphSettings(
    model="ovarnet",
    clip="none",
    embed_dim=2,
    calibration={"category": (1.0, 0.0), "attribute": (1.0, 0.0)},
    logit_scale=1.0,
    prompts={"category": ["{}"], "attribute": ["{}"]},
    threshold=0.5,
    vocabulary=Vocabulary(),
    image={"short_side": [40, 40], "long_side": 100},
)


class WrittenSession:
    """Finds the whole image, then nothing; embeds given boxes by their first two numbers."""

    def __init__(self, settings=SETTINGS):
        self.settings, self.calls = settings, []

    def __call__(self, outputs, inputs):
        assert outputs == Regions._fields
        self.calls.append({name: tuple(value.shape) for name, value in inputs.items()})
        sizes, given = inputs["sizes"], inputs["given_boxes"]
        whole = torch.cat([torch.zeros_like(sizes), sizes.flip(1)], dim=1).float()
        found = torch.stack([whole, torch.zeros_like(whole)], dim=1)
        boxes = torch.cat([found, given], dim=1)
        objectness = torch.ones(boxes.shape[:2])
        objectness[:, 1] = -1.0
        scores = torch.full((*boxes.shape[:2], 1), 0.25)
        return [boxes, objectness, boxes[..., :2] + 1, scores, scores]


def written_model(settings=SETTINGS):
    session = WrittenSession(settings)
    clip = OnnxClip(settings, None)
    return OnnxOvarNet(session, clip, open_classifier(clip, settings)), session


def test_boxes_come_back_in_pixels_of_the_image_and_unused_rows_go():
    model, session = written_model()
    found = model([torch.rand(3, 80, 100), torch.rand(3, 40, 60)])
    assert [one.boxes.tolist() for one in found] == [[[0, 0, 100, 80]], [[0, 0, 60, 40]]]
    assert [one.objectness.tolist() for one in found] == [[1.0], [1.0]]
    # 80 x 100 is brought to 40 x 50; both are padded to 64 x 64 and share a pass
    (call,) = session.calls
    assert call["images"] == (2, 3, 64, 64)
    assert call["given_boxes"] == (2, 0, 4)
    assert call["category_words"] == (0, 2)


def test_boxes_of_less_objectness_are_left_out():
    model, _ = written_model()
    [found] = model([torch.zeros(3, 64, 96)], min_objectness=1.0)
    assert len(found.boxes) == 1
    [found] = model([torch.zeros(3, 64, 96)], min_objectness=1.1)
    assert len(found.boxes) == 0


def test_given_boxes_are_padded_for_the_graph_and_come_back_unchanged():
    model, _ = written_model()
    boxes = [torch.tensor([[20.0, 40, 60, 70]]), torch.zeros(0, 4)]
    found = model([torch.rand(3, 80, 100), torch.rand(3, 40, 60)], boxes)
    assert found[0].boxes.tolist() == boxes[0].tolist()
    assert found[0].embeddings.tolist() == [[11, 21]]  # in the batch frame, plus 1
    assert found[1].boxes.shape == (0, 4)
    assert found[1].embeddings.shape == (0, 2)


def test_a_graph_with_its_words_gets_none_and_gives_scores():
    folded = replace(SETTINGS, folded=True, vocabulary=Vocabulary.of(["mug"], ["red"]))
    model, session = written_model(folded)
    (found,) = model([torch.rand(3, 40, 40)])
    assert "category_words" not in session.calls[0]
    assert torch.allclose(found.embeddings.sigmoid(), torch.tensor([[0.25, 0.25]]))


def test_a_crop_encoder_without_boxes_says_what_it_needs():
    with pytest.raises(InputError, match=r"crops\.onnx encodes crops and finds no boxes"):
        NoProposer(Path("crops.onnx")).propose([])


def assert_same(found, expected):
    assert (found.categories, found.attributes) == (expected.categories, expected.attributes)
    assert len(found) == len(expected) > 0
    assert torch.allclose(found.boxes, expected.boxes, atol=1e-3)
    for name in ("scores", "category_scores", "attribute_scores"):
        assert torch.allclose(getattr(found, name), getattr(expected, name), atol=1e-4), name


def test_what_is_missing_is_named(tmp_path):
    path = matrix_product(tmp_path / "alone.onnx", np.eye(2), SETTINGS)
    with pytest.raises(InputError, match=r"alone\.text\.onnx, the text tower of .*, is missing"):
        open_onnx(path, CPU)
    matrix_product(tmp_path / "alone.text.onnx", np.eye(2), replace(SETTINGS, text_key="other"))
    with pytest.raises(InputError, match=r"alone\.text\.onnx is the text tower of another model"):
        open_onnx(path, CPU)
    with pytest.raises(InputError, match="leave the proposer out"):
        open_onnx(path, CPU, NoProposer(path))


@needs_exporter
@pytest.mark.slow
def test_a_graph_with_its_words_needs_no_text_tower(tmp_path):
    # few maps and a short head: the time of an export grows with the operators
    small = {"finest_stride": 8, "anchor_sizes": [8, 16, 32], "head": "average"}
    model = small_ovarnet(**small, box_stage_width=6)
    model.score_calibration, model.nms_iou = ScoreCalibration(1.5, -0.5), 0.4
    predictor = Predictor(model)
    words = predictor.encode_vocabulary()
    assert words.categories.has_synonyms
    path = tmp_path / "folded.onnx"
    assert export(model, path, words=words, size=SIZE) == [path]
    again = ovarnet.load(path)
    assert (again.model.threshold, again.model.nms_iou) == (0.4, 0.4)
    assert again.model.score_calibration == ScoreCalibration(1.5, -0.5)
    assert again.vocabulary == WORDS
    both = (one.detect(IMAGES, threshold=0.1) for one in (again, predictor))
    for found, expected in zip(*both, strict=True):
        assert_same(found, expected)
    few = {"categories": ["car"], "attributes": ["striped"]}
    assert again.detect(IMAGES[0], **few).attribute_scores.shape[1] == 1
    with pytest.raises(InputError, match="'zebra' is not among the words"):
        again.detect(IMAGES[0], categories=["zebra"])

    Image.fromarray(IMAGES[0]).save(tmp_path / "picture.png")
    command = ["detect", tmp_path / "picture.png", "--model", path, "--output", tmp_path / "out"]
    assert main([str(part) for part in command]) == 0
    record = json.loads((tmp_path / "out" / "picture.json").read_text())
    assert record["categories"] == WORDS.category_names


@needs_exporter
@pytest.mark.slow
def test_the_crop_encoder_of_a_clip_attr(tmp_path):
    base = small_ovarnet(box_stage_width=0)
    clip = small_clip()
    base.classifier._clip = (clip,)
    model = ClipAttr(clip, base.classifier, scenes_proposer(clip).eval(), WORDS)
    path = tmp_path / "crops.onnx"
    export(model, path)
    given = [[3, 4, 50, 40], [0, 0, 90, 60]]
    again = ovarnet.load(path)
    assert_same(
        again.detect(IMAGES[0], boxes=given), Predictor(model).detect(IMAGES[0], boxes=given)
    )
    with pytest.raises(InputError, match="finds no boxes"):
        again.detect(IMAGES[0])
