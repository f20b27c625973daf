"""`ovarnet evaluate` on a world of two images written here, with a model whose answers are written
here too."""

import json

import pytest
import torch
from PIL import Image

import ovarnet
from ovarnet.cli import main as cli
from ovarnet.io.files import read_json, write_json
from ovarnet.io.word_files import write_vocabulary
from ovarnet.structures import Detections
from ovarnet.vocabulary import Vocabulary, Word

WORDS = Vocabulary.of(
    [Word("mug", seen=True), Word("chair")],
    [Word("red", parent="color", seen=True), Word("striped", parent="pattern")],
)
BOXES = {"000001": [0, 0, 10, 10], "000002": [20, 0, 30, 10]}


@pytest.fixture
def world(tmp_path):
    root = tmp_path / "scenes"
    write_vocabulary(root / "vocabulary.json", WORDS)
    (root / "images" / "test").mkdir(parents=True)
    for name in BOXES:
        Image.new("RGB", (40, 20)).save(root / "images" / "test" / f"{name}.jpg")
    images = [
        {"id": i, "file_name": f"{name}.jpg", "width": 40, "height": 20}
        for i, name in enumerate(BOXES, 1)
    ]
    objects = [
        {
            "id": i,
            "image_id": i,
            "category_id": i,
            "iscrowd": 0,
            "area": 100,
            "bbox": [box[0], box[1], 10, 10],
        }
        for i, box in enumerate(BOXES.values(), 1)
    ]
    write_json(
        root / "annotations" / "instances_test.json",
        {
            "images": images,
            "annotations": objects,
            "categories": [{"id": 1, "name": "mug"}, {"id": 2, "name": "chair"}],
        },
    )
    write_json(
        root / "annotations" / "attributes_test.json",
        [
            {
                "image_id": str(i),
                "instance_id": str(i),
                "instance_bbox": entry["bbox"],
                "instance_polygon": None,
                "object_name": name,
                "positive_attributes": positive,
                "negative_attributes": negative,
            }
            for i, (entry, name, positive, negative) in enumerate(
                zip(
                    objects,
                    ["mug", "chair"],
                    [["red"], ["striped"]],
                    [["striped"], ["red"]],
                    strict=True,
                ),
                1,
            )
        ],
    )
    return root


class Model:
    """Finds both objects, knows the mug, takes the chair for a mug; right about red, wrong about
    striped."""

    model = None

    def encode_vocabulary(self, categories, attributes):
        assert (categories, attributes) == (list(WORDS.categories), list(WORDS.attributes))

    def detect(self, images, vocabulary, boxes=None, **_post_processing):
        right = torch.tensor(
            [BOXES[image.rsplit("/", 1)[-1][:6]] for image in images], dtype=torch.float32
        )
        number = [1 if image.endswith("1.jpg") else 2 for image in images]
        return [
            Detections(
                box[None],
                torch.tensor([0.9 / n]),
                torch.tensor([[0.8 / n, 0.1]]),
                torch.tensor([[0.9 / n, 0.9 / n]]),
                WORDS.category_names,
                WORDS.attribute_names,
            )
            for box, n in zip(right, number, strict=True)
        ]


@pytest.fixture
def model(monkeypatch):
    queries = []
    monkeypatch.setattr(ovarnet, "load", lambda name, **how: queries.append(how) or Model())
    return queries


def test_a_model_on_a_dataset(world, model, tmp_path, capsys):
    options = ["--model", "scenes", "--root", str(world), "--output", str(tmp_path / "out")]
    assert cli.main(["evaluate", *options]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert (
        " ".join(lines[0])
        == "model scenes, dataset scenes, split test, category activation sigmoid, images 2, "
        "boxes 2"
    )
    assert ["box-given", "category", "accuracy", "arg-max", "all", "50.00", "50.00", "2"] in lines
    assert ["base", "100.00", "50.00", "1"] in lines
    assert ["novel", "0.00", "50.00", "1"] in lines
    values = {
        (row["setting"], row["measure"], row["protocol"], row["group"]): row["value"]
        for row in read_json(tmp_path / "out" / "metrics.json")["rows"]
    }
    assert values["box-given", "attribute mAP", "vaw rule", "base"] == 1
    assert values["box-given", "attribute mAP", "vaw rule", "novel"] == 0.5
    assert values["box-given", "attribute mAP", "vaw rule", "type pattern"] == 0.5
    assert values["box-free", "COCO-OVD AP50", "one label per box", "base"] == pytest.approx(1)
    assert values["box-free", "detections R@100", "one-to-one, IoU 0.5", "all"] == 1


def test_the_category_activation_reaches_the_model_and_the_report(world, model, tmp_path, capsys):
    assert (
        cli.main(
            [
                "evaluate",
                "--root",
                str(world),
                "--output",
                str(tmp_path / "out"),
                "--category-activation",
                "softmax",
            ]
        )
        == 0
    )
    assert model == [{"proposer": None, "device": "auto", "category_activation": "softmax"}]
    assert read_json(tmp_path / "out" / "metrics.json")["about"]["category activation"] == "softmax"


def test_saved_predictions_score_the_same(world, model, tmp_path, capsys):
    assert (
        cli.main(
            [
                "evaluate",
                "--root",
                str(world),
                "--output",
                str(tmp_path / "a"),
                "--save-predictions",
                "--labels",
                "all",
            ]
        )
        == 0
    )
    for setting in ("box-given", "box-free"):
        assert (
            cli.main(
                [
                    "evaluate",
                    "--root",
                    str(world),
                    "--predictions",
                    str(tmp_path / "a" / f"predictions_{setting}.json"),
                    "--settings",
                    setting,
                    "--labels",
                    "all",
                    "--output",
                    str(tmp_path / setting),
                ]
            )
            == 0
        )
    from_model = read_json(tmp_path / "a" / "metrics.json")["rows"]
    from_files = [
        row
        for setting in ("box-given", "box-free")
        for row in read_json(tmp_path / setting / "metrics.json")["rows"]
    ]
    assert from_files == from_model
    assert any(row["protocol"] == "all labels > 0.05" for row in from_model)


def test_limit_and_the_other_rule(world, model, tmp_path, capsys):
    assert (
        cli.main(
            [
                "evaluate",
                "--root",
                str(world),
                "--limit",
                "1",
                "--rule",
                "ovad",
                "--settings",
                "box-given",
            ]
        )
        == 0
    )
    out = capsys.readouterr().out
    assert "images 1, boxes 1" in out
    assert "ovad rule" in out
    assert "box-free" not in out


def test_missing_images_are_noted_with_the_numbers(world, model, tmp_path, capsys, caplog):
    file = world / "annotations" / "instances_test.json"
    file.write_text(
        file.read_text().replace("000002.jpg", "caf\\udce9.jpg")
    )  # half a character, which cannot be printed
    assert (
        cli.main(
            [
                "evaluate",
                "--root",
                str(world),
                "--settings",
                "box-given",
                "--output",
                str(tmp_path / "out"),
            ]
        )
        == 0
    )
    note = (
        "images of the dataset that are in none of these numbers: 1 x image file missing (e.g. "
        "caf\\udce9.jpg)"
    )
    assert note in capsys.readouterr().out
    assert note in read_json(tmp_path / "out" / "metrics.json")["notes"]
    assert f"{world}: left out: " in caplog.text


def test_predictions_saved_with_a_limit_are_scored_with_it(world, model, tmp_path, capsys):
    limited = ["evaluate", "--root", str(world), "--limit", "1", "--settings", "box-given"]
    assert cli.main([*limited, "--output", str(tmp_path / "a"), "--save-predictions"]) == 0
    saved = str(tmp_path / "a" / "predictions_box-given.json")
    assert cli.main([*limited, "--predictions", saved, "--output", str(tmp_path / "b")]) == 0
    assert (
        read_json(tmp_path / "a" / "metrics.json")["rows"]
        == read_json(tmp_path / "b" / "metrics.json")["rows"]
    )
    assert (
        cli.main(
            ["evaluate", "--root", str(world), "--predictions", saved, "--settings", "box-given"]
        )
        == 2
    )
    assert "image 2 has 0 rows but 1 annotated boxes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--limit", "0"], "argument --limit: 0 is too small"),
        (["--split", "tests"], "has no split 'tests'"),
        (["--dataset", "imagenet"], "dataset 'imagenet' is unknown; give one of scenes"),
        (["--settings", "boxes"], "argument --settings: invalid choice: 'boxes'"),
        (["--save-predictions"], "--save-predictions needs --output"),
        (["--predictions", "absent.json"], "absent.json: no such file"),
        (
            ["--predictions", "x.json", "--proposer", "scenes"],
            "--save-predictions and --proposer need a model",
        ),
        (
            ["--predictions", "x.json", "--settings", "box-given", "box-free"],
            "box-given or box-free, not both",
        ),
        (["--model", "absent"], "model 'absent' is neither"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(world, arguments, message, capsys):
    assert cli.main(["evaluate", "--root", str(world), *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.count("\n") == 1


def test_an_output_that_is_a_file(world, tmp_path, capsys):
    (tmp_path / "taken").write_text("")
    assert cli.main(["evaluate", "--root", str(world), "--output", str(tmp_path / "taken")]) == 2
    assert "is a file; --output needs a folder" in capsys.readouterr().err


def test_predictions_of_another_dataset(world, tmp_path, capsys):
    theirs = {
        "categories": ["mug", "chair"],
        "attributes": [],
        "images": [{"image_id": 99, "boxes": []}],
    }
    (tmp_path / "theirs.json").write_text(json.dumps(theirs))
    assert (
        cli.main(["evaluate", "--root", str(world), "--predictions", str(tmp_path / "theirs.json")])
        == 2
    )
    assert (
        "theirs.json: image 99 is not among the 2 images of the dataset" in capsys.readouterr().err
    )


ATTRIBUTES = [
    {"id": 0, "name": "color:red", "type": "color", "parent_type": "color"},
    {"id": 1, "name": "size:big/large", "type": "size", "parent_type": "size"},
]


def write_ovad(root, annotations):
    """An OVAD file of one image of 100 x 100, with annotations (bbox, att_vec)."""
    write_json(
        root / "ovad2000.json",
        {
            "images": [{"id": 1, "width": 100, "height": 100, "file_name": "1.jpg"}],
            "categories": [{"id": 1, "name": "dog", "supercategory": "animal", "ov_set": "base"}],
            "attributes": [{**word, "is_has_att": "is", "freq_set": "head"} for word in ATTRIBUTES],
            "annotations": [
                {
                    "id": number,
                    "image_id": 1,
                    "category_id": 1,
                    "iscrowd": 0,
                    "area": 100,
                    "bbox": bbox,
                    "att_vec": vector,
                }
                for number, (bbox, vector) in enumerate(annotations, start=1)
            ],
        },
    )


def write_theirs(path, boxes, attribute_scores, **fields):
    words = [word["name"] for word in ATTRIBUTES]
    image = {"image_id": 1, "boxes": boxes, "attribute_scores": attribute_scores, **fields}
    write_json(path, {"categories": [], "attributes": words, "images": [image]})


def evaluate_ovad(root, *arguments):
    return cli.main(
        [
            *("evaluate", "--dataset", "ovad", "--root", str(root)),
            *("--predictions", str(root / "theirs.json"), "--output", str(root / "out")),
            *arguments,
        ]
    )


@pytest.mark.parametrize("rule", ["ovad", "vaw"])
def test_box_free_ap_of_an_ovad_file_is_the_same_by_both_rules(tmp_path, rule, capsys):
    write_ovad(
        tmp_path,
        [([0, 0, 10, 10], [1, 0]), ([0, 0, 12, 10], [-1, -1]), ([50, 50, 10, 10], [0, 1])],
    )
    write_theirs(
        tmp_path / "theirs.json",
        [[0, 0, 12, 10], [50, 50, 60, 60]],
        [[0.9, 0.1], [0.5, 0.6]],
        scores=[0.9, 0.8],
    )
    assert evaluate_ovad(tmp_path, "--rule", rule) == 0
    values = {
        row["protocol"]: row["value"]
        for row in read_json(tmp_path / "out" / "metrics.json")["rows"]
        if (row["measure"], row["group"]) == ("attribute mAP", "all")
    }
    assert values["ovad: one-to-one, IoU >= 0.5"] == 0.75


def test_the_official_numbers_are_printed_and_written(tmp_path, capsys):
    write_ovad(
        tmp_path,
        [([0, 0, 10, 10], [1, -1]), ([20, 0, 10, 10], [0, -1]), ([40, 0, 10, 10], [1, -1])],
    )
    write_theirs(
        tmp_path / "theirs.json",
        [[0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10]],
        [[0.9, 0.1], [0.8, 0.1], [0.7, 0.1]],
    )
    assert evaluate_ovad(tmp_path, "--settings", "box-given", "--official") == 0
    printed = capsys.readouterr().out
    # Red: hit, miss, hit; big: no label. The mean score, 0.45, rounds up to 0.5: all are red.
    assert "box-given, as the official OVAD tool prints it:" in printed
    red = printed[printed.index("----------COLOR----------") :].splitlines()
    assert red[1:6] == [
        "mAP: 83.3333",
        "Per-class (threshold 0.50):",
        "- recall: 100.0000",
        "- precision: 66.6667",
        "- f1: 80.0000",
    ]
    size = printed[printed.index("----------SIZE----------") :].splitlines()
    assert size[1:7] == [
        "mAP: nan",
        "Per-class (threshold 0.50):",
        "- recall: -100.0000",
        "- precision: 100.0000",
        "- f1: -100.0000",
        "- bacc: -100.0000",
    ]
    official = read_json(tmp_path / "out" / "metrics.json")["official"]["box-given"]
    assert official["groups"]["color"]["overall"]["threshold"]["rand_precision"] == pytest.approx(
        200 / 3
    )
    assert [word["acc"] for word in official["words"]] == pytest.approx([2 / 3, -1])
    text = (tmp_path / "out" / "official_box-given.txt").read_text()
    assert text.splitlines()[-1].split(" | ")[1:] == [
        "nan",
        "-1.0000",
        "-1.0000",
        "-1.0000",
        "0",
        "0",
        "1.0000",
    ]


@pytest.mark.parametrize(
    ("bbox", "box"), [([-5, 10, 40, 40], [-5, 10, 35, 50]), ([80, -9, 30, 40], [80, -9, 110, 31])]
)
def test_given_boxes_are_taken_as_they_stand_in_the_annotation_file(tmp_path, bbox, box, capsys):
    write_ovad(tmp_path, [(bbox, [1, 0])])
    write_theirs(tmp_path / "theirs.json", [box], [[0.9, 0.1]])
    assert evaluate_ovad(tmp_path, "--settings", "box-given") == 0
    assert "box-given, ovad rule: 1 boxes" in capsys.readouterr().out


@pytest.fixture
def coco(tmp_path):
    """Three images of 40 x 20: a person, a traffic light (neither base nor novel), nothing."""
    write_json(
        tmp_path / "annotations" / "instances_val2017.json",
        {
            "images": [
                {"id": i, "file_name": f"{i}.jpg", "width": 40, "height": 20} for i in (1, 2, 3)
            ],
            "categories": [
                {"id": 1, "name": "person", "supercategory": "person"},
                {"id": 5, "name": "airplane", "supercategory": "vehicle"},
                {"id": 10, "name": "traffic light", "supercategory": "outdoor"},
            ],
            "annotations": [
                {
                    "id": i,
                    "image_id": i,
                    "category_id": category,
                    "bbox": [0, 0, 10, 10],
                    "area": 100,
                    "iscrowd": 0,
                }
                for i, category in ((1, 1), (2, 10))
            ],
        },
    )
    return tmp_path


@pytest.mark.parametrize("evaluator", ["faster-coco-eval", "pycocotools"])
def test_detections_on_images_without_an_evaluated_category_are_background(coco, evaluator, capsys):
    """As COCOeval on the whole file, of two categories: two misses at .9 before the hit."""
    for images, expected in (((1,), 1), ((1, 2, 3), 1 / 3)):
        entries = [
            {
                "image_id": i,
                "boxes": [[0, 0, 10, 10]],
                "scores": [0.5 if i == 1 else 0.9],
                "category_scores": [[0.5, 0.0]],
            }
            for i in images
        ]
        write_json(
            coco / "theirs.json",
            {"categories": ["person", "airplane"], "attributes": [], "images": entries},
        )
        arguments = ["--predictions", str(coco / "theirs.json"), "--output", str(coco / "out")]
        assert (
            cli.main(
                [
                    *("evaluate", "--dataset", "coco-ovd", "--root", str(coco), "--split", "val"),
                    *(*arguments, "--evaluator", evaluator),
                ]
            )
            == 0
        )
        metrics = read_json(coco / "out" / "metrics.json")
        assert metrics["about"]["images"] == 3
        assert f"COCO-OVD AP50: COCOeval of {evaluator}" in metrics["notes"]
        (ap50,) = [
            row["value"]
            for row in metrics["rows"]
            if (row["measure"], row["group"]) == ("COCO-OVD AP50", "base")
        ]
        assert ap50 == pytest.approx(expected)
    assert "2 images without an annotated box have detections" in capsys.readouterr().out


def test_official_needs_what_the_official_tool_scores(tmp_path, capsys):
    write_ovad(tmp_path, [([0, 0, 10, 10], [1, 0])])
    write_theirs(tmp_path / "theirs.json", [[0, 0, 10, 10]], [[0.9, 0.1]], scores=[0.9])
    assert evaluate_ovad(tmp_path, "--rule", "vaw", "--official") == 2
    assert "VAW's tool scores given boxes; give --settings box-given" in capsys.readouterr().err
    assert evaluate_ovad(tmp_path, "--official") == 0
    assert "box-free, as the official OVAD tool prints it:" in capsys.readouterr().out
