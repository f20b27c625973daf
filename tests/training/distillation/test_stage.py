"""x"""

import json
import math

import pytest
import torch
from accelerate import Accelerator
from distillation_run import assemble_run

import ovarnet
from ovarnet.build import load_model
from ovarnet.checkpoint import load_checkpoint
from ovarnet.config import (
    DataSource,
    Optimisation,
    OvarnetTraining,
)
from ovarnet.errors import InputError
from ovarnet.training.data.base_boxes import ATTRIBUTES, DETECTION
from ovarnet.training.data.crops import ImageCache, mirror
from ovarnet.training.distillation.data import CAPTIONS, DistillationData, TrainingImage
from ovarnet.training.distillation.stage import (
    images_for_teacher,
    save_ovarnet,
    train_ovarnet,
)
from ovarnet.training.engine.sampling import OrientedSampler
from ovarnet.vocabulary import KINDS, Vocabulary

WORDS = Vocabulary.of(["mug", "key", "car"], ["red", "gray"])


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


TERMS = ("rpn_objectness", "rpn_boxes", "categories", "background", "attributes")


def test_no_novel_box_or_label_reaches_a_loss(settings, tmp_path):
    """The tiny world's files hold a novel key and a novel gray in every image; the batches hold
    neither."""
    taught = assemble_run(settings(distillation={"kind": "none"}), tmp_path)
    _, batch = taught.dataset.__getitems__([(0, DETECTION, index) for index in range(8)])
    for target in batch:
        assert len(target.boxes) == 2
        both = torch.stack([target.boxes, mirror(target.boxes, 70)])
        assert not (both == torch.tensor([2.0, 2, 20, 20])).all(dim=-1).any()
        assert target.categories.tolist() == [0, 1]  # mug and car; the novel key has no column
        assert target.attributes.tolist() == [
            [1, 0],
            [1, 0],
        ]  # red and striped; the novel gray has no column
        assert target.proposals.shape == (0, 4)
    assert taught.data.base.category_names == [
        "mug",
        "car",
    ]
    assert taught.data.base.attribute_names == ["red", "striped"]


def test_caption_images_carry_distillation_alone(settings, tmp_path, corpus):
    captions, images = corpus
    config = settings(
        captions=captions,
        caption_images=images,
        captions_per_batch=1,
        optimisation={"iterations": 8},
    )
    taught = assemble_run(config, tmp_path)
    assert {name: count for name, (_, count) in taught.data.shares(config).items()} == {
        "detection": 1,
        "attributes": 0,
        "captions": 1,
    }
    losses = taught.learner(taught.dataset.__getitems__([(0, "captions", 0), (0, "captions", 3)]))
    silent = {name for name, value in losses.items() if value.item() == 0}
    assert silent == {
        "rpn_objectness",
        "rpn_boxes",
        "boxes",
        "categories",
        "background",
        "attributes",
    }


@pytest.mark.parametrize(("rate", "head"), [(0.0, "attention"), (0.5, "average"), (0.0, "clip")])
def test_training_writes_a_model_that_loads(settings, teacher_folder, monkeypatch, rate, head):
    """The scales start from 8 and 6, and every step brings them back to the most that they may be,
    here 5."""
    monkeypatch.setattr("ovarnet.training.distillation.score_scales.MAX_LOGIT_SCALE", math.log(5))
    config = settings(backbone_lr_multiplier=rate, design={"head": head})
    folder = train_ovarnet(config, Accelerator(cpu=True))
    predictor = ovarnet.load(folder, device="cpu")
    model, before = predictor.model, load_checkpoint(teacher_folder).part("clip")
    trunk = model.backbone.trunk.layer1[0].conv1.weight
    assert torch.equal(trunk, before["visual.layer1.0.conv1.weight"]) == (rate == 0)
    assert torch.equal(model.backbone.trunk.bn1.running_mean, before["visual.bn1.running_mean"])
    assert (model.classifier.calibration[:, 0] < 5.001).all()
    found = predictor.detect(
        torch.randint(0, 255, (60, 70, 3), dtype=torch.uint8).numpy(), attributes=["red", "shiny"]
    )
    assert found.categories == ["mug", "key", "car"]
    assert found.attribute_scores.shape == (
        len(found),
        2,
    )


def test_boxes_and_anchors_are_encoded_as_the_model_decodes_them(settings, tmp_path):
    learner = assemble_run(settings(distillation={"kind": "none"}), tmp_path).learner
    assert learner.criterion.box_coder is learner.model.box_coder
    assert learner.criterion.anchor_coder is learner.model.rpn.box_coder


def test_words_score_after_loading_what_they_scored_before_saving(
    settings, teacher_folder, tmp_path
):
    """The calibration starts as the teacher's, learns, and is that of its own kind of word in the
    folder."""
    config = settings(distillation={"kind": "none"})
    learner = assemble_run(config, tmp_path).learner
    with torch.no_grad():
        assert learner.scales.log_scale.exp().tolist() == pytest.approx([8, 6])
        assert learner.scales.bias.tolist() == [-1, -0.5]
        learner.scales.log_scale.copy_(torch.tensor([9.0, 5.0]).log())
        learner.scales.bias.copy_(torch.tensor([-2.0, 0.25]))
        regions = torch.randn(4, learner.model.clip.embed_dim)
        words = {kind: learner.model.vocabulary.of_kind(kind) for kind in KINDS}
        before = dict(
            zip(words, learner.logits(regions, learner.words, learner.scales), strict=True)
        )
        model = load_model(
            save_ovarnet(
                tmp_path / "saved",
                learner,
                load_checkpoint(teacher_folder),
                "ovarnet-scenes",
                config,
            ),
            device="cpu",
        )
        for kind in words:
            after = model.classifier(regions, model.classifier.embed(words[kind], kind))
            torch.testing.assert_close(after, before[kind], rtol=1e-5, atol=1e-5)
    assert model.classifier.calibration.tolist() == [
        pytest.approx([9, -2]),
        pytest.approx([5, 0.25]),
    ]


def test_a_short_training_lowers_the_loss(settings, tmp_path):
    """Without the box term, which is next to 0 at first, as long as the only positive regions are
    the annotated boxes themselves."""
    train_ovarnet(
        settings(optimisation={"iterations": 30, "batch_size": 4, "warmup": 5, "lr": 3e-3}),
        Accelerator(cpu=True),
    )
    history = json.loads((tmp_path / "run" / "history.json").read_text())
    terms = [history[name] for name in history if name in TERMS or name.startswith("distil")]
    totals = [sum(value for _, value in points) for points in zip(*terms, strict=True)]
    assert len(totals) == 30
    assert sum(totals[-8:]) < 0.75 * sum(totals[:8])


def test_unknown_distillation_is_named(settings):
    with pytest.raises(InputError, match="one of probability, feature, none"):
        settings(distillation={"kind": "telepathy"})


def test_a_short_run_asks_the_teacher_only_about_the_images_it_will_see(settings, tmp_path):
    short = settings(
        distillation={"cache_embeddings": True}, optimisation={"iterations": 2}
    )  # of 2 of the 8 images
    taught = assemble_run(short, tmp_path)
    asked = images_for_teacher(short, taught.data)
    assert 2 <= len(asked) <= 4
    assert set(taught.dataset.proposals) == {image.file for image in asked.values()}
    assert set(taught.dataset.cache) == set(asked)
    assert len(images_for_teacher(settings(), taught.data)) == 8
    folder = train_ovarnet(
        short,
        Accelerator(cpu=True),
        data=taught.data,
        images=ImageCache(16),
        cache_folder=tmp_path,
    )
    assert folder.is_dir() and not list((tmp_path / "run").glob("teacher-*")), (
        "what was stored is found again"
    )


def test_a_teacher_with_labels_of_novel_words_is_refused(settings, teacher_folder, taught):
    config = settings(teacher=taught(teacher_folder, "categories", "key"))
    with pytest.raises(
        InputError,
        match=r"1 word\(s\) that are novel in this run's data, such as 'key', had labels in the training of",
    ):
        train_ovarnet(config, Accelerator(cpu=True))
