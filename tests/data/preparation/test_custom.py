import json

import pytest
from dataset_files import (
    custom_file,
    prepare,
    write_image,
    write_json,
)

from ovarnet.cli.main import main
from ovarnet.data.datasets import open_dataset
from ovarnet.structures import NEGATIVE, POSITIVE, UNKNOWN


def test_custom_writes_a_vocabulary_and_keeps_what_the_user_changed(tmp_path, capsys):
    write_image(tmp_path / "images/a.jpg")
    write_json(
        tmp_path / "train.json",
        custom_file({"attributes": {"positive": ["white"], "negative": ["red"]}}),
    )
    code, out = prepare(capsys, "custom", "--root", tmp_path)
    assert code == 0
    assert "2 attributes, 2 of them base words" in out
    words = json.loads((tmp_path / "vocabulary.json").read_text())
    words["attributes"][1] = {
        "name": "red",
        "parent": "color",
        "synonyms": ["crimson"],
    }  # now novel
    write_json(tmp_path / "vocabulary.json", words)
    write_json(
        tmp_path / "train.json", custom_file({"attributes": {"white": 1, "blue": 1, "red": 0}})
    )
    code, out = prepare(capsys, "custom", "--root", tmp_path)
    assert code == 0
    assert "1 attributes have labels in training but are novel" in out
    assert f"{'':11}red\n" in out
    vocabulary, (image,) = open_dataset("custom", tmp_path, "train")
    assert [(word.name, word.parent, word.seen) for word in vocabulary.attributes] == [
        ("white", "other", True),
        ("red", "color", False),
        ("blue", "other", True),
    ]
    assert image.attributes.tolist() == [[POSITIVE, UNKNOWN, POSITIVE]], (
        "red has been made novel: training does not see it"
    )


@pytest.fixture
def two_splits(tmp_path):
    for name, color in (("a", (9, 0, 0)), ("b", (0, 9, 0))):
        write_image(tmp_path / f"images/{name}.jpg", color)
    content = custom_file({"attributes": {"positive": ["white"], "negative": ["red"]}})
    write_json(tmp_path / "train.json", content)
    write_json(tmp_path / "val.json", {**content, "images": [{"id": 1, "file_name": "b.jpg"}]})
    return tmp_path


def seen_words(root):
    words = json.loads((root / "vocabulary.json").read_text())
    return {
        word["name"]: word.get("seen", False)
        for kind in ("categories", "attributes")
        for word in words[kind]
    }


def test_custom_writes_no_vocabulary_without_the_training_file(two_splits, capsys):
    """Its words would be novel, and stay so."""
    whole = (two_splits / "train.json").read_text()
    (two_splits / "train.json").write_text(whole[:-1] + ",}")
    code, out = prepare(capsys, "custom", "--root", two_splits)
    assert code == 2
    assert "vocabulary.json: has not all words and is not written without the training split" in out
    (two_splits / "train.json").write_text(whole)
    assert prepare(capsys, "custom", "--root", two_splits, "--splits", "val")[0] == 2
    assert not (two_splits / "vocabulary.json").exists()
    assert prepare(capsys, "custom", "--root", two_splits)[0] == 0
    assert seen_words(two_splits) == {"shirt": True, "white": True, "red": True}
    assert prepare(capsys, "custom", "--root", two_splits, "--splits", "val")[0] == 0, (
        "all words are there already"
    )


def test_custom_words_that_training_could_not_see(two_splits, capsys):
    """train.json comes when the vocabulary has been written."""
    whole = json.loads((two_splits / "train.json").read_text())
    (two_splits / "train.json").unlink()
    assert prepare(capsys, "custom", "--root", two_splits)[0] == 0
    assert seen_words(two_splits) == {"shirt": False, "white": False, "red": False}
    write_json(two_splits / "train.json", whole)
    code, out = prepare(capsys, "custom", "--root", two_splits)
    assert code == 2
    assert all(
        f"no word of the {kind} in training is a base word" in out
        for kind in ("categories", "attributes")
    )
    whole["annotations"][0]["attributes"]["negative"].append("blue")
    write_json(two_splits / "train.json", whole)
    code, out = prepare(capsys, "custom", "--root", two_splits)
    assert "2 attributes have labels in training but are novel" in out
    assert seen_words(two_splits)["blue"]


def test_custom_reports_all_problems_and_meaningless_labels(tmp_path, capsys):
    write_image(tmp_path / "images/a.jpg")
    write_json(
        tmp_path / "train.json",
        custom_file({"attributes": ["white"]}, {"bbox": [0, 0, 0, 9]}, {"category_id": 8}),
    )
    write_json(tmp_path / "test.json", custom_file({"attributes": ["White"]}))
    code, out = prepare(capsys, "custom", "--root", tmp_path)
    assert code == 2
    assert "annotations[1] (line 1): bbox" in out
    assert "annotations[2] (line 1): category_id 8" in out
    assert "'white' = 'White'" in out
    assert "AP would be 1 for any model" in out
    assert "1 pictures lie in more than one split" in out
    assert "images/a.jpg" in out


def test_custom_half_characters_are_named_and_not_written(tmp_path, capsys):
    write_image(tmp_path / "images/a.jpg")
    write_json(
        tmp_path / "train.json",
        custom_file({"attributes": {"positive": ["white", "great \ud83d"], "negative": ["red"]}}),
    )
    code, out = prepare(capsys, "custom", "--root", tmp_path)
    assert code == 2
    assert "annotations[0] (line 1): 'great \\ud83d'" in out
    content = custom_file({"attributes": {"white": 1, "red": 0}})
    content["images"].append({"id": 2, "file_name": "\ud83d.jpg"})
    write_json(tmp_path / "train.json", content)
    code, out = prepare(capsys, "custom", "--root", tmp_path)
    assert code == 2
    assert "images[1] (line 1): \\ud83d.jpg" in out
    assert "\\ud83d.jpg" in (tmp_path / "prepared/problems.txt").read_text()
    assert [
        word["name"]
        for word in json.loads((tmp_path / "vocabulary.json").read_text())["attributes"]
    ] == ["white", "red"]
    assert not list(tmp_path.rglob("*.part"))


def test_custom_says_what_to_do_at_the_start(tmp_path, capsys):
    code, out = prepare(capsys, "custom", "--root", tmp_path)
    assert code == 2
    assert "none of train.json, val.json, test.json is there; docs/own_data.md" in out
    assert "put your images there" in out
    write_json(tmp_path / "train.json", custom_file({}))
    assert main(["prepare", "custom", "--root", str(tmp_path / "none")]) == 2
    assert main(["prepare", "custom", "--root", str(tmp_path), "--splits", "dev"]) == 2


def test_images_without_an_annotation_are_said_to_be_background(tmp_path, capsys):
    for name in ("a", "b", "c"):
        write_image(tmp_path / f"images/{name}.jpg", (90, ord(name), 0))
    content = custom_file({"attributes": {"white": 1, "red": 0}}, {"image_id": 3})
    content["annotations"][1]["bbox"] = [70, 0, 5, 5]
    content["images"] += [{"id": 2, "file_name": "b.jpg"}, {"id": 3, "file_name": "c.jpg"}]
    write_json(tmp_path / "train.json", content)
    _, out = prepare(capsys, "custom", "--root", tmp_path)
    assert "train.json: 1 images have no annotation: evaluation counts every detection" in out
    assert "train.json: 1 images have no usable box; they are not used" in out


def test_boxes_as_fractions_are_a_problem(tmp_path, capsys):
    write_image(tmp_path / "images/a.jpg")
    file = write_json(tmp_path / "train.json", custom_file({"bbox": [0.5, 0.5, 0.2, 0.2]}))
    code, out = prepare(capsys, "custom", "--root", tmp_path)
    assert code == 2
    assert f"problem  {file}: all boxes lie within 0..1, as fractions of the image; write" in out
    assert not (tmp_path / "vocabulary.json").exists()


def test_a_box_that_vanishes_in_float32_is_a_problem(tmp_path, capsys):
    write_image(tmp_path / "images/a.jpg")
    content = custom_file({"attributes": {"white": 1, "red": 0}}, {"bbox": [10, 10, 1e-7, 1e-7]})
    write_json(tmp_path / "train.json", content)
    code, out = prepare(capsys, "custom", "--root", tmp_path)
    assert code == 2
    assert "1 x box has no area" in out
    assert "annotations[1] (line 1): bbox: [10, 10, 1e-07, 1e-07]" in out


def test_flags_written_as_strings_are_read(tmp_path, capsys):
    """A "0" that counts as a crowd would leave nothing to train on."""
    write_image(tmp_path / "images/a.jpg")
    labels = {"attributes": {"white": "1", "red": "0"}}
    write_json(tmp_path / "train.json", custom_file({**labels, "iscrowd": "0"}))
    assert prepare(capsys, "custom", "--root", tmp_path)[0] == 0
    _, (image,) = open_dataset("custom", tmp_path, "train")
    assert image.is_crowd.tolist() == [False]
    assert image.attributes.tolist() == [[POSITIVE, NEGATIVE]]
    write_json(tmp_path / "train.json", custom_file({**labels, "iscrowd": "perhaps"}))
    code, out = prepare(capsys, "custom", "--root", tmp_path)
    assert code == 2
    assert "1 x iscrowd is neither 0 nor 1, taken as 0" in out
