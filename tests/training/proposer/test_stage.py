"""The stage "proposer": what it learns from, and the folder it writes."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from accelerate import Accelerator
from omegaconf import OmegaConf
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

from ovarnet.build import open_proposer
from ovarnet.config import ClipSettings, resolve
from ovarnet.data.datasets import open_dataset
from ovarnet.errors import InputError
from ovarnet.io.files import read_json
from ovarnet.training.proposer import trunk_maps
from ovarnet.training.proposer.data import BoxedImageBatch
from ovarnet.training.proposer.stage import ProposerModel, held_out_choice, train_proposer


def config(root, clip, output, **more):
    given = {
        "stage": "proposer",
        "output": str(output),
        "detection": {"root": str(root)},
        "clip": {"name": "ovarnet-scenes", "pretrained": str(clip)},
        "optimisation": {"iterations": 2, "batch_size": 2, "save_every": 1},
    }
    return resolve(OmegaConf.create(given | more), "test")


def test_the_detector_gets_images_and_boxes():
    class Detector(nn.Module):
        def forward(self, images, boxes):
            return {"sum": images[0].sum() + boxes[0].sum()}

    batch = BoxedImageBatch([torch.ones(3, 2, 2)], [torch.ones(1, 4)])
    assert ProposerModel(Detector())(batch)["sum"].item() == 16


@pytest.mark.slow
def test_resume_continues_the_same_run_and_the_folder_proposes(
    tiny_world, start_files, tmp_path, interrupted
):
    root, clip = tiny_world.root, start_files.clip
    whole = train_proposer(config(root, clip, tmp_path / "whole"), Accelerator(cpu=True))
    interrupted(train_proposer, config(root, clip, tmp_path / "broken"))
    resumed = train_proposer(
        config(root, clip, tmp_path / "broken"), Accelerator(cpu=True), resume=True
    )
    first, second = (load_file(folder / "proposer.safetensors") for folder in (whole, resumed))
    assert all(torch.equal(first[key], second[key]) for key in first)
    (proposals,) = open_proposer(whole).propose([torch.rand(3, 60, 70)], ["x.png"])
    assert len(proposals) > 0


def test_data_without_a_base_box_are_refused(tiny_world, start_files, tmp_path):
    root = shutil.copytree(tiny_world.root, tmp_path / "world")
    words = json.loads((root / "vocabulary.json").read_text())
    for word in words["categories"]:
        word["seen"] = False
    (root / "vocabulary.json").write_text(json.dumps(words))
    with pytest.raises(InputError, match="has no box of a base category"):
        train_proposer(config(root, start_files.clip, tmp_path / "run"), Accelerator(cpu=True))
    assert not (tmp_path / "run").exists()


def test_a_clip_with_labels_of_novel_words_is_refused(tiny_world, labelled_clip, tmp_path):
    clip = labelled_clip("clip_attr", "categories", "key")
    with pytest.raises(InputError, match=r"'key', had labels in the training of .*labelled"):
        train_proposer(config(tiny_world.root, clip, tmp_path / "run"), Accelerator(cpu=True))
    assert not (tmp_path / "run").exists()


def test_the_detector_stays_in_training_mode_where_it_has_losses():
    model = ProposerModel(nn.Dropout()).eval()
    assert not model.training
    assert model.proposer.training


@pytest.mark.slow
def test_the_weights_of_the_lowest_validation_loss_are_kept(world_with_val, start_files, tmp_path):
    more = {"validation": {"split": "val", "every": 1, "batches": 2}}
    run = config(world_with_val.root, start_files.clip, tmp_path / "run", **more)
    train_proposer(run, Accelerator(cpu=True))
    history = read_json(tmp_path / "run" / "history.json", dict)["validation"]
    assert [step for step, _ in history] == [1, 2]
    _, step = min((loss, step) for step, loss in history)
    with safe_open(tmp_path / "run" / "best.safetensors", "pt") as file:
        assert file.metadata()["step"] == str(step)
        kept = file.get_tensor("proposer.detector.roi_heads.box_predictor.cls_score.weight")
    saved = load_file(tmp_path / "run" / "checkpoint" / "proposer.safetensors")
    assert torch.equal(saved["detector.roi_heads.box_predictor.cls_score.weight"], kept)


def test_held_out_images_have_base_boxes_alone(world_with_val, tmp_path):
    run = config(
        world_with_val.root,
        tmp_path,
        tmp_path,
        validation={"split": "val", "every": 1, "batches": 3},
    )
    vocabulary, _ = open_dataset("scenes", world_with_val.root, "val")
    batches = list(held_out_choice(run, None, vocabulary, is_main=True).batches())
    assert [len(batch.images) for batch in batches] == [2, 2, 2]
    assert {len(boxes) for batch in batches for boxes in batch.boxes} == {2}


def test_a_validation_split_that_is_trained_on_is_refused(tmp_path):
    run = config(tmp_path, tmp_path, tmp_path, validation={"split": "train"})
    with pytest.raises(InputError, match=r"validation\.split train is trained on"):
        held_out_choice(run, None, None, is_main=True)
    run = config(tmp_path, tmp_path, tmp_path)
    assert held_out_choice(run, None, None, is_main=True) is None


@pytest.mark.slow
def test_training_on_kept_maps_resumes_and_reads_no_image_again(
    world_with_val, small_photos, tmp_path, interrupted, monkeypatch
):
    def run(name):
        more = {
            "kind": "photos",
            "views": 2,
            "maps": str(tmp_path / "maps"),
            "limit": 4,
            "validation": {"split": "val", "every": 1, "batches": 2},
        }
        made = config(world_with_val.root, "unused", tmp_path / name, **more)
        return replace(made, clip=ClipSettings("ovarnet-photos"))

    whole = train_proposer(run("whole"), Accelerator(cpu=True))
    monkeypatch.setattr(trunk_maps, "read_image", None)
    interrupted(train_proposer, run("broken"))
    resumed = train_proposer(run("broken"), Accelerator(cpu=True), resume=True)
    first, second = (load_file(folder / "proposer.safetensors") for folder in (whole, resumed))
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert open_proposer(whole).provenance
