"""Scores of proposals by the step I model, stored in shards."""

import copy
import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from ovarnet.build import load_model
from ovarnet.captions import CaptionParser, ParsedCaption
from ovarnet.data.captions import CaptionedImage, load_captions
from ovarnet.errors import InputError
from ovarnet.io.skipped import Skipped
from ovarnet.modeling.predictor import Predictor
from ovarnet.proposals.store import read_proposals
from ovarnet.training.clip_attr.pseudo_labels import (
    PseudoLabels,
    caption_vocabulary,
    parse_images,
    write_pseudo_labels,
)
from ovarnet.vocabulary import Vocabulary, Word

WORDS = Vocabulary(
    (Word("mug", seen=True), Word("key"), Word("car", seen=True)),
    (Word("red", seen=True), Word("gray"), Word("striped")),
)


@pytest.fixture(scope="module")
def teacher(step_one):
    return load_model(step_one, device="cpu")


@pytest.fixture
def run(teacher, tiny_world, pseudo_labels, tmp_path):
    """Called with changed arguments: writes pseudo-labels of the tiny world to tmp_path."""

    def write(images=None, model=teacher, **more):
        given = load_captions(tiny_world.captions, tiny_world.images) if images is None else images
        proposals = read_proposals(pseudo_labels / "proposals")
        return write_pseudo_labels(
            model, given, proposals, tmp_path / "labels", **{"shard": 3, **more}
        )

    return write


def test_novel_words_come_from_captions_only():
    parsed = [ParsedCaption("a gray mug", ("mug",), ("gray",)), ParsedCaption("", (), ())]
    words = caption_vocabulary(WORDS, parsed)
    assert words.category_names == ["mug", "car"]
    assert words.attribute_names == ["red", "gray"]
    assert caption_vocabulary(WORDS, []).attribute_names == ["red"]


def test_captions_are_parsed_image_by_image():
    images = [
        CaptionedImage("a.png", "a", ["a red mug", "a key"]),
        CaptionedImage("b.png", "b", ["a car"]),
    ]
    parsed = parse_images(CaptionParser(WORDS), images)
    assert [[caption.text for caption in captions] for captions in parsed] == [
        ["a red mug", "a key"],
        ["a car"],
    ]
    assert [caption.categories for caption in parsed[0]] == [("mug",), ("key",)]


def test_what_is_stored_is_what_the_model_says(pseudo_labels, teacher, tiny_world):
    stored = PseudoLabels.open(pseudo_labels / "labels")
    assert stored.categories == ["mug", "key", "car"]
    assert stored.attributes == ["red", "gray", "striped"]
    assert list(stored) == [f"{index}.png" for index in range(8)]
    one = stored["3.png"]
    assert one.boxes.tolist() == [[4, 4, 34, 24], [20, 24, 60, 54], [0, 0, 70, 60]]
    assert one.objectness.tolist() == pytest.approx([0.9, 0.8, 0.3])
    found = Predictor(teacher).detect(str(tiny_world.images / "3.png"), boxes=one.boxes.tolist())
    assert torch.allclose(one.category_logits.sigmoid(), found.category_scores, atol=2e-3)
    assert torch.allclose(one.attribute_logits.sigmoid(), found.attribute_scores, atol=2e-3)


@pytest.mark.slow
def test_a_run_that_was_stopped_is_continued_and_stored_shards_are_left_alone(run, tmp_path):
    run()
    shards = sorted((tmp_path / "labels").iterdir())
    assert [shard.name for shard in shards] == [f"0000{n}.safetensors" for n in range(3)]
    before = [shard.read_bytes() for shard in shards]
    shards[1].unlink()
    shards[2].touch()
    when = shards[2].stat().st_mtime_ns
    run()
    assert [shard.read_bytes() for shard in shards] == before
    assert shards[2].stat().st_mtime_ns == when


def test_an_image_that_cannot_be_read_is_left_out_and_tried_again(run, tiny_world, tmp_path):
    images = load_captions(tiny_world.captions, tiny_world.images)
    broken = tmp_path / "1.png"
    broken.write_bytes(b"no image")
    images[1] = CaptionedImage(str(broken), images[1].image_id, images[1].captions)
    skipped = Skipped()
    run(images, skipped=skipped)
    assert [str(broken) in line for line in skipped.items["image unreadable"]] == [True]
    labels = PseudoLabels.open(tmp_path / "labels")
    assert list(labels) == [f"{index}.png" for index in range(8) if index != 1]
    kept = labels["2.png"].attribute_logits
    broken.write_bytes((tiny_world.images / "1.png").read_bytes())
    run(images)
    labels = PseudoLabels.open(tmp_path / "labels")
    assert list(labels) == [f"{index}.png" for index in range(8)]
    assert torch.equal(labels["2.png"].attribute_logits, kept)


def test_no_image_that_can_be_read_is_an_error_and_nothing_is_written(run, tmp_path):
    (tmp_path / "0.png").write_bytes(b"no image")
    images = [CaptionedImage(str(tmp_path / "0.png"), "0", ["a mug"])]
    with pytest.raises(InputError, match="none of the 1 images can be read"):
        run(images)
    assert not (tmp_path / "labels").exists()


@pytest.mark.slow
def test_shards_of_other_images_words_models_or_settings_are_not_mixed(
    run, teacher, tiny_world, tmp_path
):
    run()
    images = load_captions(tiny_world.captions, tiny_world.images)
    with pytest.raises(InputError, match=r"00000\.safetensors is of other images"):
        run(images[::-1])
    wordless = [CaptionedImage(image.file, image.image_id, ["something"]) for image in images]
    with pytest.raises(InputError, match="is of other words; give an empty --output folder"):
        run(wordless)
    with pytest.raises(InputError, match="was made with another --most"):
        run(most=1)
    other = copy.deepcopy(teacher)
    with torch.no_grad():
        other.classifier.prompts.vectors += 1
    with pytest.raises(InputError, match="was made by another model"):
        run(model=other)


@pytest.mark.slow
def test_shards_of_earlier_versions_do_not_name_their_model_and_are_read(run, tmp_path):
    run()
    path = tmp_path / "labels" / "00000.safetensors"
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["header"])
    kept = {key: header[key] for key in ("images", "categories", "attributes")}
    save_file(load_file(path), path, metadata={"header": json.dumps(kept)})
    run()
    assert len(PseudoLabels.open(tmp_path / "labels")) == 8


def test_a_damaged_shard_and_an_empty_folder_are_named(run, tmp_path):
    with pytest.raises(InputError, match="holds no pseudo-labels; make them with"):
        PseudoLabels.open(tmp_path)
    run()
    shard = tmp_path / "labels" / "00001.safetensors"
    shard.write_bytes(shard.read_bytes()[:100])
    with pytest.raises(InputError, match=r"00001\.safetensors is damaged"):
        PseudoLabels.open(tmp_path / "labels")


def test_images_without_proposals_are_counted(run, tiny_world, tmp_path, caplog):
    images = load_captions(tiny_world.captions, tiny_world.images)
    other = CaptionedImage(str(Path(images[0].file).with_name("else.png")), "9", ["a mug"])
    run([*images, other])
    assert "left out: 1 images without proposals" in caplog.text
    with pytest.raises(InputError, match="none of the images has a proposal"):
        run([other])
