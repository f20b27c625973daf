"""The model of the stage "ovarnet" on numbers written by hand, and on the tiny world."""

import math
from types import SimpleNamespace

import pytest
import torch
from distillation_run import assemble_run
from image_targets import targets
from torch import nn

from ovarnet.config import (
    Distillation,
    Optimisation,
    OvarnetLossWeights,
)
from ovarnet.structures import NO_CATEGORY, UNKNOWN
from ovarnet.training.data.base_boxes import DETECTION
from ovarnet.training.distillation.criterion import OvarnetCriterion
from ovarnet.training.distillation.dataset import DistillationBatch
from ovarnet.training.distillation.model import DistillationModel, in_batch_frame
from ovarnet.training.distillation.region_sampling import RegionTargets
from ovarnet.vocabulary import Vocabulary

WORDS = Vocabulary.of(["mug", "key", "car"], ["red", "gray"])

COLUMNS = {"category": slice(0, 3), "attribute": slice(3, 5)}

CALIBRATION = torch.tensor([[2.0, 0.5], [3.0, -1.0]])


class FakeClassifier(nn.Module):
    """The cosines with the three categories and the two attributes are the five numbers of an
    embedding."""

    calibration = CALIBRATION

    def encode_vocabulary(self, words):
        return SimpleNamespace(categories=COLUMNS["category"], attributes=COLUMNS["attribute"])

    def cosines(self, embeddings, columns):
        return embeddings[:, columns]


class FakeModel(nn.Module):
    vocabulary, box_stage = WORDS, None

    def __init__(self):
        super().__init__()
        self.clip, self.classifier, self.backbone = nn.Identity(), FakeClassifier(), nn.Module()
        self.backbone.trunk = nn.Identity()


class FakeTeacher:
    """Names a crop by its only number, and embeds it as five numbers that no other crop has; they
    are the logits too."""

    embed_dim = 5

    def __init__(self):
        self.batches = []

    def embed(self, crops):
        self.batches.append(crops.flatten().tolist())
        return torch.tensor([embedding(number) for number in crops.flatten().tolist()])

    def logits(self, embeddings):
        return embeddings[:, COLUMNS["category"]], embeddings[:, COLUMNS["attribute"]]


def embedding(number):
    return [math.sin(number * (place + 2)) * 2 for place in range(5)]


def make(kind):
    criterion = OvarnetCriterion(
        torch.ones(0), torch.ones(0), OvarnetLossWeights(), Distillation(kind=kind), None, None, 0
    )
    return DistillationModel(
        FakeModel(), criterion, FakeTeacher(), roi_batch_size=16, backbone_lr_multiplier=0.0
    )


def regions_with(rows):
    """Regions of which only the teacher's rows matter."""
    count = len(rows)
    return RegionTargets(
        boxes=torch.zeros(count, 4),
        categories=torch.full((count,), NO_CATEGORY),
        attributes=torch.full((count, 2), UNKNOWN, dtype=torch.int8),
        is_background=torch.zeros(count, dtype=torch.bool),
        is_box_supervised=torch.zeros(count, dtype=torch.bool),
        gt_boxes=torch.zeros(count, 4),
        teacher_rows=torch.tensor(rows),
    )


def two_images(cached=False):
    """Images with two boxes and one proposal, and with one box and one proposal, crops named 10,
    11, 12 and 20, 21; 3 and 4 regions.

    Returns regions and targets for `distil`, and for each region that is distilled its row in the
    batch and its crop.
    """
    images = [
        targets([[0, 0, 9, 9], [5, 5, 9, 9]], [0, 1], proposals=[[1, 1, 8, 8]]),
        targets([[0, 0, 9, 9]], [0], proposals=[[2, 2, 9, 9]]),
    ]
    for image, numbers in zip(images, ([10.0, 11, 12], [20.0, 21]), strict=True):
        crops, embedded = (
            torch.tensor(numbers)[:, None],
            torch.tensor(list(map(embedding, numbers))),
        )
        image.teacher_crops = None if cached else crops
        image.teacher_embeddings = embedded if cached else None
    return (
        [regions_with([1, -1, 2]), regions_with([0, 0, -1, 1])],
        images,
        [(0, 11), (2, 12), (3, 20), (4, 20), (6, 21)],
    )


def softmax(logits):
    return [math.exp(logit) / sum(map(math.exp, logits)) for logit in logits]


@pytest.mark.parametrize("cached", [False, True])
def test_every_region_is_distilled_from_its_own_box_in_its_own_image(cached):
    embeddings, model = (
        torch.rand(7, 5, generator=torch.Generator().manual_seed(1)),
        make("probability"),
    )
    regions, images, pairs = two_images(cached)
    losses = model.distil(embeddings, regions, images)
    once = [[10, 11, 12, 20, 21]]
    assert model.teacher.batches == ([] if cached else once), "every box and proposal once"
    expected = {}
    for kind, weight, (scale, bias) in (
        ("category", 1.0, (2.0, 0.5)),
        ("attribute", 0.5, (3.0, -1.0)),
    ):
        divergences = []
        for row, crop in pairs:
            student = softmax(
                [scale * cosine + bias for cosine in embeddings[row, COLUMNS[kind]].tolist()]
            )
            teacher = softmax(embedding(crop)[COLUMNS[kind]])
            divergences.append(
                sum(p * math.log(p / q) for p, q in zip(teacher, student, strict=True))
            )
        expected[kind] = weight * sum(divergences) / 5
    assert losses["distil_categories"].item() == pytest.approx(expected["category"], rel=1e-4)
    assert losses["distil_attributes"].item() == pytest.approx(expected["attribute"], rel=1e-4)


def test_a_student_with_the_teachers_embeddings_has_no_loss():
    regions, images, pairs = two_images()
    embeddings = torch.rand(7, 5)
    for row, crop in pairs:
        embeddings[row] = 3 * torch.tensor(embedding(crop))
    assert make("feature").distil(embeddings, regions, images)[
        "distil_features"
    ].item() == pytest.approx(0, abs=1e-5)
    embeddings[4] *= -1
    assert make("feature").distil(embeddings, regions, images)[
        "distil_features"
    ].item() == pytest.approx(5.0 * 2 / 5, rel=1e-5)


@pytest.mark.parametrize("kind", ["probability", "feature"])
def test_only_regions_with_an_embedding_of_the_teacher_get_a_gradient(kind):
    embeddings = torch.rand(7, 5, generator=torch.Generator().manual_seed(1), requires_grad=True)
    regions, images, pairs = two_images()
    sum(make(kind).distil(embeddings, regions, images).values()).backward()
    assert {row for row in range(7) if embeddings.grad[row].any()} == {row for row, _ in pairs}


def test_boxes_follow_a_non_square_resize():
    moved = in_batch_frame(
        targets([[10, 20, 30, 40]], [0], proposals=[[0, 0, 50, 100]]), (100, 50), (200, 150)
    )
    assert moved.boxes.tolist() == [[30, 40, 90, 80]]
    assert moved.proposals.tolist() == [[0, 0, 150, 200]]


def test_label_losses_see_base_columns_only_and_distillation_all(settings, teacher_cache):
    run = assemble_run(settings(), teacher_cache)
    seen = {}
    for name in ("loss_labels", "loss_probabilities"):
        original = getattr(run.model.criterion, name)

        def remember(*given, name=name, original=original):
            seen[name] = given
            return original(*given)

        setattr(run.model.criterion, name, remember)
    run.model(run.dataset.__getitems__([(0, DETECTION, 0)]))
    assert [logits.shape[1] for logits in seen["loss_labels"][:2]] == [2, 2]
    (student, teacher) = seen["loss_probabilities"]
    assert [logits.shape[1] for logits in (*student, *teacher)] == [3, 3, 3, 3]


@pytest.mark.parametrize("kind", ["probability", pytest.param("feature", marks=pytest.mark.slow)])
def test_cached_embeddings_give_the_same_losses(settings, tmp_path, kind):
    losses = []
    for cached in (False, True):
        run = assemble_run(
            settings(distillation={"kind": kind, "cache_embeddings": cached}),
            tmp_path / str(cached),
        )
        torch.manual_seed(3)
        batch = run.dataset.__getitems__([(5, DETECTION, 1), (5, DETECTION, 6)])
        first = batch.targets[0]
        assert (first.teacher_crops is None, first.teacher_embeddings is None) == (
            (True, False) if cached else (False, True)
        )
        losses.append(run.model(batch))
    assert losses[0].keys() == losses[1].keys()
    assert any(name.startswith("distil") for name in losses[0])
    for name, value in losses[0].items():
        assert value.item() == pytest.approx(losses[1][name].item(), rel=1e-4, abs=1e-5), name


@pytest.mark.parametrize("case", ["no boxes", "only a crowd"])
def test_an_image_without_boxes_to_learn_from(settings, tmp_path, case):
    """Background and nothing else: every term is finite, those of positives are exactly 0, and the
    gradient exists."""
    run = assemble_run(settings(distillation={"kind": "none"}), tmp_path)
    target = (
        targets([], [])
        if case == "no boxes"
        else targets([[10, 10, 30, 30]], [0], supervised=[False], ignored=[True])
    )
    losses = run.model(DistillationBatch([torch.rand(3, 60, 70)], [target]))
    assert {name for name, value in losses.items() if value.item() > 0} == {
        "rpn_objectness",
        "background",
    }
    sum(losses.values()).backward()
    assert all(value.isfinite() for value in losses.values())


@pytest.mark.parametrize("rate", [0.0, 0.25])
def test_the_trunk_has_its_multiple_of_the_rate_and_everything_new_the_full_one(
    settings, tmp_path, rate
):
    """Every trained weight is in exactly one group; with a rate of 0 the trunk is in none."""
    model = assemble_run(
        settings(backbone_lr_multiplier=rate, distillation={"kind": "none"}), tmp_path
    ).model
    rates = [
        (id(weight), group["lr"])
        for group in model.groups(Optimisation(lr=0.008))
        for weight in group["params"]
    ]
    trunk = {id(weight) for weight in model.model.backbone.trunk.parameters()}
    new = {
        id(weight)
        for part in (model.model.backbone, model.model.rpn, model.model.head, model.scales)
        for weight in part.parameters()
    } - trunk
    assert len(rates) == len(dict(rates))
    assert dict(rates) == dict.fromkeys(new, 0.008) | (dict.fromkeys(trunk, 0.002) if rate else {})


def test_the_teacher_is_not_in_the_state(settings, teacher_cache):
    run = assemble_run(settings(), teacher_cache)
    student = assemble_run(settings(distillation={"kind": "none"}), teacher_cache)
    assert run.model.teacher is not None
    assert run.model.state_dict().keys() == student.model.state_dict().keys()
