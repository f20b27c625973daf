"""The stage "concept_clip" on the tiny world: its folder, resumed runs, and what it refuses."""

import json
import shutil

import pytest
import torch
from accelerate import Accelerator
from omegaconf import OmegaConf
from safetensors import safe_open
from safetensors.torch import load_file
from small_photo_clip import LEARNED

from ovarnet.checkpoint import load_checkpoint
from ovarnet.config import resolve
from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import load_clip
from ovarnet.modeling.clip.concept_tower import UNUSED
from ovarnet.training.concept_clip.stage import (
    concept_features,
    held_out_choice,
    open_concept_clip,
    train_concept_clip,
)
from ovarnet.training.data.base_data import BaseData
from ovarnet.vocabulary import Word


@pytest.fixture
def settings(tiny_world, tmp_path, small_photos):
    """Called with the name of a run and changes."""

    def make(name="run", **more):
        source = {"root": str(tiny_world.root)}
        given = {
            "stage": "concept_clip",
            "output": str(tmp_path / name),
            "clip": {"name": "ovarnet-photos"},
            "detection": source,
            "attributes": source,
            "captions": str(tiny_world.captions),
            "images": str(tiny_world.images),
            "views": 1,
            "limit": 4,
            "optimisation": {"iterations": 2, "batch_size": 8, "save_every": 1, "ema": 0.5},
        }
        return resolve(OmegaConf.merge(given, more), "test")

    return make


@pytest.mark.slow
def test_resume_continues_the_same_run_and_the_folder_holds_a_clip(settings, tmp_path, interrupted):
    cache = str(tmp_path / "cache")

    def train(config, accelerator, resume=False):
        return train_concept_clip(config, accelerator, resume=resume)

    whole = train(settings("whole", features=cache), Accelerator(cpu=True))
    interrupted(train, settings("broken", features=cache))
    resumed = train(settings("broken", features=cache), Accelerator(cpu=True), resume=True)
    first, second = (load_file(folder / "clip.safetensors") for folder in (whole, resumed))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[key], second[key]) for key in first)
    # once, and detection and attributes have the same boxes here
    assert len(list((tmp_path / "cache").iterdir())) == 3

    checkpoint = load_checkpoint(whole)
    assert checkpoint.settings["clip"] == {"name": "ovarnet-photos"}
    seen = [word.name for word in checkpoint.vocabulary.categories if word.seen]
    assert seen == ["mug", "car"]
    clip = load_clip("ovarnet-photos", whole / "clip.safetensors")
    assert clip.encode_text(["a mug"]).shape == (1, clip.embed_dim)


@pytest.mark.slow
def test_only_the_head_and_the_projection_change(settings):
    config = settings()
    torch.manual_seed(config.seed)
    before = open_concept_clip(config).model.state_dict()
    after = load_file(train_concept_clip(config, Accelerator(cpu=True)) / "clip.safetensors")
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert {key.rsplit(".", 1)[0] for key in changed if not key.startswith("visual.head")} == {
        "text.proj",
        "text.proj.appearance",
        "logit_scale",
    }
    rows = after["visual.head.rows.4.bias"]
    assert len(rows) == LEARNED
    assert (rows[:2].abs() < 1).all(), "mug and car"
    assert rows[2:].tolist() == [UNUSED] * (LEARNED - 2), "no word, the novel key neither"
    concepts = after["visual.head.concepts"]
    assert (concepts[:1002].norm(dim=1) > 0.5).all()
    assert concepts[1002:].eq(0).all()


def test_a_clip_of_another_kind_is_refused(settings):
    config = settings(clip={"name": "ovarnet-scenes"})
    with pytest.raises(InputError, match="such as ovarnet-photos; ovarnet-scenes is trained by"):
        train_concept_clip(config, Accelerator(cpu=True))


def test_more_categories_than_rows_are_refused(settings, photo_clip):
    words = [Word(f"word {number}", seen=True) for number in range(LEARNED + 1)]
    with pytest.raises(
        InputError, match="have 9 base categories and ovarnet-photos has rows for 8"
    ):
        concept_features(photo_clip, settings(), words)


def test_a_template_without_a_place_is_refused(settings):
    config = settings(attribute_templates=["a photo"])
    with pytest.raises(InputError, match=r"attribute templates need one \{\} each"):
        train_concept_clip(config, Accelerator(cpu=True))


def test_labels_of_a_word_that_is_novel_now_are_refused(settings, labelled_clip, small_photos):
    config = settings(clip={"pretrained": labelled_clip("concept_clip", "attributes", "gray")})
    with pytest.raises(InputError, match=r"1 word\(s\) that are novel .*'gray', had labels"):
        train_concept_clip(config, Accelerator(cpu=True))


@pytest.mark.slow
def test_without_base_attributes_and_background(settings, tiny_world, tmp_path):
    """All attributes are novel, and every photo is full of its object: two sources are left."""
    root = shutil.copytree(tiny_world.root, tmp_path / "world")
    words = json.loads((root / "vocabulary.json").read_text())
    for word in words["attributes"]:
        word["seen"] = False
    (root / "vocabulary.json").write_text(json.dumps(words))
    instances, records = (
        root / f"annotations/{name}_train.json" for name in ("instances", "attributes")
    )
    boxes = json.loads(instances.read_text())
    for box in boxes["annotations"]:
        box["bbox"] = [0, 0, 70, 60]
    instances.write_text(json.dumps(boxes))
    records.write_text("[]")
    source = {"root": str(root)}
    folder = train_concept_clip(
        settings(detection=source, attributes=source), Accelerator(cpu=True)
    )
    assert folder.is_dir()


@pytest.mark.slow
def test_the_weights_of_the_lowest_validation_loss_are_kept(settings, world_with_val):
    source = {"root": str(world_with_val.root)}
    more = {"detection": source, "attributes": source, "validation": {"split": "val", "every": 1}}
    config = settings(**more)
    folder = train_concept_clip(config, Accelerator(cpu=True))
    history = json.loads((folder.parent / "history.json").read_text())
    assert [step for step, _ in history["validation"]] == [1, 2]
    _, step = min((loss, step) for step, loss in history["validation"])
    with safe_open(folder.parent / "best.safetensors", "pt") as file:
        assert file.metadata()["step"] == str(step)
        kept = file.get_tensor("head.concepts")
    assert torch.equal(load_file(folder / "clip.safetensors")["visual.head.concepts"], kept)

    # boxes of base words alone: the files hold a novel key and a novel gray in every image
    data = BaseData.open(config.detection, config.attributes)
    clip = open_concept_clip(config)
    for batch in held_out_choice(config, clip, data, is_main=True).batches():
        assert set(batch.categories.tolist()) <= {0, 1}
        assert (batch.attributes.shape[1], batch.background, len(batch.captions)) == (2, 0, 0)


def test_a_validation_split_that_is_trained_on_is_refused(settings):
    config = settings(validation={"split": "train"})
    data = BaseData.open(config.detection, config.attributes)
    with pytest.raises(InputError, match=r"validation\.split train is trained on"):
        held_out_choice(config, None, data, is_main=True)
    assert held_out_choice(settings(), None, data, is_main=True) is None
