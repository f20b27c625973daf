"""A world of eight images, written by hand, small enough to train on in a second or two."""

import io
import json
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from accelerate import Accelerator
from catalogue_data import write_catalogue
from clip_attr_runs import FixedProposer, step_one_settings
from omegaconf import OmegaConf

from ovarnet.build import build_proposer, load_model
from ovarnet.checkpoint import load_checkpoint, save_checkpoint
from ovarnet.cli.main import main
from ovarnet.config import ClipSettings, resolve
from ovarnet.data.captions import load_captions
from ovarnet.io.word_files import read_vocabulary, write_vocabulary
from ovarnet.proposals.store import read_proposals, write_proposals
from ovarnet.training.clip_attr.pseudo_labels import write_pseudo_labels
from ovarnet.training.clip_attr.step_one import train_clip_attr
from ovarnet.vocabulary import Vocabulary, Word

WORDS = Vocabulary(
    (
        Word("mug", "household", seen=True),
        Word("key", "tool"),
        Word("car", "vehicle", seen=True, synonyms=("car", "automobile")),
    ),
    (Word("red", "color", seen=True), Word("gray", "color"), Word("striped", "pattern", seen=True)),
)
BOXES = {"mug": [4, 4, 30, 20], "car": [20, 24, 40, 30], "key": [2, 2, 20, 20]}


@pytest.fixture(scope="session")
def tiny_world(tmp_path_factory):
    """root: as `ovarnet generate scenes` writes it, its train files WITH novel labels, which no
    generated world has; clip: weights."""
    root = tmp_path_factory.mktemp("world")
    pictures = np.random.default_rng(0).integers(0, 255, (8, 60, 70, 3), dtype=np.uint8)
    for folder in ("train", "captions"):
        (root / "images" / folder).mkdir(parents=True)
        for index, picture in enumerate(pictures):
            cv2.imwrite(str(root / "images" / folder / f"{index}.png"), picture)
    (root / "annotations").mkdir()
    images = [
        {"id": index, "file_name": f"{index}.png", "height": 60, "width": 70} for index in range(8)
    ]
    instances = [
        {
            "id": 10 * image["id"] + place,
            "image_id": image["id"],
            "category_id": place + 1,
            "bbox": BOXES[name],
            "iscrowd": 0,
        }
        for image in images
        for place, name in enumerate(("mug", "key", "car"))
    ]
    categories = [
        {"id": place + 1, "name": word.name} for place, word in enumerate(WORDS.categories)
    ]
    records = [
        {
            "image_id": str(box["image_id"]),
            "instance_id": str(box["id"]),
            "instance_bbox": box["bbox"],
            "object_name": WORDS.categories[box["category_id"] - 1].name,
            "positive_attributes": ["red", "gray"],
            "negative_attributes": ["striped"],
        }
        for box in instances
    ]
    captions = [
        {"id": index, "image_id": index, "caption": text}
        for index, text in enumerate(
            [
                "a red mug and a gray key",
                "a car",
                "a striped key",
                "an automobile next to a red mug",
            ]
            * 2
        )
    ]
    write = {
        "instances_train": {"images": images, "annotations": instances, "categories": categories},
        "attributes_train": records,
        "captions_scenes": {"images": images, "annotations": captions},
    }
    for name, content in write.items():
        (root / "annotations" / f"{name}.json").write_text(json.dumps(content))
    write_vocabulary(root / "vocabulary.json", WORDS)
    return SimpleNamespace(
        root=root,
        captions=root / "annotations" / "captions_scenes.json",
        images=root / "images" / "captions",
    )


@pytest.fixture(params=["table", "shards"])
def corpus(request, tiny_world, tmp_path):
    """The images of the tiny world in the form of CC3M: (captions, images)."""
    every = load_captions(tiny_world.captions, tiny_world.images)
    if request.param == "table":
        (tmp_path / "cc3m.tsv").write_text(
            "".join(
                f"{image.captions[0]}\thttp://x.org/{Path(image.file).name}\n" for image in every
            )
        )
        return str(tmp_path / "cc3m.tsv"), str(tiny_world.images)
    for number in range(2):
        with tarfile.open(tmp_path / f"{number:05d}.tar", "w") as shard:
            for image in every[4 * number : 4 * number + 4]:
                shard.add(image.file, Path(image.file).name)
                text = tarfile.TarInfo(f"{Path(image.file).stem}.txt")
                text.size = len(image.captions[0])
                shard.addfile(text, io.BytesIO(image.captions[0].encode()))
    return str(tmp_path / "*.tar"), None


@pytest.fixture(scope="session")
def small_clip():
    """An untrained small CLIP; tests that change its weights copy it."""
    import torch

    from ovarnet.modeling.clip.clip import load_clip

    torch.manual_seed(0)
    return load_clip("ovarnet-scenes", None, random_weights=True)


@pytest.fixture(scope="session")
def start_files(tmp_path_factory, small_clip):
    """clip: file of the untrained CLIP's weights. proposer: folder of an untrained proposer."""
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("start")
    save_file(
        {key: value.contiguous().clone() for key, value in small_clip.model.state_dict().items()},
        folder / "clip.safetensors",
    )
    proposer = build_proposer(
        "scenes", ClipSettings("ovarnet-scenes", str(folder / "clip.safetensors"))
    )
    save_checkpoint(
        folder / "proposer",
        model="proposer",
        settings={"proposer": {"kind": "scenes", "clip": "ovarnet-scenes"}},
        vocabulary=WORDS,
        parts={"proposer": proposer.state_dict()},
    )
    return SimpleNamespace(clip=folder / "clip.safetensors", proposer=folder / "proposer")


@pytest.fixture
def with_labels_of(tmp_path):
    """A copy of a checkpoint folder that says of the novel word `name` that it had labels."""

    def make(folder, kind, name):
        copied = shutil.copytree(folder, tmp_path / "with_labels_of")
        words = json.loads((copied / "vocabulary.json").read_text())
        next(word for word in words[kind] if word["name"] == name)["seen"] = True
        (copied / "vocabulary.json").write_text(json.dumps(words))
        return str(copied)

    return make


@pytest.fixture
def labelled_clip(tmp_path, small_clip, photo_clip):
    """Called with a stage and a novel word of the tiny world: the weights of a CLIP whose folder
    says that the stage wrote it and that the word is a base word."""

    def make(stage, kind, name):
        words = {field: getattr(WORDS, field) for field in ("categories", "attributes")}
        words[kind] = tuple(replace(w, seen=w.seen or w.name == name) for w in words[kind])
        clip = photo_clip if stage == "concept_clip" else small_clip
        folder = save_checkpoint(
            tmp_path / f"labelled {stage}",
            model="clip",
            settings={"clip": {"name": clip.name}, "training": {"stage": stage}},
            vocabulary=Vocabulary(**words),
            parts={"clip": clip.model.state_dict()},
        )
        return str(folder / "clip.safetensors")

    return make


SMALL_DESIGN = {
    "channels": 16,
    "coarser_map": False,
    "short_side": [32, 96],
    "long_side": 128,
    "train_short_sides": [],
    "anchor_sizes": [8, 16, 32, 64],
    "rpn_convolutions": 1,
    "rpn_pre_nms": [60, 60],
    "rpn_post_nms": [30, 30],
    "roi_size": 4,
    "roi_canonical_size": 80,
    "width": 32,
    "layers": 1,
    "heads": 2,
    "hidden": 32,
    "dropout": 0.0,
}


@pytest.fixture(scope="session")
def teacher_folder(tmp_path_factory, small_clip, start_files, tiny_world):
    """An untrained CLIP-Attr with templates and a calibration, as the stage "zero_shot" writes
    it."""
    proposer = load_checkpoint(start_files.proposer)
    settings = {
        "clip": {"name": "ovarnet-scenes"},
        "proposer": {"kind": "scenes"},
        "calibration": {"category": [8.0, -1.0], "attribute": [6.0, -0.5]},
        "prompts": {"category": ["a photo of a {}"], "attribute": ["a photo of a {} object"]},
    }
    return save_checkpoint(
        tmp_path_factory.mktemp("teacher") / "checkpoint",
        model="clip-attr",
        settings=settings,
        vocabulary=read_vocabulary(tiny_world.root / "vocabulary.json"),
        parts={"clip": small_clip.model.state_dict(), "proposer": proposer.part("proposer")},
    )


@pytest.fixture(scope="session")
def teacher_cache(tmp_path_factory):
    """A folder that keeps the proposals of `teacher_folder`, which many tests need."""
    return tmp_path_factory.mktemp("teacher_cache")


@pytest.fixture
def settings(tiny_world, teacher_folder, tmp_path):
    """Called with changes: the resolved config of a small stage "ovarnet"."""

    def make(**more):
        source = {"dataset": "scenes", "root": str(tiny_world.root)}
        given = {
            "stage": "ovarnet",
            "output": str(tmp_path / "run"),
            "teacher": str(teacher_folder),
            "detection": source,
            "attributes": source,
            "roi_batch_size": 16,
            "rpn_batch_size": 32,
            "design": SMALL_DESIGN,
            "optimisation": {"iterations": 4, "batch_size": 2, "warmup": 1, "lr": 1e-3},
        }
        return resolve(OmegaConf.merge(given, more), "test")

    return make


@pytest.fixture(scope="session")
def step_one(tiny_world, start_files, tmp_path_factory):
    return train_clip_attr(
        step_one_settings(
            tiny_world, start_files, tmp_path_factory.mktemp("one"), optimisation={"iterations": 1}
        ),
        Accelerator(cpu=True),
    )


@pytest.fixture(scope="session")
def pseudo_labels(tiny_world, step_one, tmp_path_factory):
    folder = tmp_path_factory.mktemp("offline")
    images = load_captions(tiny_world.captions, tiny_world.images)
    assert (
        write_proposals(
            FixedProposer(),
            [image.file for image in images],
            folder / "proposals",
            shard=3,
            limit=2,
        )
        == 8
    )
    write_pseudo_labels(
        load_model(step_one, device="cpu"),
        images,
        read_proposals(folder / "proposals"),
        folder / "labels",
        shard=3,
    )
    return folder


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory):
    """Twelve training and six test images of one's own, prepared."""
    root = write_catalogue(tmp_path_factory.mktemp("mine"))
    assert main(["prepare", "custom", "--root", str(root)]) == 0
    return root


@pytest.fixture
def world_with_val(tiny_world, tmp_path):
    """The tiny world, whose files hold novel labels, with a split val that is as train."""
    root = tmp_path / "world"
    shutil.copytree(tiny_world.root, root)
    shutil.copytree(root / "images/train", root / "images/val")
    for name in ("instances", "attributes"):
        shutil.copy(root / f"annotations/{name}_train.json", root / f"annotations/{name}_val.json")
    return SimpleNamespace(root=root, captions=tiny_world.captions, images=tiny_world.images)
