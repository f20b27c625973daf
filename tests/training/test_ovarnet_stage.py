"""OvarNet is trained on the tiny world: which boxes reach which loss, the teacher online and cached, and the folder that comes out."""

import json
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from omegaconf import OmegaConf

import ovarnet
from ovarnet.build import checkpoint_clip_attr
from ovarnet.checkpoint import load_checkpoint, save_checkpoint
from ovarnet.config import resolve
from ovarnet.errors import InputError
from ovarnet.structures import NO_CATEGORY, UNKNOWN, Annotations
from ovarnet.training.base_regions import DETECTION
from ovarnet.training.distill import _lesson, images_to_ask, in_batch_frame, make_learner, start_model, train_ovarnet
from ovarnet.training.distill_criterion import pick_regions
from ovarnet.training.distill_data import DistillData, Targets, TrainingImage, mirror, teaches_boxes, training_image
from ovarnet.training.regions import ImageMemory
from ovarnet.vocabulary import Vocabulary, Word

DESIGN = {"channels": 16, "coarser_map": False, "short_side": [32, 96], "long_side": 128, "train_short_sides": [],
          "anchor_sizes": [8, 16, 32, 64], "rpn_convolutions": 1, "rpn_pre_nms": [60, 60], "rpn_post_nms": [30, 30], "roi_size": 4,
          "roi_canonical_size": 80, "width": 32, "layers": 1, "heads": 2, "hidden": 32, "dropout": 0.0}
TERMS = ("anchor_objectness", "anchor_boxes", "categories", "background", "attributes")


@pytest.fixture(scope="session")
def teacher_folder(tmp_path_factory, small_clip, start_files, tiny_world):
    """An untrained CLIP-Attr with templates and a calibration, as the stage "zero_shot" writes it."""
    proposer = load_checkpoint(start_files.proposer)
    settings = {"clip": {"name": "ovarnet-scenes"}, "proposer": {"kind": "scenes"},
                "calibration": {"category": [8.0, -1.0], "attribute": [6.0, -0.5]},
                "prompts": {"category": ["a photo of a {}"], "attribute": ["a photo of a {} object"]}}
    return save_checkpoint(tmp_path_factory.mktemp("teacher") / "checkpoint", model="clip-attr", settings=settings,
                           vocabulary=Vocabulary.load(tiny_world.root / "vocabulary.json"),
                           parts={"clip": small_clip.model.state_dict(), "proposer": proposer.part("proposer")})


@pytest.fixture
def settings(tiny_world, teacher_folder, tmp_path):
    def make(**more):
        source = {"dataset": "scenes", "root": str(tiny_world.root)}
        given = {"stage": "ovarnet", "output": str(tmp_path / "run"), "teacher": str(teacher_folder), "detection": source,
                 "attributes": source, "regions": 16, "anchors": 32, "design": DESIGN,
                 "optimisation": {"iterations": 4, "batch_size": 2, "warmup": 1, "lr": 1e-3}}
        return resolve(OmegaConf.merge(given, more), "test")

    return make


def lesson(config, tmp_path):
    """Learner, data set and teacher of a config, without training."""
    data = DistillData.open(config)
    checkpoint = load_checkpoint(config.teacher)
    clip_attr = checkpoint_clip_attr(checkpoint).eval()
    torch.manual_seed(0)
    model, _ = start_model(config, checkpoint, clip_attr, data)
    teacher, dataset = _lesson(config, clip_attr, data, ImageMemory(16), tmp_path)
    return SimpleNamespace(learner=make_learner(model, data, teacher, config).train(), dataset=dataset, data=data)


def targets(boxes, categories, *, attributes=None, taught=None, crowd=None, proposals=(), annotated=True):
    count = len(boxes)
    return Targets(torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4), torch.tensor(categories, dtype=torch.int64),
                   torch.full((count, 2), UNKNOWN, dtype=torch.int8) if attributes is None else torch.tensor(attributes, dtype=torch.int8),
                   torch.tensor([True] * count if taught is None else taught, dtype=torch.bool),
                   torch.tensor([False] * count if crowd is None else crowd, dtype=torch.bool),
                   torch.tensor(proposals, dtype=torch.float32).reshape(-1, 4), torch.zeros(count + len(proposals), 8),
                   torch.tensor(True), torch.tensor(annotated))


def test_no_novel_box_or_label_reaches_a_loss(settings, tmp_path):
    """The tiny world's files hold a novel key and a novel gray in every image; the batches hold neither."""
    taught = lesson(settings(distillation={"kind": "none"}), tmp_path)
    _, batch = taught.dataset.__getitems__([(0, DETECTION, index) for index in range(8)])
    for target in batch:
        assert len(target.boxes) == 2
        both = torch.stack([target.boxes, mirror(target.boxes, 70)])
        assert not (both == torch.tensor([2.0, 2, 20, 20])).all(dim=-1).any()
        assert target.categories.tolist() == [0, 1]                 # mug and car; the novel key has no column
        assert target.attributes.tolist() == [[1, 0], [1, 0]]       # red and striped; the novel gray has no column
        assert target.proposals.shape == (0, 4)
    assert taught.data.base.category_names == ["mug", "car"] and taught.data.base.attribute_names == ["red", "striped"]


def test_labels_are_judged_in_base_columns_only_and_distillation_in_all(settings, tmp_path):
    taught = lesson(settings(), tmp_path)
    seen = {}
    for name in ("judge_labels", "judge_probabilities"):
        original = getattr(taught.learner.criterion, name)

        def remember(*given, name=name, original=original):
            seen[name] = given
            return original(*given)

        setattr(taught.learner.criterion, name, remember)
    taught.learner(taught.dataset.__getitems__([(0, DETECTION, 0)]))
    assert [logits.shape[1] for logits in seen["judge_labels"][:2]] == [2, 2]
    (student, teacher) = seen["judge_probabilities"]
    assert [logits.shape[1] for logits in (*student, *teacher)] == [3, 3, 3, 3]


@pytest.mark.parametrize(("category", "label", "what"), [(1, UNKNOWN, "novel category 'key'"), (0, 1, "novel attribute")])
def test_novel_annotations_are_refused(category, label, what):
    words = Vocabulary((Word("mug", seen=True), Word("key")), (Word("red", seen=True), Word("gray")))
    image = Annotations("a.png", "1", 20, 20, [[1, 1, 9, 9]], [category], [[UNKNOWN, label]])
    with pytest.raises(InputError, match=what):
        training_image(image, words, 1, exhaustive=True)


@pytest.mark.parametrize(("has_categories", "expected"), [(True, [True, False, False, False, False]),
                                                        (False, [True, True, False, False, False])])
def test_boxes_teach_by_a_base_category_or_in_its_absence_a_base_attribute(has_categories, expected):
    boxes = torch.tensor([[0.0, 0, 9, 9], [0, 0, 9, 9], [0, 0, 9, 9], [0, 0, 30, 20], [0, 0, 9, 9]])  # the fourth is the whole image
    attributes = torch.tensor([[1], [1], [UNKNOWN], [1], [1]], dtype=torch.int8)
    categories = torch.tensor([0, NO_CATEGORY, NO_CATEGORY, NO_CATEGORY, 0])
    image = TrainingImage("", boxes, categories, attributes, torch.tensor([False, False, False, False, True]), True, True, False)
    assert teaches_boxes(image, (3, 20, 30), has_categories).tolist() == expected


def test_what_regions_carry():
    """One exact region per box, one far from all, and a proposal of the teacher."""
    target = targets([[0, 0, 10, 10], [20, 20, 40, 40]], [1, NO_CATEGORY], attributes=[[UNKNOWN, UNKNOWN], [1, 0]],
                     taught=[True, False], proposals=[[50, 50, 60, 60]])
    regions = pick_regions(torch.tensor([[80.0, 80, 90, 90]]), target, 8)
    rows = {tuple(box): row for row, box in enumerate(regions.boxes.int().tolist())}
    mug, thing, nothing, proposal = (rows[key] for key in ((0, 0, 10, 10), (20, 20, 40, 40), (80, 80, 90, 90), (50, 50, 60, 60)))
    assert regions.categories[[mug, thing, nothing, proposal]].tolist() == [1, NO_CATEGORY, NO_CATEGORY, NO_CATEGORY]
    assert regions.attributes[thing].tolist() == [1, 0]
    assert (regions.attributes[[mug, nothing, proposal]] == UNKNOWN).all()
    assert regions.is_background[[mug, thing, nothing, proposal]].tolist() == [False, False, True, False]
    assert regions.is_box_taught[[mug, thing, nothing, proposal]].tolist() == [True, False, False, False]
    assert regions.teacher_rows[[mug, thing, nothing, proposal]].tolist() == [0, 1, -1, 2]


def test_images_not_wholly_annotated_have_no_background_and_crowds_teach_nothing():
    found = torch.tensor([[80.0, 80, 90, 90]])
    assert len(pick_regions(found, targets([], [], annotated=False), 8).boxes) == 0
    found = torch.cat([found, torch.tensor([[10.0, 10, 20, 20]])])      # in the crowd, with an IoU of .11
    crowd = pick_regions(found, targets([[0, 0, 30, 30]], [0], taught=[False], crowd=[True]), 8)
    assert crowd.boxes.tolist() == [[80, 80, 90, 90]] and crowd.is_background.tolist() == [True]


@pytest.mark.parametrize("kind", ["probability", "feature"])
def test_teacher_online_equals_teacher_cached(settings, tmp_path, kind):
    losses = []
    for cached in (False, True):
        taught = lesson(settings(distillation={"kind": kind, "cached": cached}), tmp_path / str(cached))
        torch.manual_seed(3)
        batch = taught.dataset.__getitems__([(5, DETECTION, 1), (5, DETECTION, 6)])
        assert batch[1][0].teacher.ndim == (2 if cached else 4)
        losses.append(taught.learner(batch))
    assert losses[0].keys() == losses[1].keys() and any(name.startswith("distil") for name in losses[0])
    for name, value in losses[0].items():
        assert value.item() == pytest.approx(losses[1][name].item(), rel=1e-4, abs=1e-5), name


@pytest.mark.parametrize("case", ["no boxes", "only a crowd"])
def test_an_image_without_boxes_to_learn_from(settings, tmp_path, case):
    """Background and nothing else: every term is finite, those of positives are exactly 0, and the gradient exists."""
    taught = lesson(settings(distillation={"kind": "none"}), tmp_path)
    target = targets([], []) if case == "no boxes" else targets([[10, 10, 30, 30]], [0], taught=[False], crowd=[True])
    losses = taught.learner(([torch.rand(3, 60, 70)], [target]))
    assert {name for name, value in losses.items() if value.item() > 0} == {"anchor_objectness", "background"}
    sum(losses.values()).backward()
    assert all(value.isfinite() for value in losses.values())


def test_boxes_follow_a_non_square_resize():
    moved = in_batch_frame(targets([[10, 20, 30, 40]], [0], proposals=[[0, 0, 50, 100]]), (100, 50), (200, 150))
    assert moved.boxes.tolist() == [[30, 40, 90, 80]] and moved.proposals.tolist() == [[0, 0, 150, 200]]


def test_caption_images_carry_distillation_alone(settings, tmp_path, corpus):
    captions, images = corpus
    config = settings(captions=captions, caption_images=images, captions_per_batch=1, optimisation={"iterations": 8})
    taught = lesson(config, tmp_path)
    assert {name: count for name, (_, count) in taught.data.shares(config).items()} == {"detection": 1, "attributes": 0, "captions": 1}
    losses = taught.learner(taught.dataset.__getitems__([(0, "captions", 0), (0, "captions", 3)]))
    silent = {name for name, value in losses.items() if value.item() == 0}
    assert silent == {"anchor_objectness", "anchor_boxes", "boxes", "categories", "background", "attributes"}


@pytest.mark.parametrize(("rate", "head"), [(0.0, "attention"), (0.5, "average"), (0.0, "clip")])
def test_training_writes_a_model_that_loads(settings, teacher_folder, rate, head):
    config = settings(backbone_rate=rate, design={"head": head})
    folder = train_ovarnet(config, Accelerator(cpu=True))
    model, before = ovarnet.load(folder, device="cpu"), load_checkpoint(teacher_folder).part("clip")
    trunk = model.backbone.trunk.layer1[0].conv1.weight
    assert torch.equal(trunk, before["visual.layer1.0.conv1.weight"]) == (rate == 0)
    assert torch.equal(model.backbone.trunk.bn1.running_mean, before["visual.bn1.running_mean"])
    found = model.detect(torch.randint(0, 255, (60, 70, 3), dtype=torch.uint8).numpy(), attributes=["red", "shiny"])
    assert found.categories == ["mug", "key", "car"] and found.attribute_scores.shape == (len(found), 2)


def test_a_short_training_lowers_the_loss(settings, tmp_path):
    """Without the box term, which is next to 0 at first, as long as the only positive regions are the annotated boxes themselves."""
    train_ovarnet(settings(optimisation={"iterations": 30, "batch_size": 4, "warmup": 5, "lr": 3e-3}), Accelerator(cpu=True))
    history = json.loads((tmp_path / "run" / "history.json").read_text())
    terms = [history[name] for name in history if name in TERMS or name.startswith("distil")]
    totals = [sum(value for _, value in points) for points in zip(*terms, strict=True)]
    assert len(totals) == 30 and sum(totals[-8:]) < 0.75 * sum(totals[:8])


def test_unknown_distillation_is_named(settings):
    with pytest.raises(InputError, match="probability, feature or none"):
        train_ovarnet(settings(distillation={"kind": "telepathy"}), Accelerator(cpu=True))


def test_a_short_run_asks_the_teacher_only_about_the_images_it_will_see(settings, tmp_path):
    short = settings(distillation={"cached": True}, optimisation={"iterations": 2})     # of 2 of the 8 images
    taught = lesson(short, tmp_path)
    asked = images_to_ask(short, taught.data)
    assert 2 <= len(asked) <= 4 and set(taught.dataset.proposals) == {image.file for image in asked.values()}
    assert set(taught.dataset.cache) == set(asked)
    assert len(images_to_ask(settings(), taught.data)) == 8
    folder = train_ovarnet(short, Accelerator(cpu=True), data=taught.data, images=ImageMemory(16), cache_folder=tmp_path)
    assert folder.is_dir() and not list((tmp_path / "run").glob("teacher-*")), "what was stored is found again"


def test_a_teacher_with_labels_of_novel_words_is_refused(settings, teacher_folder, taught):
    config = settings(teacher=taught(teacher_folder, "categories", "key"))
    with pytest.raises(InputError, match=r"1 word\(s\) that are novel in this run's data, such as 'key', had labels in the training of"):
        train_ovarnet(config, Accelerator(cpu=True))
