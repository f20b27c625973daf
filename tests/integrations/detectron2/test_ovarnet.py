# ruff: noqa: E402 (detectron2 is looked for first)
"""The one-stage model as a detectron2 model: the shipped weights, and a few steps of training."""

from pathlib import Path

import pytest
import torch
from detectron2_sources import require_detectron2

require_detectron2()

from detectron2.checkpoint import DetectionCheckpointer
from detectron2.config import get_cfg
from detectron2.data import detection_utils
from detectron2.modeling import build_model

import ovarnet
from ovarnet.config import Optimisation
from ovarnet.errors import InputError
from ovarnet.integrations.detectron2 import AttributeMapper, add_ovarnet_config
from ovarnet.integrations.detectron2.catalog import read_dataset

ROOT = Path(__file__).parents[3]
SCENE = ROOT / "ovarnet/examples/scene.jpg"


def config(train=(), **ours):
    cfg = get_cfg()
    add_ovarnet_config(cfg)
    cfg.MODEL.META_ARCHITECTURE, cfg.MODEL.DEVICE = "OvarNet", "cpu"
    cfg.MODEL.ROI_HEADS.SCORE_THRESH_TEST = 0.3
    cfg.INPUT.MIN_SIZE_TRAIN = (0,)
    cfg.DATASETS.TRAIN = train
    for key, value in ours.items():
        setattr(cfg.MODEL.OVARNET, key, value)
    return cfg


@pytest.fixture(scope="module")
def trainable(small_datasets):
    """The shipped OvarNet with a teacher, and a batch of two images."""
    cfg = config(
        train=small_datasets[:1],
        CHECKPOINT="scenes",
        STAGE=str(ROOT / "configs/scenes/ovarnet.yaml"),
        STAGE_OPTIONS=["teacher=scenes-clip-attr", "distillation.proposals_per_image=2"],
    )
    torch.manual_seed(0)
    mapper = AttributeMapper(cfg, is_train=True)
    inputs = [mapper(record) for record in read_dataset(small_datasets[0])[:2]]
    return build_model(cfg), inputs


@pytest.mark.slow
def test_detections_are_those_of_ovarnet_load():
    model = build_model(config(CHECKPOINT="scenes")).eval()
    pixels = detection_utils.read_image(str(SCENE), "BGR").transpose(2, 0, 1).copy()
    instances = model([{"image": torch.from_numpy(pixels)}])[0]["instances"]
    expected = ovarnet.load("scenes", device="cpu").detect(
        SCENE, threshold=0.3, class_agnostic=False, containment=1.0
    )
    assert len(expected) > 0
    assert torch.allclose(instances.pred_boxes.tensor, expected.boxes)
    assert torch.allclose(instances.attribute_scores, expected.attribute_scores)


def test_a_step_has_every_loss_and_moves_what_is_trained(trainable):
    model, inputs = trainable
    model.train()
    losses = model(inputs)
    assert set(losses) == {
        "loss_rpn_objectness",
        "loss_rpn_boxes",
        "loss_boxes",
        "loss_categories",
        "loss_background",
        "loss_attributes",
        "loss_distil_categories",
        "loss_distil_attributes",
    }
    assert all(loss.isfinite() for loss in losses.values())
    sum(losses.values()).backward()
    trained = {name for name, value in model.named_parameters() if value.requires_grad}
    with_gradient = {name for name, value in model.named_parameters() if value.grad is not None}
    assert with_gradient <= trained
    assert any(name.startswith("stage.model.backbone.trunk") for name in with_gradient)
    assert not any(name.startswith("stage.model.clip") for name in trained)
    model.zero_grad()


def test_groups_have_the_rate_of_each_module(trainable):
    model, _ = trainable
    rates = {group["lr"] for group in model.parameter_groups(Optimisation(lr=0.5))}
    assert rates == {0.5, 0.5 * 0.2}  # the trunk's, in configs/scenes/ovarnet.yaml


@pytest.mark.slow
def test_trained_scales_score_and_are_exported(trainable, tmp_path):
    model, _ = trainable
    before = {key: value.clone() for key, value in model.state_dict().items()}
    model.train()
    with torch.no_grad():
        model.stage.scales.bias += 0.5
    model.eval()
    pixels = detection_utils.read_image(str(SCENE), "BGR").transpose(2, 0, 1).copy()
    found = model([{"image": torch.from_numpy(pixels)}])[0]["instances"]

    words = model.vocabulary
    expected = ovarnet.load(model.export(tmp_path / "exported"), device="cpu").detect(
        SCENE, threshold=0.3, class_agnostic=False, containment=1.0
    )
    assert torch.allclose(found.category_scores, expected.category_scores, atol=1e-6)
    assert torch.allclose(found.attribute_scores, expected.attribute_scores, atol=1e-6)
    assert expected.categories == words.category_names == ["poster", "belt"]

    # detectron2's checkpointer brings the former weights and scores back
    torch.save({"model": before}, tmp_path / "model.pth")
    DetectionCheckpointer(model).load(str(tmp_path / "model.pth"))
    again = model([{"image": torch.from_numpy(pixels)}])[0]["instances"]
    assert not torch.allclose(again.category_scores[:1], found.category_scores[:1])


def test_a_clip_attr_is_not_an_ovarnet():
    with pytest.raises(InputError, match=r"scenes-clip-attr is a CLIP-Attr; set MODEL.META_ARCH"):
        build_model(config(CHECKPOINT="scenes-clip-attr"))


def test_a_novel_word_that_had_labels_is_refused(small_datasets, with_novel_word):
    with pytest.raises(InputError, match=r"'red', had labels in the training of .*scenes"):
        build_model(config(train=(with_novel_word,), CHECKPOINT="scenes"))
