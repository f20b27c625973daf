# ruff: noqa: E402 (detectron2 is looked for first)
"""The two-stage model as a detectron2 model: the shipped weights, and a step of training."""

from pathlib import Path

import pytest
import torch
from detectron2_sources import require_detectron2

require_detectron2()

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
    cfg.MODEL.META_ARCHITECTURE, cfg.MODEL.DEVICE = "ClipAttr", "cpu"
    cfg.TEST.DETECTIONS_PER_IMAGE = 5
    cfg.INPUT.MIN_SIZE_TRAIN = (0,)
    cfg.DATASETS.TRAIN = train
    for key, value in ours.items():
        setattr(cfg.MODEL.OVARNET, key, value)
    return cfg


def scene():
    pixels = detection_utils.read_image(str(SCENE), "BGR").transpose(2, 0, 1).copy()
    return {"image": torch.from_numpy(pixels)}


@pytest.fixture(scope="module")
def trainable(small_datasets):
    """The shipped CLIP-Attr in step I, and a batch of two images."""
    cfg = config(
        train=small_datasets[:1],
        CHECKPOINT="scenes-clip-attr",
        STAGE=str(ROOT / "configs/scenes/clip_attr.yaml"),
    )
    mapper = AttributeMapper(cfg, is_train=True)
    inputs = [mapper(record) for record in read_dataset(small_datasets[0])[:2]]
    return build_model(cfg), inputs


@pytest.mark.slow
def test_detections_are_those_of_ovarnet_load(tmp_path):
    model = build_model(config(CHECKPOINT="scenes-clip-attr")).eval()
    instances = model([scene()])[0]["instances"]
    expected = ovarnet.load("scenes-clip-attr", device="cpu").detect(
        SCENE, threshold=0.05, limit=5, class_agnostic=False, containment=1.0
    )
    assert len(expected) == 5
    assert torch.allclose(instances.pred_boxes.tensor, expected.boxes)
    assert torch.allclose(instances.attribute_scores, expected.attribute_scores)
    again = ovarnet.load(model.export(tmp_path / "exported"), device="cpu")
    assert again.vocabulary == model.vocabulary
    with pytest.raises(InputError, match=r"built for inference; to train it, set MODEL.OVARNET"):
        model.train()([])


def test_a_step_trains_prompts_and_text_tower_alone(trainable):
    model, inputs = trainable
    model.train()
    losses = model(inputs)
    assert set(losses) == {"loss_categories", "loss_attributes"}
    sum(losses.values()).backward()
    moved = {name for name, value in model.named_parameters() if value.grad is not None}
    model.zero_grad()
    assert "model.classifier.bias" in moved
    assert any(name.startswith("model.classifier.prompts") for name in moved)
    assert not any("visual" in name or name.startswith("model.proposer") for name in moved)
    assert not any("stage" in name for name in model.state_dict())


def test_a_batch_without_labels_has_no_loss(trainable):
    model, inputs = trainable
    empty = [{**one, "instances": one["instances"][[]]} for one in inputs]
    losses = model.train()(empty)
    assert losses["loss_categories"] == 0
    losses["loss_categories"].backward()


def test_groups_have_the_rate_of_each_module(trainable):
    model, _ = trainable
    rates = {group["lr"] for group in model.parameter_groups(Optimisation(lr=0.5))}
    assert rates == {0.5, 0.5 * 0.1, 0.5 * 10}  # prompts, text tower and bias


@pytest.mark.slow
def test_the_exported_folder_detects_the_same(trainable, tmp_path):
    model, _ = trainable
    model.train()
    with torch.no_grad():
        model.model.classifier.bias += 0.5
    model.eval()
    found = model([scene()])[0]["instances"]
    expected = ovarnet.load(model.export(tmp_path / "exported"), device="cpu").detect(
        SCENE, threshold=0.05, limit=5, class_agnostic=False, containment=1.0
    )
    assert expected.categories == ["poster", "belt"]
    assert torch.allclose(found.category_scores, expected.category_scores, atol=1e-6)
    assert torch.allclose(found.attribute_scores, expected.attribute_scores, atol=1e-6)


def test_an_ovarnet_is_not_a_clip_attr():
    with pytest.raises(InputError, match=r"scenes is an OvarNet; set MODEL.META_ARCHITECTURE"):
        build_model(config(CHECKPOINT="scenes"))
