"""The learner of the stage "ovarnet" on numbers written by hand: who is asked what the teacher
says, and which images it is asked about."""

import math

import pytest
import torch
from image_targets import targets
from torch import nn

from ovarnet.config.settings import (
    DataSource,
    Distillation,
    Optimisation,
    OvarnetTerms,
    OvarnetTraining,
)
from ovarnet.structures import NO_CATEGORY, UNKNOWN
from ovarnet.training.data.base_boxes import ATTRIBUTES, DETECTION
from ovarnet.training.distillation.criterion import OvarnetCriterion
from ovarnet.training.distillation.data import CAPTIONS, DistillationData, TrainingImage
from ovarnet.training.distillation.model import DistillationModel, in_batch_frame
from ovarnet.training.distillation.region_sampling import RegionTargets
from ovarnet.training.distillation.score_scales import MAX_LOGIT_SCALE, ScoreScales
from ovarnet.training.distillation.stage import images_for_teacher
from ovarnet.training.engine.sampling import OrientedSampler
from ovarnet.vocabulary import Vocabulary

WORDS = Vocabulary.of(["mug", "key", "car"], ["red", "gray"])
COLUMNS = {"category": slice(0, 3), "attribute": slice(3, 5)}
CALIBRATION = torch.tensor([[2.0, 0.5], [3.0, -1.0]])


class FakeClassifier(nn.Module):
    """The cosines with the three categories and the two attributes are the five numbers of an
    embedding."""

    calibration = CALIBRATION

    def embed(self, words, kind):
        return COLUMNS[kind]

    def cosines(self, embeddings, columns):
        return embeddings[:, columns]


class FakeModel(nn.Module):
    vocabulary = WORDS

    def __init__(self):
        super().__init__()
        self.clip, self.classifier, self.backbone = nn.Identity(), FakeClassifier(), nn.Module()
        self.backbone.trunk = nn.Identity()


class FakeTeacher:
    """What it says of a crop is named by the crop's only number: five logits that no other crop
    has."""

    def __init__(self):
        self.asked = []

    def embed(self, seen):
        self.asked.append(seen.flatten().tolist())
        return torch.tensor([answer(number) for number in seen.flatten().tolist()])

    def logits(self, embeddings):
        return embeddings[:, COLUMNS["category"]], embeddings[:, COLUMNS["attribute"]]


def answer(number):
    return [math.sin(number * (place + 2)) * 2 for place in range(5)]


def learner(kind):
    criterion = OvarnetCriterion(
        torch.ones(0), torch.ones(0), OvarnetTerms(), Distillation(kind=kind), None, None, 0
    )
    return DistillationModel(FakeModel(), criterion, FakeTeacher(), regions=16, backbone_rate=0.0)


def picked(rows):
    """Regions of which only the teacher's rows matter."""
    count = len(rows)
    return RegionTargets(
        torch.zeros(count, 4),
        torch.full((count,), NO_CATEGORY),
        torch.full((count, 2), UNKNOWN, dtype=torch.int8),
        torch.zeros(count, dtype=torch.bool),
        torch.zeros(count, dtype=torch.bool),
        torch.zeros(count, 4),
        torch.tensor(rows),
    )


def two_images():
    """Images with two boxes and one proposal, and with one box and one proposal, crops named 10,
    11, 12 and 20, 21; 3 and 4 regions.

    Returns regions and targets for `distil`, and for each region that the teacher was asked about:
    its row in the batch and its crop.
    """
    first = targets([[0, 0, 9, 9], [5, 5, 9, 9]], [0, 1], proposals=[[1, 1, 8, 8]])._replace(
        teacher=torch.tensor([[10.0], [11], [12]])
    )
    second = targets([[0, 0, 9, 9]], [0], proposals=[[2, 2, 9, 9]])._replace(
        teacher=torch.tensor([[20.0], [21]])
    )
    return (
        [picked([1, -1, 2]), picked([0, 0, -1, 1])],
        [first, second],
        [(0, 11), (2, 12), (3, 20), (4, 20), (6, 21)],
    )


def softmax(logits):
    return [math.exp(logit) / sum(map(math.exp, logits)) for logit in logits]


def test_every_region_is_held_against_the_answer_about_its_own_box_in_its_own_image():
    embeddings, model = (
        torch.rand(7, 5, generator=torch.Generator().manual_seed(1)),
        learner("probability"),
    )
    regions, images, pairs = two_images()
    losses = model.distil(embeddings, regions, images)
    assert model.teacher.asked == [[10, 11, 12, 20, 21]], "once, about every box and proposal"
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
            teacher = softmax(answer(crop)[COLUMNS[kind]])
            divergences.append(
                sum(p * math.log(p / q) for p, q in zip(teacher, student, strict=True))
            )
        expected[kind] = weight * sum(divergences) / 5
    assert losses["distil_categories"].item() == pytest.approx(expected["category"], rel=1e-4)
    assert losses["distil_attributes"].item() == pytest.approx(expected["attribute"], rel=1e-4)


def test_a_student_whose_embeddings_are_the_answers_has_nothing_left_to_learn():
    regions, images, pairs = two_images()
    embeddings = torch.rand(7, 5)
    for row, crop in pairs:
        embeddings[row] = 3 * torch.tensor(answer(crop))
    assert learner("feature").distil(embeddings, regions, images)[
        "distil_features"
    ].item() == pytest.approx(0, abs=1e-5)
    embeddings[4] *= -1
    assert learner("feature").distil(embeddings, regions, images)[
        "distil_features"
    ].item() == pytest.approx(5.0 * 2 / 5, rel=1e-5)


@pytest.mark.parametrize("kind", ["probability", "feature"])
def test_regions_that_were_asked_about_learn_and_no_others(kind):
    embeddings = torch.rand(7, 5, generator=torch.Generator().manual_seed(1), requires_grad=True)
    regions, images, pairs = two_images()
    sum(learner(kind).distil(embeddings, regions, images).values()).backward()
    assert {row for row in range(7) if embeddings.grad[row].any()} == {row for row, _ in pairs}


def test_scales_start_from_the_calibration_and_stay_between_1_and_100():
    scales = ScoreScales(CALIBRATION)
    assert scales(torch.tensor([0.5]), "category").item() == pytest.approx(2 * 0.5 + 0.5)
    assert scales(torch.tensor([0.5]), "attribute").item() == pytest.approx(3 * 0.5 - 1)
    scales.log_scale.data = torch.tensor([-0.1, 4.7])
    scales.bound()
    assert scales.log_scale.tolist() == pytest.approx([0, math.log(100)])
    assert math.log(100) == MAX_LOGIT_SCALE
    scales.log_scale.data = torch.tensor([0.1, 4.5])
    scales.bound()
    assert scales.log_scale.tolist() == pytest.approx([0.1, 4.5])


def test_boxes_follow_a_non_square_resize():
    moved = in_batch_frame(
        targets([[10, 20, 30, 40]], [0], proposals=[[0, 0, 50, 100]]), (100, 50), (200, 150)
    )
    assert moved.boxes.tolist() == [[30, 40, 90, 80]]
    assert moved.proposals.tolist() == [[0, 0, 150, 200]]


def wide_and_tall(source, count):
    """Every third image is tall."""
    none = torch.zeros(0, dtype=torch.int64)
    return [
        TrainingImage(
            f"{source}{index}",
            torch.zeros(0, 4),
            none,
            torch.zeros(0, 2, dtype=torch.int8),
            none.bool(),
            True,
            True,
            index % 3 == 0,
        )
        for index in range(count)
    ]


@pytest.mark.parametrize("seed", [0, 1])
def test_the_teacher_is_asked_about_the_images_of_a_short_run_and_no_others(seed):
    """5 iterations of 4 images, some tall, some wide, of three sources; drawn as `run_stage` draws
    them."""
    source = DataSource(root="")
    config = OvarnetTraining(
        output="",
        teacher="",
        seed=seed,
        detection=source,
        attributes=source,
        captions_per_batch=1,
        attribute_share=0.34,
        optimisation=Optimisation(iterations=5, batch_size=4),
    )
    data = DistillationData(
        WORDS,
        WORDS,
        {
            DETECTION: wide_and_tall("d", 30),
            ATTRIBUTES: wide_and_tall("a", 20),
            CAPTIONS: wide_and_tall("c", 10),
        },
    )
    batches = OrientedSampler(
        {DETECTION: (30, 2), ATTRIBUTES: (20, 1), CAPTIONS: (10, 1)}, data.is_tall(), 5, seed=seed
    )
    seen = {(name, index) for batch in batches for _, name, index in batch}
    asked = images_for_teacher(config, data)
    assert set(asked) == seen
    assert 10 < len(seen) <= 20
    assert all(image.file == f"{name[0]}{index}" for (name, index), image in asked.items())
    config.optimisation.iterations = 15
    assert len(images_for_teacher(config, data)) == 60, "15 iterations of 4 images may see all"
