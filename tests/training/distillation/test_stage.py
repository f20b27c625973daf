"""OvarNet is trained on the tiny world: data of a run, the teacher, and the folder that comes
out."""

import json
import math
import shutil

import pytest
import torch
from accelerate import Accelerator
from distillation_run import assemble_run
from omegaconf import OmegaConf

import ovarnet
from ovarnet.build import SHIPPED, load_model
from ovarnet.checkpoint import load_checkpoint
from ovarnet.config import (
    DataSource,
    Optimisation,
    OvarnetTraining,
)
from ovarnet.errors import InputError
from ovarnet.training.data.base_boxes import ATTRIBUTES, DETECTION
from ovarnet.training.data.crops import hflip_boxes
from ovarnet.training.data.image_cache import ImageCache
from ovarnet.training.distillation.data import CAPTIONS, DistillationData, TrainingImage
from ovarnet.training.distillation.stage import (
    images_of_run,
    open_teacher,
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
            rpn_supervised=True,
            all_annotated=True,
            labelled=torch.tensor([True]),
            is_tall=index % 3 == 0,
        )
        for index in range(count)
    ]


@pytest.mark.parametrize("seed", [0, 1])
def test_the_teacher_embeds_the_images_that_a_short_run_visits_and_no_others(seed):
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
    visited = {(name, index) for batch in batches for _, name, index in batch}
    found = images_of_run(config, data)
    assert set(found) == visited
    assert 10 < len(visited) <= 20
    assert all(image.file == f"{name[0]}{index}" for (name, index), image in found.items())
    config.optimisation.iterations = 15
    assert len(images_of_run(config, data)) == 60, "15 iterations of 4 images may visit all"


TERMS = ("rpn_objectness", "rpn_boxes", "categories", "background", "attributes")


def test_no_novel_box_or_label_reaches_a_loss(settings, tmp_path):
    """The tiny world's files hold a novel key and a novel gray in every image; the batches hold
    neither."""
    run = assemble_run(settings(distillation={"kind": "none"}), tmp_path)
    batch = run.dataset.__getitems__([(0, DETECTION, index) for index in range(8)])
    for target in batch.targets:
        assert len(target.boxes) == 2
        both = torch.stack([target.boxes, hflip_boxes(target.boxes, 70)])
        assert not (both == torch.tensor([2.0, 2, 20, 20])).all(dim=-1).any()
        assert target.categories.tolist() == [0, 1]  # mug and car; the novel key has no column
        assert target.attributes.tolist() == [
            [1, 0],
            [1, 0],
        ]  # red and striped; the novel gray has no column
        assert target.proposals.shape == (0, 4)
    assert run.data.base.category_names == [
        "mug",
        "car",
    ]
    assert run.data.base.attribute_names == ["red", "striped"]


@pytest.mark.slow
def test_caption_images_enter_distillation_alone(settings, teacher_cache, corpus):
    captions, images = corpus
    config = settings(
        captions=captions,
        caption_images=images,
        captions_per_batch=1,
        optimisation={"iterations": 8},
    )
    run = assemble_run(config, teacher_cache)
    assert {name: count for name, (_, count) in run.data.shares(config).items()} == {
        "detection": 1,
        "attributes": 0,
        "captions": 1,
    }
    losses = run.model(run.dataset.__getitems__([(0, "captions", 0), (0, "captions", 3)]))
    zero = {name for name, value in losses.items() if value.item() == 0}
    assert zero == {
        "rpn_objectness",
        "rpn_boxes",
        "boxes",
        "categories",
        "background",
        "attributes",
    }


@pytest.mark.slow
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
    model = assemble_run(settings(distillation={"kind": "none"}), tmp_path).model
    assert model.criterion.box_coder is model.model.box_coder
    assert model.criterion.anchor_coder is model.model.rpn.box_coder


def test_words_score_after_loading_what_they_scored_before_saving(
    settings, teacher_folder, tmp_path
):
    """The calibration is first the teacher's, is trained, and is kept for each kind of word."""
    config = settings(distillation={"kind": "none"})
    model = assemble_run(config, tmp_path).model
    with torch.no_grad():
        assert model.scales.log_scale.exp().tolist() == pytest.approx([8, 6])
        assert model.scales.bias.tolist() == [-1, -0.5]
        model.scales.log_scale.copy_(torch.tensor([9.0, 5.0]).log())
        model.scales.bias.copy_(torch.tensor([-2.0, 0.25]))
        regions = torch.randn(4, model.model.clip.embed_dim)
        words = {kind: model.model.vocabulary.of_kind(kind) for kind in KINDS}
        before = dict(zip(words, model.logits(regions, model.words, model.scales), strict=True))
        model = load_model(
            save_ovarnet(
                tmp_path / "saved",
                model.model,
                model.scales,
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_short_run_embeds_only_the_images_that_it_visits(settings, tmp_path, monkeypatch):
    short = settings(
        distillation={"cache_embeddings": True}, optimisation={"iterations": 2}
    )  # of 2 of the 8 images
    run = assemble_run(short, tmp_path)
    visited = images_of_run(short, run.data)
    assert 2 <= len(visited) <= 4
    assert set(run.dataset.proposals) == {image.file for image in visited.values()}
    assert set(run.dataset.cache) == set(visited)
    assert len(images_of_run(settings(), run.data)) == 8
    monkeypatch.setattr(
        "ovarnet.training.distillation.stage.run_stage", lambda model, *_, **more: model
    )
    folder = train_ovarnet(
        short,
        Accelerator(cpu=True),
        data=run.data,
        images=ImageCache(16),
        cache_folder=tmp_path,
    )
    assert folder.is_dir()
    assert not list((tmp_path / "run").glob("teacher-*")), "what was stored is found again"


def test_a_teacher_with_labels_of_novel_words_is_refused(settings, teacher_folder, with_labels_of):
    config = settings(teacher=with_labels_of(teacher_folder, "categories", "key"))
    with pytest.raises(
        InputError, match=r"1 word\(s\) that are novel .*, such as 'key', had labels"
    ):
        train_ovarnet(config, Accelerator(cpu=True))


def test_a_backbone_with_labels_of_novel_words_is_refused(settings, labelled_clip):
    weights = labelled_clip("clip_attr", "categories", "key")
    config = settings(backbone={"name": "ovarnet-scenes", "pretrained": weights})
    with pytest.raises(InputError, match=r"'key', had labels in the training of .*labelled"):
        train_ovarnet(config, Accelerator(cpu=True))


def test_what_cannot_be_a_teacher_is_one_line(settings, teacher_folder, tmp_path):
    with pytest.raises(
        InputError, match="teacher scenes is of kind 'ovarnet'; OvarNet is distilled"
    ):
        train_ovarnet(settings(teacher="scenes"), Accelerator(cpu=True))
    with pytest.raises(InputError, match="'nowhere' is neither a checkpoint folder nor one that"):
        train_ovarnet(settings(teacher="nowhere"), Accelerator(cpu=True))
    copied = shutil.copytree(teacher_folder, tmp_path / "half")
    text = (copied / "config.yaml").read_text()
    written = OmegaConf.create(text)
    del written.calibration["attribute"]
    OmegaConf.save(written, copied / "config.yaml")
    with pytest.raises(InputError, match="has no calibration of attribute words"):
        train_ovarnet(settings(teacher=str(copied)), Accelerator(cpu=True))
    assert not (tmp_path / "run").exists()


def test_a_shipped_name_is_a_teacher():
    checkpoint = open_teacher("scenes-clip-attr")
    assert checkpoint.model == "clip-attr"
    assert checkpoint.folder == SHIPPED / "scenes-clip-attr"


def test_a_box_stage_is_refused(settings, tmp_path):
    with pytest.raises(
        InputError, match=r"box_stage_width is 8; stage ovarnet trains no box stage"
    ):
        assemble_run(settings(design={"box_stage_width": 8}), tmp_path)
