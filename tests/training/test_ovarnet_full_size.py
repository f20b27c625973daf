"""The full-size configs, with random weights on a reduced image: one training step and one
inference each."""

from pathlib import Path

import pytest
import torch

from ovarnet.build import build_ovarnet
from ovarnet.config import load_config
from ovarnet.modeling.clip.clip import load_clip
from ovarnet.modeling.clip_attr import ClipAttr
from ovarnet.modeling.predictor import Predictor
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.prompts import LearnedPrompts, TemplatePrompts
from ovarnet.structures import UNKNOWN
from ovarnet.training.distillation.data import DistillationData, TrainingImage
from ovarnet.training.distillation.dataset import DistillationBatch, ImageTargets
from ovarnet.training.distillation.stage import make_model
from ovarnet.training.distillation.teacher import Teacher
from ovarnet.training.engine.schedule import make_optimizer
from ovarnet.vocabulary import Vocabulary, Word

CONFIGS = Path(__file__).parents[2] / "configs" / "coco_vaw"
WORDS = Vocabulary((Word("mug", seen=True), Word("key")), (Word("red", seen=True), Word("gray")))
BOXES = torch.tensor([[10.0, 20, 90, 100]])


def one_image(crop_size):
    labels = torch.tensor([[UNKNOWN]], dtype=torch.int8)
    image = TrainingImage(
        file="",
        boxes=BOXES,
        categories=torch.tensor([0]),
        attributes=labels,
        is_ignored=torch.tensor([False]),
        rpn_supervised=True,
        all_annotated=True,
        labelled=torch.tensor([True]),
        is_tall=False,
    )
    targets = ImageTargets(
        boxes=BOXES,
        categories=torch.tensor([0]),
        attributes=torch.tensor([[1]], dtype=torch.int8),
        is_box_supervised=torch.tensor([True]),
        is_ignored=torch.tensor([False]),
        proposals=torch.tensor([[40.0, 40, 150, 120]]),
        teacher_crops=torch.rand(2, 3, crop_size, crop_size),
        teacher_embeddings=None,
        rpn_supervised=True,
        all_annotated=True,
    )
    return image, DistillationBatch([torch.rand(3, 128, 160)], [targets])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "architecture"), [("ovarnet_rn50", "RN50"), ("ovarnet_vit_b16", "ViT-B-16")]
)
def test_one_step_and_one_inference(name, architecture):
    config = load_config(
        CONFIGS / f"{name}.yaml",
        [
            "design.short_side=[128,128]",
            "design.long_side=160",
            "design.train_short_sides=[]",
            "roi_batch_size=16",
        ],
    )
    torch.manual_seed(0)
    clip = load_clip(architecture, None, random_weights=True)
    classifier = TextClassifier(clip, TemplatePrompts(["a {}"], ["a {} thing"]))
    for kind in ("category", "attribute"):
        classifier.calibrate(kind, 10.0, -2.0)
    teacher = Teacher(ClipAttr(clip, classifier, None, WORDS), WORDS)
    student = build_ovarnet(
        clip, lambda text: LearnedPrompts(text.text_width), clip, WORDS, config.design
    )
    student.classifier.calibration.copy_(classifier.calibration)
    image, batch = one_image(clip.image_size)
    base = Vocabulary(WORDS.categories[:1], WORDS.attributes[:1])
    data = DistillationData(WORDS, base, {"detection": [image]})
    model = make_model(config, student, data, teacher).train()
    before = model.model.head.cells.queries.detach().clone()
    optimizer = make_optimizer(model.groups(config.optimisation), config.optimisation)
    losses = model(batch)
    assert {
        "distil_categories",
        "distil_attributes",
        "rpn_objectness",
        "categories",
        "attributes",
        "boxes",
    } <= losses.keys()
    sum(losses.values()).backward()
    optimizer.step()
    assert not torch.equal(before, model.model.head.cells.queries)
    found = Predictor(model.eval().model).detect(
        (batch.images[0].permute(1, 2, 0) * 255).byte().numpy(), boxes=BOXES.numpy()
    )
    assert found.category_scores.shape == (1, 2)
    assert torch.isfinite(found.category_scores).all()
