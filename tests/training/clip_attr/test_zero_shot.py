"""The stage "zero_shot" on the tiny world."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf
from PIL import Image

import ovarnet
from ovarnet.checkpoint import load_checkpoint
from ovarnet.config import DataSource, resolve
from ovarnet.data.labelled import VOCABULARY
from ovarnet.errors import InputError
from ovarnet.io.word_files import read_vocabulary, write_vocabulary
from ovarnet.training.clip_attr.zero_shot import calibrate_clip_attr, open_sources
from ovarnet.vocabulary import Vocabulary, Word


@pytest.fixture
def settings(tiny_world, start_files, tmp_path):
    """Called with the weights of the CLIP."""

    def make(pretrained):
        given = {
            "stage": "zero_shot",
            "output": str(tmp_path / "run"),
            "root": str(tiny_world.root),
            "clip": {"name": "ovarnet-scenes", "pretrained": str(pretrained)},
            "proposer": str(start_files.proposer),
        }
        return resolve(OmegaConf.create(given), "test")

    return make


def test_the_folder_holds_clip_proposer_and_a_calibration_of_each_kind(
    settings, tiny_world, start_files
):
    folder = calibrate_clip_attr(settings(start_files.clip))
    assert set(load_checkpoint(folder).settings["calibration"]) == {"category", "attribute"}
    model = ovarnet.load(folder, device="cpu")
    found = model.detect(
        str(tiny_world.images / "0.png"),
        categories=["mug", "submarine"],
        attributes=["red"],
        boxes=[[4, 4, 34, 24]],
    )
    assert found.category_scores.shape == (1, 2)
    assert torch.isfinite(found.attribute_scores).all()


def test_a_clip_with_labels_of_novel_words_is_refused(settings, labelled_clip):
    with pytest.raises(InputError, match=r"'key', had labels in the training of .*labelled"):
        calibrate_clip_attr(settings(labelled_clip("clip_attr", "categories", "key")))


def test_words_that_the_clip_had_labels_of_are_base_words_of_the_model(settings, labelled_clip):
    weights = labelled_clip("clip_attr", "categories", "mug")
    file = Path(weights).parent / VOCABULARY
    words = read_vocabulary(file)
    write_vocabulary(file, words.merge(Vocabulary((Word("pizza", seen=True),))))
    made = load_checkpoint(calibrate_clip_attr(settings(weights))).vocabulary
    assert made.categories == (*words.categories, Word("pizza", seen=True))
    assert Vocabulary((Word("pizza"),)).novel_seen_by(made) == ["pizza"]


@pytest.mark.slow
def test_a_clip_of_captions_is_taken_whatever_its_words(settings, labelled_clip):
    assert calibrate_clip_attr(settings(labelled_clip("clip", "categories", "key"))).is_dir()


def test_novel_labels_of_a_validation_split_are_left_out(settings, start_files, tmp_path):
    """Validation files of data with novel words hold their boxes; they must not be fitted to."""
    (tmp_path / "images").mkdir()
    Image.new("RGB", (20, 20)).save(tmp_path / "images" / "a.jpg")
    box = {"image_id": 1, "bbox": [1, 1, 5, 5]}
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 20, "height": 20}],
        "categories": [{"id": 1, "name": "bird"}, {"id": 2, "name": "cat"}],
        "annotations": [
            {**box, "id": 1, "category_id": 1, "attributes": {"red": 1}},
            {**box, "id": 2, "category_id": 2, "attributes": {"red": 0, "furry": 1}},
        ],
    }
    (tmp_path / "val.json").write_text(json.dumps(content))
    words = Vocabulary(
        (Word("bird"), Word("cat", seen=True)), (Word("furry"), Word("red", seen=True))
    )
    write_vocabulary(tmp_path / VOCABULARY, words)
    source = DataSource("custom", str(tmp_path), "val")
    config = replace(settings(start_files.clip), detection=source, attributes=source)
    (image,) = open_sources(config)["category"].images
    assert image.categories.tolist() == [1]  # the cat alone
    assert image.attributes.tolist() == [[2, 0]]  # not red; furry is unknown
