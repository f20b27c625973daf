"""`ovarnet detect` end to end, with a model whose scores are known."""

import io
import json
import math
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from fake_model import FakeModel, picture
from PIL import Image
from pycocotools.coco import COCO
from web_server import answer, web_server

from ovarnet.cli import main as cli
from ovarnet.cli.commands.detect import ATTRIBUTE_THRESHOLD
from ovarnet.cli.model_arguments import note_on_shipped_weights
from ovarnet.drawing import label_text
from ovarnet.io.results import file_names, image_ids
from ovarnet.io.word_thresholds import WordThresholds
from ovarnet.modeling.post_processing import PostProcessing
from ovarnet.modeling.predictor import Predictor

pytestmark = pytest.mark.usefixtures("fake_model")


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


def detect(*arguments) -> int:
    return cli.main(["detect", *map(str, arguments)])


def test_data_and_picture_of_one_image(photo, tmp_path, capsys):
    out = tmp_path / "new" / "out"
    words = ("--categories", "chair, mug", "--attributes", "red, wooden")
    assert detect(photo, "--model", "scenes", *words, "--output", out) == 0
    assert sorted(file.name for file in out.iterdir()) == [
        "detections.json",
        "photo.jpg",
        "photo.json",
    ]

    record = json.loads((out / "photo.json").read_text())
    score = math.sqrt(0.9 * sigmoid(2))
    assert record == {
        "file": str(photo),
        "width": 60,
        "height": 40,
        "categories": ["chair", "mug"],
        "attributes": ["red", "wooden"],
        "boxes": [[0, 0, 60, 40]],
        "scores": [round(score, 4)],
        "category": ["chair"],  # the left half, 0.22, is below the threshold
        "category_scores": [[round(sigmoid(2), 4), round(sigmoid(1), 4)]],
        "attribute_scores": [[round(sigmoid(2), 4), round(sigmoid(1), 4)]],
    }
    assert json.loads((out / "detections.json").read_text()) == [
        {
            "image_id": 1,
            "file_name": "photo.png",
            "category_id": 1,
            "category_name": "chair",
            "bbox": [0, 0, 60, 40],
            "score": round(score, 4),
            "attributes": {"red": round(sigmoid(2), 4), "wooden": round(sigmoid(1), 4)},
        }
    ]
    with Image.open(out / "photo.jpg") as drawn:
        assert drawn.size == (960, 640)  # enlarged so that the labels can be read
    printed = capsys.readouterr()
    assert f"{photo}: 1 object\n  chair 0.89: red 0.88, wooden 0.73\n" in printed.out
    note_on_shipped_weights("scenes")
    assert printed.err == capsys.readouterr().err != ""


def test_weights_of_ones_own_get_no_note(photo, tmp_path, capsys):
    assert detect(photo, "--model", "mine", "--output", tmp_path / "out") == 0
    assert capsys.readouterr().err == ""


def test_attribute_threshold_of_what_is_shown(photo, tmp_path, capsys):
    """The scores are 0.88, 0.73 and 0.5."""

    def shown(*options):
        words = ("--attributes", "red, wooden, old", "--output", tmp_path / "out")
        assert detect(photo, *words, *options) == 0
        return capsys.readouterr().out.splitlines()[1]

    assert ATTRIBUTE_THRESHOLD == label_text.ATTRIBUTE_THRESHOLD == 0.5
    assert shown() == shown("--attribute-threshold", "0.5")
    assert shown("--attribute-threshold", "0.49") == "  mug 0.89: red 0.88, wooden 0.73, old 0.50"
    assert shown("--attribute-threshold", "0.8") == "  mug 0.89: red 0.88"
    assert shown("--attribute-threshold", "1") == "  mug 0.89"
    record = json.loads((tmp_path / "out/photo.json").read_text())
    assert record["attribute_scores"] == [[0.8808, 0.7311, 0.5]]


def test_default_words_are_those_of_the_model(photo, tmp_path):
    detect(photo, "--output", tmp_path / "out")
    record = json.loads((tmp_path / "out/photo.json").read_text())
    assert record["categories"] == ["mug", "car"]
    assert record["attributes"] == ["red", "striped", "tiny"]


def test_only_attributes_and_only_categories(photo, tmp_path):
    assert detect(photo, "--categories", "", "--output", tmp_path / "a") == 0
    record = json.loads((tmp_path / "a/photo.json").read_text())
    assert record["category"] == [None]
    assert record["category_scores"] == [[]]
    assert record["scores"] == [0.9]
    entry = json.loads((tmp_path / "a/detections.json").read_text())[0]
    assert entry["category_id"] == 0
    assert entry["category_name"] is None
    assert detect(photo, "--attributes", "", "--output", tmp_path / "b") == 0
    assert json.loads((tmp_path / "b/detections.json").read_text())[0]["attributes"] == {}


def test_words_from_a_file_stay_as_they_are(photo, tmp_path):
    words = ["crème brûlée", "杯子", "red, white and blue thing", "x" * 200]
    (tmp_path / "words.json").write_text(json.dumps({"categories": words}))
    assert detect(photo, "--categories", tmp_path / "words.json", "--output", tmp_path / "out") == 0
    record = json.loads((tmp_path / "out/photo.json").read_text(encoding="utf-8"))
    assert record["categories"] == words


def test_threshold_and_limit(photo, tmp_path):
    every = ("--threshold", "0", "--containment", "1")
    detect(photo, *every, "--output", tmp_path / "all")
    record = json.loads((tmp_path / "all/photo.json").read_text())
    assert record["boxes"] == [[0, 0, 60, 40], [0, 0, 30, 40]]
    assert record["scores"] == sorted(record["scores"], reverse=True)
    for option in ("--limit", "--max-boxes"):
        detect(photo, *every, option, "1", "--output", tmp_path / "one")
        assert json.loads((tmp_path / "one/photo.json").read_text())["boxes"] == [[0, 0, 60, 40]]
    detect(photo, "--threshold", "1", "--output", tmp_path / "none")
    assert json.loads((tmp_path / "none/photo.json").read_text())["boxes"] == []
    assert json.loads((tmp_path / "none/detections.json").read_text()) == []


@pytest.mark.parametrize(
    ("options", "boxes"),
    [
        ((), 1),  # the left half lies in the whole image, and both are mugs
        (("--containment", 1), 2),
        (("--containment", 1, "--nms-iou", 0.49), 1),
        (("--containment", 1, "--categories", "", "--nms-iou", 0.49), 1),
        (("--categories", ""), 2),  # without categories a part is no clutter
    ],
)
def test_suppression_is_an_option(photo, tmp_path, options, boxes):
    assert detect(photo, "--threshold", 0, *options, "--output", tmp_path / "out") == 0
    assert len(json.loads((tmp_path / "out/photo.json").read_text())["boxes"]) == boxes


@pytest.mark.parametrize(
    ("option", "class_agnostic"),
    [((), None), (("--class-agnostic",), True), (("--no-class-agnostic",), False)],
)
def test_options_reach_the_model(photo, tmp_path, monkeypatch, option, class_agnostic):
    asked, detect_all = [], Predictor.detect

    def note(self, images, **options):
        asked.append(self.post_processing.updated(**without(options, "boxes", "vocabulary")))
        return detect_all(self, images, **options)

    def without(options, *names):
        return {name: options[name] for name in options if name not in (*names, "batch_size")}

    monkeypatch.setattr(Predictor, "detect", note)
    assert detect(photo, *option, "--limit", 300, "--output", tmp_path / "out") == 0
    assert asked == [
        PostProcessing(
            threshold=0.3,
            class_agnostic=class_agnostic,
            limit=300,
            word_thresholds=WordThresholds(),
        )
    ]


def test_suppression_does_not_go_with_given_boxes(photo, tmp_path, capsys):
    (tmp_path / "boxes.json").write_text(json.dumps({"photo.png": [[0, 0, 9, 9]]}))
    given = (photo, "--boxes", tmp_path / "boxes.json", "--output", tmp_path / "out")
    for option in (("--nms-iou", 1), ("--containment", 1), ("--no-class-agnostic",)):
        assert detect(*given, *option) == 2
        assert "with --boxes, leave them out" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert detect(*given, "--limit", 1) == 0


def test_crops_of_the_boxes_kept(tmp_path, capsys):
    for name in ("a.png", "b.png"):
        picture(tmp_path / "in" / name, 60, 40)
    options = ("--threshold", 0, "--containment", 1, "--categories", "traffic light, car")
    out = tmp_path / "out"
    assert detect(tmp_path / "in", *options, "--save-crops", "--output", out) == 0
    assert {file.name: Image.open(file).size for file in (out / "crops").iterdir()} == {
        "a_1_traffic-light.jpg": (60, 40),
        "a_2_traffic-light.jpg": (30, 40),
        "b_1_traffic-light.jpg": (60, 40),
        "b_2_traffic-light.jpg": (30, 40),
    }
    assert capsys.readouterr().out.endswith(
        f"a .jpg and a .json for each of 2 image(s); 4 crop(s) in {out / 'crops'}\n"
    )


def test_crops_never_replace_an_input(tmp_path, capsys):
    crop = picture(tmp_path / "out/crops/x_1_mug.jpg", 20, 20)
    before = crop.read_bytes()
    photo = picture(tmp_path / "x.png", 60, 40)
    assert detect(photo, crop, "--save-crops", "--output", tmp_path / "out") == 2
    assert "where --save-crops writes; choose another --output" in capsys.readouterr().err
    assert crop.read_bytes() == before
    assert detect(photo, crop, "--output", tmp_path / "out") == 0


def test_given_boxes_keep_their_order_and_number(photo, tmp_path):
    boxes = [[30, 10, 70, 50], [0, 0, 1, 1], [0, 0, 1, 1]]
    (tmp_path / "boxes.json").write_text(json.dumps({"photo.png": boxes}))
    assert detect(photo, "--boxes", tmp_path / "boxes.json", "--output", tmp_path / "out") == 0
    record = json.loads((tmp_path / "out/photo.json").read_text())
    assert record["boxes"] == [
        [30, 10, 60, 40],
        [0, 0, 1, 1],
        [0, 0, 1, 1],
    ]  # clipped to the image of 60 x 40
    assert record["scores"] == [round(math.sqrt(sigmoid(2)), 4)] * 3


def test_boxes_of_a_run_go_back_to_their_images_although_two_have_the_same_name(tmp_path, capsys):
    picture(tmp_path / "in/a/x.jpg", 60, 40)
    picture(tmp_path / "in/b/x.jpg", 30, 80)
    assert detect(tmp_path / "in", "--output", tmp_path / "first") == 0
    assert [
        entry["file_name"] for entry in json.loads((tmp_path / "first/detections.json").read_text())
    ] == ["a/x.jpg", "b/x.jpg"]
    assert (
        detect(
            tmp_path / "in",
            "--boxes",
            tmp_path / "first/detections.json",
            "--output",
            tmp_path / "second",
        )
        == 0
    )
    records = [json.loads((tmp_path / f"second/{name}.json").read_text()) for name in ("x", "x_2")]
    assert [record["boxes"] for record in records] == [[[0, 0, 60, 40]], [[0, 0, 30, 80]]]
    (tmp_path / "boxes.json").write_text('{"x.jpg": [[0, 0, 9, 9]]}')
    capsys.readouterr()
    assert (
        detect(tmp_path / "in", "--boxes", tmp_path / "boxes.json", "--output", tmp_path / "third")
        == 2
    )
    assert capsys.readouterr().err.count("'x.jpg' means 2 of the images") == 2
    assert not (tmp_path / "third").exists()


@pytest.mark.slow
def test_the_batch_size_is_that_of_a_pass(tmp_path, monkeypatch):
    for number in range(19):
        picture(tmp_path / "in" / f"{number}.png", 30, 20)
    passes, forward = [], FakeModel.forward

    def count(self, images, *more):
        passes.append(len(images))
        return forward(self, images, *more)

    monkeypatch.setattr(FakeModel, "forward", count)
    assert detect(tmp_path / "in", "--batch-size", 16, "--output", tmp_path / "out") == 0
    assert passes == [16, 3]


def test_folder_in_any_batch_size(tmp_path, capsys):
    for index, name in enumerate(["b/x.png", "a/x.png", "a/X.jpg", "c.webp"]):
        picture(tmp_path / "in" / name, 20 + index, 30)
    for size in (1, 2, 9):
        out = tmp_path / f"out{size}"
        assert detect(tmp_path / "in", "--batch-size", size, "--output", out) == 0
        names = sorted(file.name for file in out.glob("*.json"))
        assert names == ["X.json", "c.json", "detections.json", "x_2.json", "x_3.json"]
        widths = {
            json.loads((out / f"{name}.json").read_text())["width"]
            for name in ("X", "x_2", "x_3", "c")
        }
        assert widths == {20, 21, 22, 23}
    assert "4 image(s)" in capsys.readouterr().out


def test_coco_tools_read_the_results(tmp_path):
    for name in ("000000000139.jpg", "000000000009.jpg"):
        picture(tmp_path / "in" / name, 50, 30)
    detect(tmp_path / "in", "--output", tmp_path / "out")
    truth = COCO()
    truth.dataset = {
        "images": [{"id": 9}, {"id": 139}],
        "categories": [{"id": 1}, {"id": 2}],
        "annotations": [],
        "info": {},
    }
    truth.createIndex()
    results = truth.loadRes(str(tmp_path / "out/detections.json"))
    assert sorted(entry["image_id"] for entry in results.anns.values()) == [9, 139]


def test_results_inside_the_searched_folder_are_not_searched(tmp_path, capsys):
    picture(tmp_path / "x.png", 20, 20)
    for _ in range(2):
        assert detect(tmp_path, "--output", tmp_path / "out") == 0
    assert "for each of 1 image(s)" in capsys.readouterr().out


def test_an_image_whose_results_cannot_be_written_does_not_stop_the_others(tmp_path, capsys):
    long = picture(
        tmp_path / "in" / f"a{'x' * 250}.png", 20, 20
    )  # .json.part does not fit behind it
    picture(tmp_path / "in/b.png", 20, 20)
    picture(tmp_path / "in/c.png", 20, 20)
    (tmp_path / "out/c.json").mkdir(parents=True)
    assert detect(tmp_path / "in", "--output", tmp_path / "out") == 2
    printed = capsys.readouterr()
    assert "error: 2 of 3 images could not be used:" in printed.err
    assert (
        f"  {long}: its results cannot be written (File name too long); give the image a shorter "
        "name" in printed.err
    )
    assert (
        f"  {tmp_path / 'in/c.png'}: its results cannot be written (Is a directory)" in printed.err
    )
    entries = json.loads((tmp_path / "out/detections.json").read_text())
    assert [entry["file_name"] for entry in entries] == ["b.png"]
    assert {"b.jpg", "b.json"} <= {file.name for file in (tmp_path / "out").iterdir()}
    assert not (tmp_path / "out/c.jpg").exists()


def test_a_url_a_pattern_and_a_list_give_what_the_file_gives(photo, tmp_path, monkeypatch):
    listed = picture(tmp_path / "listed.png", 60, 40)
    stdin = SimpleNamespace(buffer=io.BytesIO(f"{listed}\n{photo}\n".encode()))
    monkeypatch.setattr("sys.stdin", stdin)
    with web_server({"/web.png?size=2": answer(photo.read_bytes())}) as address:
        url = f"{address}/web.png?size=2"
        given = (url, tmp_path / "ph*.png", "-", photo)
        assert detect(*given, "--output", tmp_path / "out") == 0
    records = {
        name: json.loads((tmp_path / f"out/{name}.json").read_text())
        for name in ("web", "photo", "listed")
    }
    assert [records[name].pop("file") for name in records] == [url, str(photo), str(listed)]
    assert records["web"] == records["photo"] == records["listed"]
    assert len(json.loads((tmp_path / "out/detections.json").read_text())) == 3


class ClosedPipe(io.StringIO):
    def write(self, text):
        raise BrokenPipeError(32, "Broken pipe")


class FullDisk(io.StringIO):
    def write(self, text):
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("stream", "code", "message"),
    [
        (ClosedPipe, 0, ""),
        (
            FullDisk,
            2,
            "error: standard output cannot be written (No space left on device); "
            "the files are complete\n",
        ),
    ],
)
def test_results_are_written_also_when_nobody_reads_what_is_printed(
    stream, code, message, photo, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("sys.stdout", stream())
    assert detect(photo, "--model", "mine", "--output", tmp_path / "out") == code
    assert capsys.readouterr().err == message
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "detections.json",
        "photo.jpg",
        "photo.json",
    ]


def test_words_that_the_terminal_cannot_show(photo, tmp_path, monkeypatch):
    shown = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(shown, encoding="ascii"))
    assert detect(photo, "--categories", "\u676f", "--output", tmp_path / "out") == 0
    assert b"\\u676f 0.89" in shown.getvalue()


def test_inputs_that_hold_no_image_do_not_stop_the_others(photo, tmp_path, capsys):
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    (tmp_path / "empty").mkdir()
    long, url = "x" * 400 + ".png", "http://x.org:port/a.jpg"
    assert (
        detect(
            photo,
            tmp_path / "loop.png",
            tmp_path / "empty",
            long,
            url,
            "--output",
            tmp_path / "out",
        )
        == 2
    )
    error = capsys.readouterr().err.partition("error: ")[2]
    assert error.startswith("4 of 5 images could not be used:\n")
    assert error.count("\n") == 5
    for told in (
        "loop.png: cannot be read (Too many levels of symbolic links)",
        f"{long}: cannot be read (File name too long)",
        "empty: is a folder; give image files, or a folder with images in it",
        "http://x.org:port/a.jpg: cannot be downloaded (nonnumeric port",
    ):
        assert told in error
    assert len(json.loads((tmp_path / "out/detections.json").read_text())) == 1


def test_input_pictures_are_never_replaced(tmp_path, capsys):
    photo = picture(tmp_path / "x.jpg", 20, 20)
    before = photo.read_bytes()
    assert detect(photo, "--output", tmp_path) == 2
    assert (
        "the result would replace this input; choose another --output folder"
        in capsys.readouterr().err
    )
    assert photo.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == [photo]


def test_image_ids_and_file_names():
    files = [
        Path("a/x.jpg"),
        Path("b/X.png"),
        Path("x_2.jpg"),
        Path("detections.jpg"),
        Path("y.tar.jpg"),
    ]
    assert image_ids(files) == [1, 2, 3, 4, 5]
    assert image_ids([Path("0007.jpg"), Path("12.jpg")]) == [7, 12]
    assert image_ids([Path("a/7.jpg"), Path("b/007.jpg")]) == [1, 2]
    assert file_names(["/in/a/x.jpg", "/in/b/x.jpg", "/in/b/y.jpg", "/x.jpg", "/c/a/x.jpg"]) == [
        "in/a/x.jpg",
        "b/x.jpg",
        "y.jpg",
        "/x.jpg",
        "c/a/x.jpg",
    ]


def test_the_same_file_twice_is_one_image(photo, tmp_path, monkeypatch):
    shutil.copy(photo, tmp_path / "other.png")
    monkeypatch.chdir(tmp_path)
    assert detect(photo, "photo.png", tmp_path / "other.png", "--output", "out") == 0
    assert len(json.loads(Path("out/detections.json").read_text())) == 2
