"""The stage "region_head" on the tiny world: its folder, resumed runs, and what it refuses."""

import pytest
import torch
from accelerate import Accelerator
from safetensors import safe_open
from safetensors.torch import load_file

import ovarnet
from ovarnet.build import checkpoint_clip_attr
from ovarnet.checkpoint import load_checkpoint
from ovarnet.errors import InputError
from ovarnet.io.files import read_json
from ovarnet.training.distillation.data import DistillationData
from ovarnet.training.region_head.stage import build_student, held_out_choice, train_region_head


def make_student(config):
    checkpoint = load_checkpoint(config.teacher)
    clip_attr = checkpoint_clip_attr(checkpoint).eval()
    return build_student(config, checkpoint, clip_attr, DistillationData.open(config))


@pytest.mark.slow
def test_resume_continues_the_same_run_and_the_folder_holds_a_model(
    region_settings, photo_models, tmp_path, interrupted
):
    def train(config, accelerator, resume=False):
        config.regions = str(tmp_path / "cache")
        return train_region_head(config, accelerator, resume=resume)

    whole = train(region_settings("whole"), Accelerator(cpu=True))
    interrupted(train, region_settings("broken"))
    resumed = train(region_settings("broken"), Accelerator(cpu=True), resume=True)
    first, second = (load_file(folder / "detector.safetensors") for folder in (whole, resumed))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[key], second[key]) for key in first)

    # the detector is the proposer's as it was; the last stages and the head were trained
    theirs = load_checkpoint(photo_models.detector).part("proposer")
    names = {"backbone.": "backbone.", "rpn.": "rpn.", "box_stage.": "roi_heads."}
    taken = [key for key in first if key.startswith(tuple(names))]
    assert len(taken) > 50
    for key in taken:
        part = next(part for part in names if key.startswith(part))
        assert torch.equal(first[key], theirs[f"detector.{names[part]}{key.removeprefix(part)}"])
    untrained = make_student(region_settings()).detector_parts().state_dict()
    changed = {key for key in first if not torch.equal(first[key], untrained[key])}
    assert {key.split(".")[2] for key in changed} == {"stages", "pool", "head", "deltas"}

    model = ovarnet.load(whole)
    image = torch.randint(0, 255, (84, 112, 3), dtype=torch.uint8).numpy()
    found = model.detect(image, categories=["mug", "zebra"], attributes=["red"], threshold=0.0)
    assert found.category_scores.shape[1] == 2


@pytest.mark.slow
def test_the_boxes_are_those_of_the_photo_proposer(region_settings, photo_models):
    """At 352 x 448 pixels the coarsest map is one that is rounded up.

    No two boxes of random weights overlap enough for a vote, which the proposer does not have.
    """
    student = make_student(region_settings(design={"proposals": 100}))
    image = torch.rand(3, 84, 112, generator=torch.Generator().manual_seed(0))
    (found,), (expected,) = student.propose([image]), photo_models.proposer.propose([image])
    assert len(found) == len(expected) > 10
    torch.testing.assert_close(found.boxes, expected.boxes, atol=1e-2, rtol=0)
    torch.testing.assert_close(found.scores, expected.scores, atol=1e-4, rtol=0)


@pytest.mark.slow
def test_a_detector_of_another_design_is_refused(region_settings):
    for design, wrong in (
        ({"channels": 16}, "holds another architecture: fpn"),
        ({"box_stage_width": 64}, "holds another architecture: box_head"),
        ({"rpn_convolutions": 2}, "holds another architecture: head.conv.1"),
    ):
        with pytest.raises(InputError, match=wrong) as error:
            make_student(region_settings(design=design))
        assert "\n" not in str(error.value)


def test_a_detector_with_labels_of_novel_words_is_refused(
    region_settings, photo_models, with_labels_of
):
    detector = with_labels_of(photo_models.detector, "categories", "key")
    with pytest.raises(InputError, match=r"1 word\(s\) that are novel .*, such as 'key', had"):
        train_region_head(region_settings(detector=detector), Accelerator(cpu=True))


def test_a_teacher_with_labels_of_novel_words_is_refused(
    region_settings, photo_models, with_labels_of
):
    teacher = with_labels_of(photo_models.teacher, "attributes", "gray")
    with pytest.raises(InputError, match=r"1 word\(s\) that are novel .*, such as 'gray', had"):
        train_region_head(region_settings(teacher=teacher), Accelerator(cpu=True))


def test_no_novel_box_or_label_is_among_the_regions(region_settings):
    """The tiny world's files hold a novel key and a novel gray in every image."""
    data = DistillationData.open(region_settings(limit=8))
    assert data.base.category_names == ["mug", "car"]
    for image in data.sources["detection"]:
        assert image.boxes.tolist() == [[4, 4, 34, 24], [20, 24, 60, 54]]
        assert image.attributes.tolist() == [[1, 0], [1, 0]]


def test_another_clip_is_refused(region_settings, teacher_folder):
    with pytest.raises(InputError, match=r"a CLIP such as ovarnet-photos, and .* has ovarnet"):
        make_student(region_settings(teacher=str(teacher_folder)))


@pytest.mark.slow
def test_another_head_is_refused(region_settings):
    with pytest.raises(InputError, match=r"design.head is average; stage region_head trains"):
        make_student(region_settings(design={"head": "average", "width": 64}))


@pytest.mark.slow
def test_the_weights_of_the_lowest_validation_loss_are_kept(
    region_settings, world_with_val, tmp_path
):
    source = {"dataset": "scenes", "root": str(world_with_val.root)}
    more = {"detection": source, "attributes": source, "validation": {"split": "val", "every": 1}}
    folder = train_region_head(region_settings(**more), Accelerator(cpu=True))
    history = read_json(folder.parent / "history.json", dict)["validation"]
    assert [step for step, _ in history] == [1, 2]
    _, step = min((loss, step) for step, loss in history)
    with safe_open(folder.parent / "best.safetensors", "pt") as file:
        assert file.metadata()["step"] == str(step)


def test_held_out_data_have_base_words_alone(region_settings, world_with_val):
    source = {"dataset": "scenes", "root": str(world_with_val.root)}
    data = DistillationData.open(region_settings(detection=source, attributes=source), split="val")
    assert [len(images) for images in data.sources.values()] == [2, 0, 0]
    for image in data.sources["detection"]:
        assert image.boxes.tolist() == [[4, 4, 34, 24], [20, 24, 60, 54]]
        assert "val" in image.file


def test_a_validation_split_that_is_trained_on_is_refused(region_settings):
    config = region_settings(validation={"split": "train"})
    with pytest.raises(InputError, match=r"validation\.split train is trained on"):
        held_out_choice(config, None, None, None, None, is_main=True)
