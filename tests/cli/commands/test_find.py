"""`ovarnet find` end to end, with a model whose scores are known."""

import json
from pathlib import Path

import numpy as np
import pytest
from fake_model import fake_predictor, picture
from PIL import Image

from ovarnet.captions.query import named_query
from ovarnet.cli import main as cli
from ovarnet.drawing.detections import draw

pytestmark = pytest.mark.usefixtures("fake_model")


def find(*arguments) -> int:
    return cli.main(["find", *map(str, arguments)])


def test_one_image(photo, tmp_path, capsys):
    options = ("--containment", 1, "--output", tmp_path / "out")
    assert find(photo, "a red mug near a car", *options) == 0
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["found.json", "photo.jpg"]
    record = json.loads((tmp_path / "out/found.json").read_text())
    assert (record["category"], record["attributes"], record["unused"]) == ("mug", ["red"], ["car"])
    assert [entry["rank"] for entry in record["results"]] == [1, 2]
    first = record["results"][0]
    assert first["box"] == [0, 0, 60, 40]
    assert first["file"] == str(photo)
    assert set(first["attribute_scores"]) == {"red"}
    model = fake_predictor().find(photo, "a red mug near a car")
    assert first["score"] == round(float(model.scores[0]), 4)
    assert first["category_score"] == round(float(model.category_scores[0, 0]), 4)
    printed = capsys.readouterr().out
    assert printed.startswith(
        "looking for: category mug; attributes red; left out: car\n  1  mug 0."
    )
    assert "[0 0 60 40]" in printed


def test_a_folder_is_ranked_over_all_images_and_a_broken_one_is_reported(tmp_path, capsys):
    for name in ("a.png", "b.png", "c.png"):
        picture(tmp_path / "in" / name, 60, 40)
    (tmp_path / "in/broken.jpg").write_bytes(b"no image")
    assert (
        find(
            tmp_path / "in", "red mug", "--top", 2, "--batch-size", 2, "--output", tmp_path / "out"
        )
        == 2
    )
    results = json.loads((tmp_path / "out/found.json").read_text())["results"]
    assert [Path(entry["file"]).name for entry in results] == [
        "a.png",
        "b.png",
    ]  # the whole image of each; ties by name
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "a.jpg",
        "b.jpg",
        "found.json",
    ]
    error = capsys.readouterr().err
    assert "1 of 4 images could not be used" in error
    assert "broken.jpg" in error


def test_a_picture_that_cannot_be_written_is_reported(tmp_path, capsys):
    for name in ("a.png", "b.png"):
        picture(tmp_path / "in" / name, 60, 40)
    (tmp_path / "out/b.jpg").mkdir(parents=True)
    assert find(tmp_path / "in", "red mug", "--top", 2, "--output", tmp_path / "out") == 2
    assert (
        f"  {tmp_path / 'in/b.png'}: its results cannot be written (Is a directory)"
        in capsys.readouterr().err
    )
    assert (tmp_path / "out/a.jpg").exists()
    assert len(json.loads((tmp_path / "out/found.json").read_text())["results"]) == 2


def test_named_words_in_place_of_a_phrase(photo, tmp_path, capsys):
    other = picture(tmp_path / "other.png", 60, 40)
    out = tmp_path / "out"
    assert (
        find(photo, other, "--category", "Mug", "--attributes", "red, not wet", "--output", out)
        == 0
    )
    record = json.loads((out / "found.json").read_text())
    assert (record["phrase"], record["category"]) == (None, "mug")
    assert (record["attributes"], record["unused"]) == (["red", "not wet"], [])
    assert {entry["file"] for entry in record["results"]} == {str(photo), str(other)}
    query = named_query("Mug", ["red", "not wet"])
    score = float(fake_predictor().find(photo, query).scores[0])
    assert record["results"][0]["score"] == round(score, 4)
    assert capsys.readouterr().out.startswith(
        "looking for: category mug; attributes red, not wet\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a mug", "--category", "mug"], "not both"),
        (["--category", ""], "nothing to look for"),
        (["--attributes", ""], "nothing to look for"),
    ],
)
def test_bad_named_words(photo, tmp_path, capsys, arguments, message):
    assert find(photo, *arguments, "--output", tmp_path / "out") == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_options_may_stand_before_the_phrase(photo, tmp_path):
    assert find(photo, "--output", tmp_path / "out", "--top", 1, "red mug") == 0
    assert find("--attributes", "red", photo, "--output", tmp_path / "out") == 0


def test_a_missing_phrase_is_an_error_of_usage(photo, capsys):
    assert find(photo) == 2
    assert "the following arguments are required: PHRASE" in capsys.readouterr().err


def test_attributes_alone(photo, tmp_path, capsys):
    assert find(photo, "something red", "--output", tmp_path / "out") == 0
    assert (
        json.loads((tmp_path / "out/found.json").read_text())["results"][0]["category_score"]
        is None
    )
    assert "looking for: no category; attributes red" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("phrase", "message"),
    [
        ("", "names nothing"),
        ("no cars", "not wanted"),
        ("anything but a car", "not wanted"),
        ("the leftmost one", "only where something is"),
        ("x" * 400, "400 characters"),
        ("https://x.org/a.jpg", "is an image or folder, not a phrase"),
        ("{photo}", "is an image or folder, not a phrase"),
    ],
)
def test_bad_phrases_write_nothing(photo, tmp_path, capsys, phrase, message):
    assert find(photo, phrase.format(photo=photo), "--output", tmp_path / "out") == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_bad_images_write_nothing(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    for name in ("x.jpg", "y.jpg"):
        (tmp_path / "in" / name).write_bytes(b"no image")
    assert find(tmp_path / "in/x.jpg", "mug", "--output", tmp_path / "out") == 2
    assert find(tmp_path / "in", "mug", "--output", tmp_path / "out") == 2
    assert "2 of 2 images" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_ranked_boxes_have_a_colour_each(photo):
    image = np.full((40, 60, 3), 128, np.uint8)
    found = fake_predictor().find(photo, "mug", containment=1)
    assert len(found) == 2
    assert not np.array_equal(draw(image, found, ranks=[1, 2]), draw(image, found, ranks=[1, 3]))


@pytest.mark.parametrize(
    ("options", "boxes"),
    [
        ((), [[0, 0, 60, 40]]),  # the left half lies in the whole image
        (("--containment", 1), [[0, 0, 60, 40], [0, 0, 30, 40]]),
        (("--containment", 1, "--nms-iou", 0.49), [[0, 0, 60, 40]]),
    ],
)
def test_suppression_is_an_option(photo, tmp_path, options, boxes):
    assert find(photo, "mug", *options, "--output", tmp_path / "out") == 0
    results = json.loads((tmp_path / "out/found.json").read_text())["results"]
    assert [entry["box"] for entry in results] == boxes


def test_crops_are_numbered_by_rank(tmp_path, capsys):
    for name in ("a.png", "b.png"):
        picture(tmp_path / "in" / name, 60, 40)
    options = ("--top", 3, "--containment", 1, "--save-crops", "--output", tmp_path / "out")
    assert find(tmp_path / "in", "red mug", *options) == 0
    crops = tmp_path / "out/crops"
    assert {file.name: Image.open(file).size for file in crops.iterdir()} == {
        "a_1_mug.jpg": (60, 40),
        "b_2_mug.jpg": (60, 40),
        "a_3_mug.jpg": (30, 40),
    }
    assert capsys.readouterr().out.endswith(f"the best boxes; 3 crop(s) in {crops}\n")
    assert find(crops / "a_1_mug.jpg", "mug", *options) == 2
    assert "lies in" in capsys.readouterr().err
